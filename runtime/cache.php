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
} catch (Throwable $error) {
    fwrite(STDERR, "drydock: $command: " . get_class($error) . ': ' . $error->getMessage() . PHP_EOL);
    exit(1);
}
