<?php
// Says which variables Laravel reads otherwise than planned in this container. No value is printed: plan and answer are
// keyed hashes and names.
// Input: {"names": {"NAME": hmac-sha256(value, APP_KEY) in hex, …}}
// Usage: php readback.php APPLICATION_PATH < input; or asked through PHP-FPM (see fcgi.php) with the application's path
// for a path, and a body
// Answer: {"proven", "checked", "missing", "differs", "staleConfigCache", "file": where Laravel has them from,
// "error"?}     exit 0: proven

require __DIR__ . '/answer.php';

$path = PHP_SAPI === 'cli' ? $argv[1] : $_SERVER['REQUEST_URI'];
$input = (string) file_get_contents(PHP_SAPI === 'cli' ? 'php://stdin' : 'php://input');
$plan = json_decode($input, true, 512, JSON_THROW_ON_ERROR)['names'];
// What the application prints while it is loaded (a BOM, a notice) must not be sent before the answer.
ob_start();

// Where the configuration is cached, Laravel reads no variables any more. Those that it has read are what it would read
// again without the
// cache: neither the process's nor the file's change in a container's life. An older cache is another matter (known
// issue 10).
$cache = getenv('APP_CONFIG_CACHE') ?: "$path/bootstrap/cache/config.php";
putenv('APP_CONFIG_CACHE=/dev/null/none');
$_ENV['APP_CONFIG_CACHE'] = $_SERVER['APP_CONFIG_CACHE'] = '/dev/null/none';
$answer = [
    'proven' => false, 'checked' => count($plan), 'missing' => [], 'differs' => [], 'staleConfigCache' => false,
        'file' => null,
];
try {
    require "$path/vendor/autoload.php";
    $app = require "$path/bootstrap/app.php";
    $app->bootstrapWith([Illuminate\Foundation\Bootstrap\LoadEnvironmentVariables::class]);
    $answer['file'] = $app->environmentFilePath();
    $answer = [...$answer, ...drydock_compared($plan)];
    clearstatcache();
    $files = is_file($cache) && is_file($answer['file']);
    $answer['staleConfigCache'] = $files && drydock_older($cache, $answer['file']);
    $answer['proven'] = !$answer['missing'] && !$answer['differs'] && !$answer['staleConfigCache'];
} catch (Throwable $error) {
    // Its message may hold a value.
    $answer['error'] = get_class($error) . ' in ' . $error->getFile() . ':' . $error->getLine();
}
drydock_answer($answer);
exit($answer['proven'] ? 0 : 1);
