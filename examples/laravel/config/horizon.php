<?php

return [

    // How many `queue:work` processes the supervisor keeps running.
    'workers' => (int) env('HORIZON_WORKERS', 2),

    'connection' => env('QUEUE_CONNECTION', 'redis'),

    'queue' => 'default',

    // Seconds a job may take before its worker is killed. Below the queue's retry_after (90), or a second worker would
    // take the job too.
    'timeout' => 60,

    'tries' => 3,

    // MiB after which a worker ends and is replaced.
    'memory' => 96,

    // The supervisor's state, per container: never on a shared volume.
    'heartbeat' => storage_path('framework/horizon.json'),

];
