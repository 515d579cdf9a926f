<?php
// Asks PHP-FPM over FastCGI, as nginx would, and prints the body.
// Usage: php fcgi.php HOST:PORT PATH SCRIPT_FILENAME [TIMEOUT_SECONDS]     exit 0: status below 400; 1: anything else

[, $address, $path, $script] = $argv + [3 => ''];
$timeout = (float) ($argv[4] ?? 5);

$fail = static function (string $why): never {
    fwrite(STDERR, $why . PHP_EOL);
    exit(1);
};
$length = static fn (int $n): string => $n < 128 ? chr($n) : pack('N', $n | 0x80000000);
$record = static fn (int $type, string $body): string => pack('CCnnCx', 1, $type, 1, strlen($body), 0) . $body;

$host = parse_url((string) getenv('APP_URL'), PHP_URL_HOST) ?: 'localhost';
$parameters = '';
foreach ([
    'GATEWAY_INTERFACE' => 'FastCGI/1.0', 'REQUEST_METHOD' => 'GET', 'REQUEST_URI' => $path, 'QUERY_STRING' => '',
    'SCRIPT_NAME' => '/index.php', 'SCRIPT_FILENAME' => $script, 'DOCUMENT_ROOT' => dirname($script),
    'SERVER_PROTOCOL' => 'HTTP/1.1', 'SERVER_NAME' => $host, 'SERVER_PORT' => '80', 'HTTP_HOST' => $host,
    'REMOTE_ADDR' => '127.0.0.1', 'SERVER_SOFTWARE' => 'drydock', 'CONTENT_LENGTH' => '0', 'HTTP_ACCEPT' => '*/*',
] as $name => $value) {
    $parameters .= $length(strlen($name)) . $length(strlen($value)) . $name . $value;
}

$socket = @stream_socket_client("tcp://$address", $code, $error, $timeout) ?: $fail("PHP-FPM does not answer at $address: $error");
stream_set_timeout($socket, (int) ceil($timeout));
fwrite($socket, $record(1, pack('nCx5', 1, 0)) . $record(4, $parameters) . $record(4, '') . $record(5, ''));

$out = $errors = '';
$ended = false;
$read = static function (int $bytes) use ($socket): string {
    $data = '';
    while (strlen($data) < $bytes && ($chunk = fread($socket, $bytes - strlen($data))) !== false && $chunk !== '') {
        $data .= $chunk;
    }
    return $data;
};
while (!$ended && strlen($header = $read(8)) === 8) {
    ['type' => $type, 'length' => $n, 'padding' => $padding] = unpack('Cversion/Ctype/nid/nlength/Cpadding', $header);
    $body = substr($read($n + $padding), 0, $n);
    match ($type) {
        6 => $out .= $body,
        7 => $errors .= $body,
        3 => $ended = true,
        default => null,
    };
}
$ended || $fail("PHP-FPM at $address gave no whole answer for $path within $timeout s. $errors");

[$head, $content] = explode("\r\n\r\n", $out, 2) + [1 => ''];
$status = preg_match('/^Status: (\d+)/mi', $head, $found) ? (int) $found[1] : 200;
$status < 400 || $fail("$path answered $status. " . trim($errors) . ' ' . substr(trim(strip_tags($content)), 0, 300));
echo $content;
