<?php
// Run by PHP-FPM (never by the CLI, whose OPcache is another one: known issue 6). Answers with what OPcache says of itself.
// The script lies outside the document root, so that no request from outside can reach it.

header('Content-Type: application/json');
if (!function_exists('opcache_get_status') || !($before = opcache_get_status(false))) {
    echo json_encode(['enabled' => false]);
    return;
}
if (($_SERVER['REQUEST_URI'] ?? '') === '/reset') {
    // Requests in flight keep the old code; OPcache restarts as soon as none is left, and counts that restart.
    opcache_reset();
}
echo json_encode([
    'enabled' => true,
    'restarts' => $before['opcache_statistics']['manual_restarts'],
    'pending' => $before['restart_pending'] || $before['restart_in_progress'],
]);
