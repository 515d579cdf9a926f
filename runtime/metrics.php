<?php
// How a replica is, in numbers: asked through FastCGI by the collector of monitoring (collector/laravel.ts).
//   /process   the processes of this PHP-FPM and its OPcache; nothing of the application is loaded
//   /laravel   queues, failed jobs, Horizon and the schedule, which all replicas share; the body is {"queues": names}
// What can't be said is null: no error of the application's is shown, its messages may hold a user, a host or more.

require_once __DIR__ . '/answer.php';

ini_set('display_errors', '0');
set_time_limit(4);

if (($_SERVER['REQUEST_URI'] ?? '') === '/process') {
    $fpm = function_exists('fpm_get_status') ? fpm_get_status() : false;
    $cache = function_exists('opcache_get_status') ? @opcache_get_status(false) : false;
    $memory = $cache['memory_usage'] ?? null;
    drydock_answer([
        'fpm' => $fpm === false ? null : ['active' => $fpm['active-processes'], 'idle' => $fpm['idle-processes'],
            'queue' => $fpm['listen-queue'], 'reached' => $fpm['max-children-reached']],
        'opcache' => $memory === null ? null : ['free' => $memory['free_memory'], 'used' => $memory['used_memory']
            + $memory['wasted_memory'], 'hits' => $cache['opcache_statistics']['hits'],
            'misses' => $cache['opcache_statistics']['misses']],
    ]);
    return;
}

$path = (string) getenv('DRYDOCK_PATH');
require "$path/vendor/autoload.php";
$app = require "$path/bootstrap/app.php";
$app->make(Illuminate\Contracts\Console\Kernel::class)->bootstrap();
$config = $app->make('config');

/** What can be said, or null. */
$try = static function (callable $ask) {
    try {
        return $ask();
    } catch (Throwable) {
        return null;
    }
};

// Horizon's masters that are alive: it forgets one that has said nothing for a quarter of a minute.
$masters = 'Laravel\\Horizon\\Contracts\\MasterSupervisorRepository';
$horizon = interface_exists($masters) && $app->bound($masters) ? $try(static function () use ($app, $masters) {
    $all = $app->make($masters)->all();
    return ['masters' => count($all), 'paused' => $all !== []
        && array_filter($all, static fn ($master) => $master->status !== 'paused') === []];
}) : null;

// The queues that have a name: the default one, those that the settings name, those that Horizon's supervisors take.
$connection = (string) $config->get('queue.default');
$names = (array) (json_decode((string) file_get_contents('php://input'), true)['queues'] ?? []);
$names[] = (string) $config->get("queue.connections.$connection.queue", 'default');
$supervisors = 'Laravel\\Horizon\\Contracts\\SupervisorRepository';
if (($horizon['masters'] ?? 0) > 0) {
    foreach ($try(static fn () => $app->make($supervisors)->all()) ?? [] as $supervisor) {
        $names = [...$names, ...explode(',', (string) ($supervisor->options['queue'] ?? ''))];
    }
}

/** The first job that waits: when it was made, in seconds, and what it is. */
$first = static function ($queue, string $name) use ($app, $config, $connection): array {
    $settings = (array) $config->get("queue.connections.$connection");
    if ($queue instanceof Illuminate\Queue\RedisQueue) {
        $raw = $queue->getConnection()->lindex($queue->getQueue($name), 0);
        $job = is_string($raw) ? json_decode($raw, true) : null;
        return is_array($job) ? [$job['createdAt'] ?? $job['pushedAt'] ?? null, $job['uuid'] ?? $job['id'] ?? null]
            : [null, null];
    }
    if ($queue instanceof Illuminate\Queue\DatabaseQueue) {
        $job = $app->make('db')->connection($settings['connection'] ?? null)->table($settings['table'] ?? 'jobs')
            ->where('queue', $name)->whereNull('reserved_at')->where('available_at', '<=', time())
            ->orderBy('id')->first(['id', 'created_at', 'available_at']);
        return $job === null ? [null, null] : [max($job->created_at, $job->available_at), (string) $job->id];
    }
    return [null, null];
};

$queues = [];
foreach (array_unique(array_filter($names)) as $name) {
    $queue = $try(static fn () => $app->make('queue')->connection($connection));
    if ($queue === null || !method_exists($queue, 'size')) {
        break;
    }
    // Laravel 12 and newer tell the three apart.
    $size = static fn (string $which) => method_exists($queue, $which) ? $try(static fn () => $queue->$which($name))
        : null;
    [$since, $id] = $try(static fn () => $first($queue, $name)) ?? [null, null];
    $queues[] = ['name' => $name, 'pending' => $size('pendingSize') ?? $size('size'), 'delayed' => $size('delayedSize'),
        'reserved' => $size('reservedSize'), 'since' => is_numeric($since) ? (float) $since : null,
        'first' => $id === null ? null : (string) $id];
}

$failed = $try(static function () use ($app) {
    $failer = $app->make('queue.failer');
    return $failer instanceof Illuminate\Queue\Failed\CountableFailedJobProvider ? $failer->count() : null;
});
// schedule.sh notes it there.
$run = @filemtime("$path/storage/logs/.drydock-scheduled");

drydock_answer(['queues' => $queues, 'failed' => $failed, 'horizon' => $horizon,
    'scheduled' => $run === false ? null : $run]);
