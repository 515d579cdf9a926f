<?php

namespace App\Console\Commands;

use App\Horizon\Supervisor;
use Illuminate\Console\Command;

/**
 * Stands in for laravel/horizon, which isn't among Debian's packages: the same command for the same role, the same
 * answer to SIGTERM, but
 * neither Horizon's dashboard nor its balancing. An application that has Horizon deletes this file and app/Horizon.
 */
class HorizonCommand extends Command
{
    protected $signature = 'horizon';

    protected $description = 'Supervise queue workers (a stand-in for laravel/horizon)';

    public function handle(): int
    {
        $supervisor = new Supervisor(
            config('horizon'),
            fn (string $text) => $this->line('['.now()->format('Y-m-d H:i:s')."] horizon: $text"),
            fn (string $stream, string $text) => fwrite($stream === 'err' ? STDERR : STDOUT, $text),
        );
        // As Horizon does, and no others: QUIT, the stop signal of a PHP-FPM image, must be overridden for this role.
        $this->trap([SIGTERM, SIGINT], function () use ($supervisor): void {
            $this->line('['.now()->format('Y-m-d H:i:s').'] horizon: stopping; running jobs are finished first');
            $supervisor->stop();
        });
        $supervisor->run();

        return self::SUCCESS;
    }
}
