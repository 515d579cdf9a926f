<?php
// Says how a Laravel container is, without changing it and without showing a secret. Delivered for one look, never at a
// release:
// docker exec -i … sh -c 'cat > /tmp/NAME.php; …' and then asked twice where PHP-FPM serves:
//   php NAME.php APPLICATION_PATH   the command line: the container's environment, its database and Redis
//   through fcgi.php                PHP-FPM: the process that serves, with its own environment and OPcache (incident 6)
// Behind __halt_compiler() stands {"path": APPLICATION_PATH, "names": {NAME: keyed hash of its planned value}}.

ini_set('display_errors', '0');
ini_set('default_socket_timeout', '4');
$handle = fopen(__FILE__, 'rb');
fseek($handle, __COMPILER_HALT_OFFSET__);
['path' => $path, 'names' => $plan] = json_decode((string) stream_get_contents($handle), true, 512,
    JSON_THROW_ON_ERROR);
require "$path/vendor/autoload.php";

// Laravel's own order: what the process has wins over the file.
$file = is_file("$path/.env") && is_readable("$path/.env")
    ? Dotenv\Dotenv::parse((string) file_get_contents("$path/.env")) : [];
$value = static fn (string $name): ?string => ($found = getenv($name)) !== false ? $found : ($file[$name] ?? null);
$key = (string) $value('APP_KEY');
$fpm = PHP_SAPI !== 'cli';
$report = ['sapi' => PHP_SAPI, 'release' => $value('DRYDOCK_RELEASE')];

// The plan (incident 1), and the variables that were forgotten in one role or another (2 to 4).
$missing = $differs = [];
foreach ($plan as $name => $hash) {
    $found = $value($name);
    if ($found === null) {
        $missing[] = $name;
    } elseif (!hash_equals($hash, hash_hmac('sha256', $found, $key))) {
        $differs[] = $name;
    }
}
$raw = base64_decode(preg_replace('/^base64:/', '', $key), true);
$report['env'] = ['checked' => count($plan), 'missing' => $missing, 'differs' => $differs];
$report['dbConnection'] = ['value' => $value('DB_CONNECTION'), 'explicit' => getenv('DB_CONNECTION') !== false];
$report['redisPassword'] = (string) $value('REDIS_PASSWORD') !== '';
$report['appKey'] = $raw !== false && strlen($raw) === 32;

// Known issue 5.
$report['redisExtension'] = extension_loaded('redis') && class_exists('Redis', false);
$report['predis'] = is_dir("$path/vendor/predis/predis");

// Known issue 9: whether it can write is only known by writing.
$probe = '.drydock-' . bin2hex(random_bytes(4));
$report['uid'] = null;
$unwritable = [];
foreach (['storage/app', 'storage/app/public', 'storage/framework/cache', 'storage/framework/sessions',
    'storage/framework/views', 'storage/logs', 'bootstrap/cache'] as $folder) {
    if (@file_put_contents("$path/$folder/$probe", 'x') === 1) {
        $report['uid'] = fileowner("$path/$folder/$probe");
        unlink("$path/$folder/$probe");
    } else {
        $unwritable[] = $folder;
    }
}
$report['unwritable'] = $unwritable;

// Known issue 10: the cache holds values, so it has to be of this environment.
$cache = "$path/bootstrap/cache/config.php";
$report['configCache'] = ['exists' => is_file($cache), 'older' => false, 'differs' => []];
if (is_file($cache)) {
    // As drydock_older in answer.php, which containers of an earlier version don't have.
    $report['configCache']['older'] = is_file("$path/.env") && filemtime($cache) + 1 < filemtime("$path/.env");
    try {
        $config = (static fn () => require $cache)();
        $connection = $config['database']['connections'][$config['database']['default'] ?? ''] ?? [];
        $cached = [
            'APP_KEY' => $config['app']['key'] ?? null,
            'DB_CONNECTION' => $config['database']['default'] ?? null,
            'DB_HOST' => $connection['host'] ?? null,
            'DB_PASSWORD' => $connection['password'] ?? null,
            'REDIS_HOST' => $config['database']['redis']['default']['host'] ?? null,
            'REDIS_PASSWORD' => $config['database']['redis']['default']['password'] ?? null,
        ];
        foreach ($cached as $name => $held) {
            if (is_scalar($held) && $value($name) !== null && (string) $held !== $value($name)) {
                $report['configCache']['differs'][] = $name;
            }
        }
        $report['redisClient'] = $config['database']['redis']['client'] ?? null;
    } catch (Throwable $error) {
        $report['configCache']['differs'][] = 'the file itself (' . get_class($error) . ')';
    }
}

if ($fpm) {
    // It is the container's own: what the proof of a release asks, too. That of an earlier version prints its answer.
    ob_start();
    $said = (static fn () => require '/drydock/opcache.php')();
    $printed = (string) ob_get_clean();
    $report['opcache'] = is_array($said) ? $said : json_decode($printed, true);
    echo "\n\x1e", json_encode($report, JSON_INVALID_UTF8_SUBSTITUTE), PHP_EOL;
    return;
}

// Known issue 11: the hosts of the environment that this container has.
$reach = static function (string $host, int $port): array {
    if ($host === '') {
        return ['host' => null, 'error' => 'no host is set'];
    }
    $addresses = gethostbynamel($host) ?: (filter_var($host, FILTER_VALIDATE_IP) ? [$host] : []);
    $found = ['host' => $host, 'loopback' => (bool) preg_match('/^(localhost|127\.|::1$)/', $host),
        'resolves' => $addresses !== [], 'error' => null];
    if ($addresses === []) {
        return ['error' => 'its name does not resolve'] + $found;
    }
    $socket = @stream_socket_client("tcp://{$addresses[0]}:$port", $code, $why, 3);
    return $socket ? $found : ['error' => "nothing answers on port $port"] + $found;
};
$report['database'] = $reach((string) $value('DB_HOST'), (int) ($value('DB_PORT') ?? 3306));
$report['redis'] = $reach((string) $value('REDIS_HOST'), (int) ($value('REDIS_PORT') ?? 6379));
$report['down'] = null;
try {
    $app = require "$path/bootstrap/app.php";
    $app->make(Illuminate\Contracts\Console\Kernel::class)->bootstrap();
    $report['down'] = $app->isDownForMaintenance();
    $report['redisClient'] = $app->make('config')->get('database.redis.client');
    $queue = (string) $app->make('config')->get('queue.default');
    $after = $app->make('config')->get("queue.connections.$queue.retry_after");
    $report['queue'] = ['connection' => $queue, 'retryAfter' => is_numeric($after) ? (int) $after : null];
} catch (Throwable $error) {
    $report['boot'] = get_class($error);
}
// Messages of drivers may hold a user, a host or more: only their class and code are shown.
$tried = static function (array $found, callable $ask): array {
    if ($found['error'] === null) {
        try {
            $ask();
        } catch (Throwable $error) {
            $said = strtoupper($error->getMessage());
            $why = array_values(array_filter(['NOAUTH', 'WRONGPASS', 'ACCESS DENIED', 'UNKNOWN DATABASE', 'LOADING',
                'MISCONF', 'OOM'], static fn ($word) => str_contains($said, $word)));
            $found['error'] = get_class($error) . ($error->getCode() ? ' ' . $error->getCode() : '')
                . ($why ? ': ' . $why[0] : '');
        }
    }
    return $found;
};
if (!isset($report['boot'])) {
    $report['database'] = $tried($report['database'],
        static fn () => Illuminate\Support\Facades\DB::select('select 1'));
    $report['redis'] = $tried($report['redis'],
        static fn () => Illuminate\Support\Facades\Redis::connection()->command('ping'));
}
// As in answer.php, which containers of an earlier version don't have.
fwrite(STDOUT, "\n\x1e" . json_encode($report, JSON_INVALID_UTF8_SUBSTITUTE) . PHP_EOL);
__halt_compiler();
