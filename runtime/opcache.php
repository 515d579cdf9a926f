<?php
// Run by PHP-FPM (never by the CLI, whose OPcache is another one: known issue 6). Answers with what OPcache says of itself.
// The script lies outside the document root, so that no request from outside can reach it.
//   /status   stale: how many files were changed after OPcache took them in, so that their old code is executed
//   /reset    and where there is one, OPcache is emptied

header('Content-Type: application/json');
if (!function_exists('opcache_get_status') || !($before = opcache_get_status(true))) {
    echo json_encode(['enabled' => false]);
    return;
}
$since = max($before['opcache_statistics']['start_time'], $before['opcache_statistics']['last_restart_time']);
$path = getenv('DRYDOCK_PATH');
$stale = 0;
// Where OPcache looks at the files' times itself, it has no old code. Views are compiled while it runs, and taken in after that.
foreach (ini_get('opcache.validate_timestamps') ? [] : array_keys($before['scripts'] ?? []) as $script) {
    if (str_starts_with($script, "$path/") && !str_starts_with($script, "$path/storage/framework/views/") && (!is_file($script) || filectime($script) > $since)) {
        $stale++;
    }
}
if ($stale > 0 && ($_SERVER['REQUEST_URI'] ?? '') === '/reset') {
    // Requests in flight keep the old code; OPcache restarts as soon as none is left, and counts that restart.
    opcache_reset();
}
echo json_encode(['enabled' => true, 'stale' => $stale, 'restarts' => $before['opcache_statistics']['manual_restarts']]);
