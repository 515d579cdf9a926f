<?php

namespace App\Jobs;

use Illuminate\Bus\Queueable;
use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Foundation\Bus\Dispatchable;
use Illuminate\Queue\InteractsWithQueue;
use Illuminate\Support\Facades\DB;

/** Works for some seconds, and keeps account of how often it was begun and finished. */
class Invoice implements ShouldQueue
{
    use Dispatchable, InteractsWithQueue, Queueable;

    public function __construct(public string $id, public int $seconds) {}

    public function handle(): void
    {
        DB::table('invoices')->updateOrInsert(['id' => $this->id], ['begun' => DB::raw('begun + 1')]);
        $until = microtime(true) + $this->seconds;
        while (microtime(true) < $until) {
            usleep(50_000);
        }
        DB::table('invoices')->where('id',
            $this->id)->update(['done' => DB::raw('done + 1'), 'worker' => gethostname()]);
    }
}
