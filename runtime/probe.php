<?php
// Sends requests one after the other and counts the failed ones. Runs on standard input in a replica:
// php -- URL HOST COUNT < probe.php      exit 0: none failed; 1: at least one

[, $url, $host, $count] = $argv;
$failed = [];
$slowest = 0.0;
for ($i = 0; $i < (int) $count; $i++) {
    $from = microtime(true);
    $http_response_header = [];
    $body = @file_get_contents($url, false, stream_context_create(['http' => [
        'timeout' => 10, 'ignore_errors' => true, 'follow_location' => 0, 'header' => "Host: $host\r\nUser-Agent: drydock-verify",
    ]]));
    $slowest = max($slowest, microtime(true) - $from);
    $status = preg_match('#^HTTP/\S+ (\d+)#', $http_response_header[0] ?? '', $found) ? (int) $found[1] : 0;
    if ($body === false || $status === 0 || $status >= 400) {
        $failed[] = $status === 0 ? 'no answer' : (string) $status;
    }
}
echo json_encode(['requests' => (int) $count, 'failed' => count($failed), 'slowestMs' => (int) round($slowest * 1000)]), PHP_EOL;
if ($failed) {
    fwrite(STDERR, sprintf("%d of %d requests to %s failed (%s)\n", count($failed), $count, $url, implode(', ', array_unique($failed))));
    exit(1);
}
