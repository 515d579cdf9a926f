<?php
// Builds Laravel's caches of this container from its final environment, in one process: each `php artisan` would boot the framework again,
// which takes most of the time in which a new replica is not yet there. php /drydock/cache.php APPLICATION_PATH

require $argv[1] . '/vendor/autoload.php';
$app = require $argv[1] . '/bootstrap/app.php';
$kernel = $app->make(Illuminate\Contracts\Console\Kernel::class);
$output = new Symfony\Component\Console\Output\ConsoleOutput();
try {
    foreach (['config:clear', 'config:cache', 'route:cache', 'view:cache'] as $command) {
        if ($kernel->call($command, [], $output) !== 0) {
            throw new RuntimeException('it failed; its output is above');
        }
    }
    drydock_logs($app->getCachedConfigPath(), $app->storagePath('logs/laravel.log'));
} catch (Throwable $error) {
    fwrite(STDERR, "drydock: $command: " . get_class($error) . ': ' . $error->getMessage() . PHP_EOL);
    exit(1);
}

/**
 * Has the container's log take what Laravel would write to `laravel.log`, as its channels `single` and `daily` do, and
 * `stack` with them:
 * `./drydock logs` shows that, and it is rotated. Other files of an application stay where they are.
 */
function drydock_logs(string $cache, string $log): void
{
    $config = require $cache;
    foreach ($config['logging']['channels'] ?? [] as $name => $channel) {
        if (in_array($channel['driver'] ?? null, ['single', 'daily'], true) && ($channel['path'] ?? $log) === $log) {
            $keep = ['level', 'formatter', 'formatter_with', 'tap', 'processors', 'name', 'bubble'];
            $config['logging']['channels'][$name] = [
                'driver' => 'monolog',
                'handler' => Monolog\Handler\StreamHandler::class,
                'with' => ['stream' => 'php://stderr'],
            ] + array_intersect_key($channel, array_flip($keep));
        }
    }
    file_put_contents($cache, '<?php return ' . var_export($config, true) . ';' . PHP_EOL);
}
