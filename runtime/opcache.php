<?php
// Run by PHP-FPM (never by the CLI, whose OPcache is another one: incident 6). Answers with what OPcache says of
// itself.
// The script lies outside the document root, so that no request from outside can reach it.
//   /reset             empties OPcache if it has old code: a file that was changed after OPcache took it in is executed
// as it was
//   /scripts           lists the files that OPcache has, as JSON
//   /compile           takes those of such a list in, where they are here and it has them not yet; it executes nothing
// of them
//   any other address  only says how things stand, as for doctor.php, which includes this and gets the answer returned

require_once __DIR__ . '/answer.php';

$asItself = realpath($_SERVER['SCRIPT_FILENAME']) === __FILE__;
$answer = $asItself ? drydock_answer(...) : static fn (array $said): array => $said;
if (!function_exists('opcache_get_status') || !($status = @opcache_get_status(true))) {
    return $answer(['enabled' => false]);
}
$asked = $_SERVER['REQUEST_URI'] ?? '';
if ($asked === '/scripts') {
    return $answer(array_keys($status['scripts'] ?? []));
}
if ($asked === '/compile') {
    // What a moment doesn't suffice for is compiled when it is needed, as ever.
    $until = microtime(true) + 2;
    $compiled = 0;
    foreach (json_decode((string) file_get_contents('php://input'), true) ?? [] as $script) {
        if (microtime(true) < $until && is_file($script) && !opcache_is_script_cached($script)) {
            $compiled += @opcache_compile_file($script) ? 1 : 0;
        }
    }
    return $answer(['compiled' => $compiled]);
}
$since = max($status['opcache_statistics']['start_time'], $status['opcache_statistics']['last_restart_time']);
$path = getenv('DRYDOCK_PATH');
$stale = [];
// Where OPcache looks at the files' times itself, it has no old code. Views are compiled while it runs, and taken in
// after that.
foreach (ini_get('opcache.validate_timestamps') ? [] : array_keys($status['scripts'] ?? []) as $script) {
    if (str_starts_with($script, "$path/") && !str_starts_with($script, "$path/storage/framework/views/")
        && (!is_file($script) || filectime($script) > $since)) {
        $stale[] = substr($script, strlen($path) + 1);
    }
}
if ($stale && $asked === '/reset') {
    // Requests in flight keep the old code; OPcache restarts as soon as none is left, and counts that restart.
    opcache_reset();
}
return $answer([
    'enabled' => true, 'restarts' => $status['opcache_statistics']['manual_restarts'], 'staleCount' => count($stale),
    'since' => $since, 'full' => $status['cache_full'], 'stale' => array_slice($stale, 0, 5),
]);
