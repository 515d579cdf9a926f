<?php
// Says which variables of this container differ from the plan. No value is printed: plan and answer are keyed hashes and names.
// Standard input: {"names": {"NAME": hmac-sha256(value, APP_KEY) in hex, …}}     Usage: php readback.php APPLICATION_PATH

require $argv[1] . '/vendor/autoload.php';
$plan = json_decode((string) stream_get_contents(STDIN), true, 512, JSON_THROW_ON_ERROR)['names'];

// Laravel's own order: what the process has wins over the file.
$file = is_file($argv[1] . '/.env') ? Dotenv\Dotenv::parse((string) file_get_contents($argv[1] . '/.env')) : [];
$value = static fn (string $name): ?string => ($found = getenv($name)) !== false ? $found : ($file[$name] ?? null);

$key = (string) $value('APP_KEY');
$missing = $differs = [];
foreach ($plan as $name => $hash) {
    $found = $value($name);
    if ($found === null) {
        $missing[] = $name;
    } elseif (!hash_equals($hash, hash_hmac('sha256', $found, $key))) {
        $differs[] = $name;
    }
}

// A cached configuration that is older than the variables would hide them (known issue 10).
$cache = $argv[1] . '/bootstrap/cache/config.php';
$stale = is_file($cache) && is_file($argv[1] . '/.env') && filemtime($cache) < filemtime($argv[1] . '/.env');

echo json_encode(['checked' => count($plan), 'missing' => $missing, 'differs' => $differs, 'staleConfigCache' => $stale]), PHP_EOL;
exit($missing || $differs || $stale ? 1 : 0);
