<?php

namespace App\Console\Commands;

use Illuminate\Console\Command;
use Illuminate\Support\Facades\DB;

class TraceCommand extends Command
{
    protected $signature = 'example:trace';

    protected $description = 'Leave a trace of the scheduler, which GET /api/schedule shows';

    public function handle(): void
    {
        DB::table('traces')->insert(['minute' => now()->utc()->format('Y-m-d\TH:i:00\Z'), 'host' => gethostname()]);
        $this->line('in '.gethostname());
    }
}
