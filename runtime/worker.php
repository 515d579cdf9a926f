<?php
// Health of a worker container, asked inside it: its own process is alive, and it reaches its database and Redis.
// horizon:status would speak for all containers at once, so a dead one passes while another lives.
// Usage: php worker.php APPLICATION_PATH WORD      WORD: what the process was started with (horizon, schedule:work)

[, $path, $word] = $argv;
$fail = static function (string $why): never {
    fwrite(STDERR, $why . PHP_EOL);
    exit(1);
};

// One that is just starting is waited for a little: less costly than to be asked again.
for ($until = microtime(true) + 3, $alive = $working = false; !($alive && $working) && microtime(true) < $until; usleep(50_000)) {
    $alive = false;
    $working = $word !== 'horizon';
    foreach (glob('/proc/[0-9]*/cmdline') ?: [] as $file) {
        $arguments = explode("\0", (string) @file_get_contents($file));
        $alive = $alive || (in_array($word, $arguments, true) && !in_array('/drydock/worker.php', $arguments, true)
            && str_contains($arguments[0], 'php'));
        $working = $working || array_intersect(['queue:work', 'horizon:work'], $arguments);
    }
}
$alive || $fail("no process of this container runs $word");
$working || $fail('no worker runs: Horizon cannot keep one alive, see its log');

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
if ($word === 'horizon' && interface_exists($masters)) {
    $own = Laravel\Horizon\MasterSupervisor::basename();
    $mine = array_filter($app->make($masters)->all(), static fn ($master) => str_starts_with($master->name, $own));
    $mine || $fail('Horizon has no master of this container: it does not take jobs');
}
