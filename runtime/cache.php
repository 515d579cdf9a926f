<?php
// Builds Laravel's caches of this container from its final environment, in one process: each `php artisan` would boot
// the framework again,
// which takes most of the time in which a new replica is not yet there. php /drydock/cache.php APPLICATION_PATH

require __DIR__ . '/stores.php';
require $argv[1] . '/vendor/autoload.php';
$app = require $argv[1] . '/bootstrap/app.php';
$kernel = $app->make(Illuminate\Contracts\Console\Kernel::class);
$output = new Symfony\Component\Console\Output\ConsoleOutput();
/** Why a command failed, or null. */
$run = static function (string $command) use ($kernel, $output): ?string {
    try {
        return $kernel->call($command, [], $output) === 0 ? null : 'it failed; its output is above';
    } catch (Throwable $error) {
        return get_class($error) . ': ' . $error->getMessage();
    }
};
$say = static fn (string $line) => fwrite(STDERR, "drydock: $line" . PHP_EOL);

foreach (['config:clear', 'config:cache'] as $command) {
    if (($why = $run($command)) !== null) {
        $say("$command: $why");
        exit(1);
    }
}
$file = $app->getCachedConfigPath();
$config = drydock_logs(drydock_stores(require $file, ...drydock_servers()), $app->storagePath('logs/laravel.log'));
// A server of the image's own has the proxy's address for its visitors'; the proxy says whose they are, and lets nobody
// else say it.
// What the application decides itself (`trustProxies`) comes before this.
if (getenv('DRYDOCK_BEHIND_PROXY') === '1') {
    $config['trustedproxy']['proxies'] ??= '*';
}
// Octane notes the numbers of its processes, and starts no second server where one of them lives: they are the
// container's own, and storage/logs is the same for all.
if (isset($config['octane'])) {
    $config['octane']['state_file'] ??= $app->storagePath('framework/octane-server-state.json');
    // Swoole would refuse what is larger than 10 MiB, and cut what takes longer than 6 s when the container is stopped:
    // the limits are those of uploads (PHP has them from the proxy's) and of `docker stop`.
    $config['octane']['swoole']['options'] = ($config['octane']['swoole']['options'] ?? []) + [
        'max_wait_time' => 3600,
        'package_max_length' => max(10 << 20, ini_parse_quantity((string) ini_get('post_max_size'))),
    ];
}
file_put_contents($file, '<?php return ' . var_export($config, true) . ';' . PHP_EOL);

// Without these an application is slower, and no less right: what can't be cached is said.
if (($why = $run('route:cache')) !== null) {
    $say("route:cache: $why; the routes are not cached");
    $run('route:clear');
}
if (!$app->bound('view') || $run('view:cache') === null) {
    return;
}
// One view stopped it, which may be one that nobody asks for, or a folder that isn't there: all others, one by one.
$finder = $app->make('view')->getFinder();
$compiler = $app->make('view')->getEngineResolver()->resolve('blade')->getCompiler();
$folders = array_unique(array_merge($finder->getPaths(), ...array_values($finder->getHints())));
foreach (Symfony\Component\Finder\Finder::create()->in(array_filter($folders, is_dir(...))
    ?: [__DIR__])->exclude('vendor')->name('*.blade.php')->files() as $view) {
    try {
        $compiler->compile($view->getRealPath());
    } catch (Throwable $error) {
        $say("view:cache: {$view->getRealPath()} can't be compiled: {$error->getMessage()}");
    }
}

/**
 * Has the container's log take what Laravel would write to `laravel.log`, as its channels `single` and `daily` do, and
 * `stack` with them:
 * `./drydock logs` shows that, and it is rotated. Other files of an application stay where they are.
 */
function drydock_logs(array $config, string $log): array
{
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
    return $config;
}
