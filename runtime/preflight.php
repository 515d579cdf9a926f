<?php
// Says what Laravel makes of the stack's variables in this image. Runs as a one-off container's command, before
// anything is changed.
// Usage: php /drydock/preflight.php APPLICATION_PATH < {"names": {NAME: keyed hash of its planned value}, "longestJob":
// seconds,
//        "horizon": MiB that Horizon's container may use, 0: none, "cached": whether the containers cache their
// configuration,
//        "elsewhere": which of database and redis are not the stack's own}

require __DIR__ . '/answer.php';
require __DIR__ . '/elsewhere.php';
require __DIR__ . '/stores.php';

$path = $argv[1];
['names' => $plan, 'longestJob' => $longest, 'horizon' => $memory, 'cached' => $cached,
    'elsewhere' => $elsewhere] = json_decode((string) stream_get_contents(STDIN), true, 512, JSON_THROW_ON_ERROR);
require "$path/vendor/autoload.php";
$app = require "$path/bootstrap/app.php";
$app->bootstrapWith([Illuminate\Foundation\Bootstrap\LoadEnvironmentVariables::class]);
$answer = drydock_compared($plan) + ['file' => $app->environmentFilePath(), 'unknown' => [], 'logs' => [],
    'retry' => null, 'horizon' => null, 'forgotten' => [], 'together' => [], 'unusable' => []];
$read = Illuminate\Support\Env::getRepository();

foreach ($elsewhere as $what) {
    if (($why = drydock_unusable($what, $read->get(...))) !== null) {
        $answer['unusable'][] = ['what' => $what, 'why' => $why];
    }
}

try {
    // Providers may ask the database or another server, which are none of its business here: the files alone.
    $app->bootstrapWith([Illuminate\Foundation\Bootstrap\LoadConfiguration::class]);
    $config = $app->make('config');
    // The variable, the setting that it is, and where the names are that it may say.
    foreach ([
        ['MAIL_MAILER', 'mail.default', 'mail.mailers'], ['QUEUE_CONNECTION', 'queue.default', 'queue.connections'],
        ['CACHE_STORE', 'cache.default', 'cache.stores'],
            ['FILESYSTEM_DISK', 'filesystems.default', 'filesystems.disks'],
        ['LOG_CHANNEL', 'logging.default', 'logging.channels'],
            ['BROADCAST_CONNECTION', 'broadcasting.default', 'broadcasting.connections'],
    ] as [$variable, $setting, $where]) {
        $value = $config->get($setting);
        $names = array_keys((array) $config->get($where, []));
        // `null` is no name, but says that there is nothing.
        if (is_string($value) && $value !== 'null' && $value === $read->get($variable) && $names !== []
            && !in_array($value, $names, true)) {
            $answer['unknown'][] = [
                'variable' => $variable, 'value' => $value, 'where' => 'config/' . strtok($where, '.') . '.php',
                    'has' => $names,
            ];
        }
    }

    // What cache.php has the container's log take is none of these.
    $usual = $app->storagePath('logs/laravel.log');
    $toLog = static fn (array $of): bool => $cached && ($of['path'] ?? $usual) === $usual;
    $files = static function (string $channel, int $depth = 0) use (&$files, $config, $usual, $toLog): array {
        $of = (array) $config->get("logging.channels.$channel", []);
        return match ($of['driver'] ?? null) {
            'stack' => $depth > 4 ? []
                : array_merge([], ...array_map(static fn ($one) => $files((string) $one, $depth + 1),
                is_array($of['channels'] ?? null) ? $of['channels'] : explode(',', (string) ($of['channels'] ?? '')))),
            'single', 'daily' => $toLog($of) ? []
                : [['channel' => $channel, 'path' => (string) ($of['path'] ?? $usual)]],
            default => [],
        };
    };
    $answer['logs'] = $files((string) $config->get('logging.default'));

    // Only where the configuration is cached are the stores of the cache moved.
    [$lasting, $forgetful] = drydock_servers();
    $planned = $cached ? drydock_stores($config->all(), $lasting, $forgetful) : $config->all();
    $answer['forgotten'] = drydock_forgotten($planned, $lasting, $forgetful);
    foreach ($lasting === $forgetful ? [] : $planned['cache']['stores'] ?? [] as $name => $store) {
        $redis = $planned['database']['redis'][$store['connection'] ?? 'default'] ?? [];
        if (($store['driver'] ?? null) === 'redis' && ($redis['host'] ?? null) === $lasting) {
            $answer['together'][] = $name;
        }
    }

    $connection = (string) $config->get('queue.default');
    $after = $config->get("queue.connections.$connection.retry_after");
    if (is_numeric($after) && $longest > 0 && (int) $after <= $longest) {
        $answer['retry'] = ['connection' => $connection, 'after' => (int) $after, 'longestJob' => $longest];
    }

    // As Horizon plans its processes: each supervisor of this stage has the defaults of its name beneath.
    $processes = 0;
    foreach ((array) $config->get('horizon.environments') as $stage => $supervisors) {
        if (fnmatch((string) $stage, (string) $read->get('APP_ENV'))) {
            foreach (array_replace_recursive((array) $config->get('horizon.defaults'), (array) $supervisors) as $of) {
                $processes += (int) ($of['maxProcesses'] ?? $of['processes'] ?? 1);
            }
            break;
        }
    }
    if ($memory > 0 && $processes > 0) {
        $answer['horizon'] = ['processes' => $processes, 'memory' => $memory];
    }
} catch (Throwable $error) {
    // Its message may hold a value.
    $answer['error'] = get_class($error) . ' in ' . basename($error->getFile()) . ':' . $error->getLine();
}
drydock_answer($answer);
