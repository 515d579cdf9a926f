<?php
// Sends requests one after the other and counts the failed ones. Runs on standard input in a replica:
// php -- URL HOST COUNT [FIRST] < probe.php      exit 0: none failed; 1: at least one
// FIRST: a URL that has to answer with a status below 400 before the first of them, five times in a row: right after a
// reload, nginx's earlier processes take connections, too, for a tenth of a second. It gets 5 seconds

[, $url, $host, $count] = $argv;
// A script on standard input has no constant STDERR.
$say = static fn (string $line) => file_put_contents('php://stderr', $line . PHP_EOL);
/** Its status; 0 where there is no answer. */
$ask = static function (string $url) use ($host): int {
    $http_response_header = [];
    $body = @file_get_contents($url, false, stream_context_create(['http' => [
        'timeout' => 10, 'ignore_errors' => true, 'follow_location' => 0,
            'header' => "Host: $host\r\nUser-Agent: drydock-verify",
    ]]));
    return $body !== false && preg_match('#^HTTP/\S+ (\d+)#', $http_response_header[0] ?? '', $found) ? (int) $found[1]
        : 0;
};
$well = static fn (int $status): bool => $status > 0 && $status < 400;

for ($until = microtime(true) + 5, $row = 0; isset($argv[4]) && $row < 5; usleep(50_000)) {
    $status = $ask($argv[4]);
    $row = $well($status) ? $row + 1 : 0;
    if ($row === 0 && microtime(true) > $until) {
        $say("$argv[4] answers " . ($status ?: 'nothing'));
        exit(1);
    }
}
$failed = [];
$slowest = 0.0;
for ($i = 0; $i < (int) $count; $i++) {
    $from = microtime(true);
    $status = $ask($url);
    $slowest = max($slowest, microtime(true) - $from);
    if (!$well($status)) {
        $failed[] = $status === 0 ? 'no answer' : (string) $status;
    }
}
echo json_encode(['requests' => (int) $count, 'failed' => count($failed), 'slowestMs' => (int) round($slowest * 1000)]),
    PHP_EOL;
if ($failed) {
    $say(sprintf('%d of %d requests to %s failed (%s)', count($failed), $count, $url,
        implode(', ', array_unique($failed))));
    exit(1);
}
