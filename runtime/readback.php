<?php
// Says which variables of this container differ from the plan. No value is printed: plan and answer are keyed hashes and names.
// Input: {"names": {"NAME": hmac-sha256(value, APP_KEY) in hex, …}}
// Usage: php readback.php APPLICATION_PATH < input; or asked through PHP-FPM (see fcgi.php) with the application's path for a path, and a body

$path = PHP_SAPI === 'cli' ? $argv[1] : $_SERVER['REQUEST_URI'];
require "$path/vendor/autoload.php";
$plan = json_decode((string) file_get_contents(PHP_SAPI === 'cli' ? 'php://stdin' : 'php://input'), true, 512, JSON_THROW_ON_ERROR)['names'];

// Laravel's own order: what the process has wins over the file.
$file = is_file("$path/.env") ? Dotenv\Dotenv::parse((string) file_get_contents("$path/.env")) : [];
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
$cache = "$path/bootstrap/cache/config.php";
$stale = is_file($cache) && is_file("$path/.env") && filemtime($cache) < filemtime("$path/.env");

$proven = !$missing && !$differs && !$stale;
echo json_encode(['proven' => $proven, 'checked' => count($plan), 'missing' => $missing, 'differs' => $differs, 'staleConfigCache' => $stale]), PHP_EOL;
exit($proven ? 0 : 1);
