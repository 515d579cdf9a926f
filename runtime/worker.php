<?php
// Health of a worker's container, asked inside it: its own process has stayed alive, does what it is there for, and,
// where it runs
// Laravel, reaches database and Redis. horizon:status would speak for all containers at once, so a dead one passes
// while another lives.
// Usage: php worker.php APPLICATION_PATH KIND [PORT]
// KIND: horizon; scheduler; process (any command); port (a command that listens on PORT)

[, $path, $kind] = $argv;
$fail = static function (string $why): never {
    fwrite(STDERR, $why . PHP_EOL);
    exit(1);
};

/** Seconds that a process must have lived: one that crashes at once, and is started again and again, never does. */
const STABLE = 2;
/** Seconds that this look waits for it, which costs less than to be asked again. */
const PATIENCE = 4;

/** The processes of this container: argv and age in seconds, by process id, with who started them. */
$processes = static function (): array {
    $uptime = (float) file_get_contents('/proc/uptime');
    $found = [];
    foreach (glob('/proc/[0-9]*', GLOB_ONLYDIR) ?: [] as $folder) {
        $stat = (string) @file_get_contents("$folder/stat");
        $arguments = explode("\0", rtrim((string) @file_get_contents("$folder/cmdline"), "\0"));
        // The name, in brackets, can hold anything; what is needed stands behind it.
        $fields = explode(' ', substr($stat, (int) strrpos($stat, ')') + 2));
        if (count($fields) > 19 && $arguments !== ['']) {
            $found[(int) basename($folder)] = ['parent' => (int) $fields[1], 'age' => $uptime - (int) $fields[19] / 100,
                'argv' => $arguments];
        }
    }
    return $found;
};
/** The age of the oldest that fits, or -1. */
$oldest = static fn (array $processes,
    callable $fits): float => max([-1, ...array_column(array_filter($processes, $fits, ARRAY_FILTER_USE_BOTH), 'age')]);
// An init is process 1 and has one child: the command, once the script that prepares the container has become it.
$isMain = static fn (array $one): bool => $one['parent'] === 1 && !in_array('/drydock/start.sh', $one['argv'], true);
$isWorker = static fn (array $one): bool => array_intersect(['queue:work', 'horizon:work'], $one['argv']) !== [];

for ($until = microtime(true) + PATIENCE; ; usleep(100_000)) {
    $now = $processes();
    $main = $oldest($now, $isMain);
    $worker = $kind === 'horizon' ? $oldest($now, $isWorker) : STABLE;
    if (($main >= STABLE && $worker >= STABLE) || microtime(true) >= $until) {
        break;
    }
}
$main >= 0 || $fail('the command of this container has not started yet');
$main >= STABLE || $fail(sprintf('the command of this container has run for %.1f s only', $main));
$worker >= 0 || $fail('no worker runs: Horizon starts none (are there supervisors for this APP_ENV in '
    . 'config/horizon.php?) or cannot keep one alive, see its log');
$worker >= STABLE || $fail(sprintf('Horizon cannot keep a worker alive: none has lived for %d s, see its log', STABLE));

if ($kind === 'port') {
    $socket = @fsockopen('127.0.0.1', (int) $argv[3], $code, $why, 3);
    $socket !== false || $fail("nothing listens on port {$argv[3]}: $why");
    fclose($socket);
}

$artisan = array_filter($now, static fn (array $one): bool => $isMain($one)
    && in_array('artisan', array_map('basename', $one['argv']), true));
if (!in_array($kind, ['horizon', 'scheduler'], true) && $artisan === []) {
    exit(0);
}
require "$path/vendor/autoload.php";
$app = require "$path/bootstrap/app.php";
$app->make(Illuminate\Contracts\Console\Kernel::class)->bootstrap();
try {
    Illuminate\Support\Facades\DB::select('select 1');
    Illuminate\Support\Facades\Redis::connection()->command('ping');
} catch (Throwable $error) {
    $fail(get_class($error) . ': the database or Redis cannot be reached with the variables of this container');
}

// laravel/horizon names each master after its host, and a container's host name is its own.
$masters = 'Laravel\\Horizon\\Contracts\\MasterSupervisorRepository';
if ($kind === 'horizon' && interface_exists($masters)) {
    $own = Laravel\Horizon\MasterSupervisor::basename();
    $mine = array_filter($app->make($masters)->all(), static fn ($master) => str_starts_with($master->name, $own));
    $mine || $fail('Horizon has no master of this container: it does not take jobs');
}
