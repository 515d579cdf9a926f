<?php

namespace App\Jobs;

use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Foundation\Queue\Queueable;
use Illuminate\Support\Facades\DB;

/** Works for some seconds and keeps account of how often it was started and finished. */
class CountedJob implements ShouldQueue
{
    use Queueable;

    public function __construct(public string $id, public float $seconds) {}

    public function handle(): void
    {
        $this->count('started');
        // Against a deadline: a worker that is told to stop gets a signal, which cuts one long sleep short.
        $until = microtime(true) + $this->seconds;
        while (microtime(true) < $until) {
            usleep(20_000);
        }
        $this->count('finished');
    }

    /**
     * 0 until a run has finished, then the number of runs that were started: 2 means that one was cut short or done
     * twice.
     */
    public static function runs(string $id): int
    {
        $row = DB::table('job_runs')->where('id', $id)->first();

        return $row === null || $row->finished === 0 ? 0 : $row->started;
    }

    private function count(string $column): void
    {
        DB::table('job_runs')->upsert(['id' => $this->id, $column => 1], ['id'], [$column => DB::raw("$column + 1")]);
    }
}
