<?php
// Asks one URL; a server that is just starting is waited for a little. Usage: php http.php URL [TIMEOUT_SECONDS]
// exit 0: status below 400; 1: anything else

$context = stream_context_create(['http' => [
    'timeout' => (float) ($argv[2] ?? 5), 'ignore_errors' => true, 'follow_location' => 0,
    'header' => 'Host: ' . (parse_url((string) getenv('APP_URL'), PHP_URL_HOST) ?: 'localhost'),
]]);
// To wait costs less than to be asked again.
for ($until = microtime(true) + 3;
($body = @file_get_contents($argv[1], false, $context)) === false && microtime(true) < $until; usleep(50_000));
$status = preg_match('#^HTTP/\S+ (\d+)#', $http_response_header[0] ?? '', $found) ? (int) $found[1] : 0;
if ($body === false || $status === 0 || $status >= 400) {
    fwrite(STDERR, $argv[1] . ' answered ' . ($status ?: 'nothing: ' . (error_get_last()['message'] ?? '')) . PHP_EOL);
    exit(1);
}
