<?php

namespace App\Http\Controllers;

use Closure;
use Illuminate\Http\JsonResponse;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Redis;
use Throwable;

class HealthController
{
    /**
     * Really asks both; 503 when one of them doesn't answer. The reason goes to the log: it may name hosts and users.
     */
    public function __invoke(): JsonResponse
    {
        $services = [
            'database' => $this->ask(fn () => DB::selectOne('SELECT 1')),
            'redis' => $this->ask(fn () => Redis::connection()->ping()),
        ];
        $healthy = ! in_array('down', $services, true);

        return response()->json(['status' => $healthy ? 'ok' : 'down', ...$services], $healthy ? 200 : 503);
    }

    private function ask(Closure $question): string
    {
        try {
            $question();

            return 'ok';
        } catch (Throwable $error) {
            report($error);

            return 'down';
        }
    }
}
