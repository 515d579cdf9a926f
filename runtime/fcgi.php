<?php
// Asks PHP-FPM over FastCGI, as nginx would, and prints the body. One that is just starting is waited for a little.
// Usage: php fcgi.php HOST:PORT[,HOST:PORT…] PATH SCRIPT_FILENAME [TIMEOUT_SECONDS [body]]
//        several are asked at the same time, and each answer is a line after its address; `body`: standard input goes along
// exit 0: every status below 400; 1: anything else

[, $addresses, $path, $script] = $argv + [3 => ''];
$timeout = (float) ($argv[4] ?? 5);
$body = ($argv[5] ?? '') === 'body' ? (string) stream_get_contents(STDIN) : '';
/** How long one that listens not yet is waited for, in seconds: less costly than to be asked again. */
const PATIENCE = 3.0;

$length = static fn (int $n): string => $n < 128 ? chr($n) : pack('N', $n | 0x80000000);
$record = static fn (int $type, string $content): string => pack('CCnnCx', 1, $type, 1, strlen($content), 0) . $content;

$host = parse_url((string) getenv('APP_URL'), PHP_URL_HOST) ?: 'localhost';
$parameters = '';
foreach ([
    'GATEWAY_INTERFACE' => 'FastCGI/1.0', 'REQUEST_METHOD' => $body === '' ? 'GET' : 'POST', 'REQUEST_URI' => $path, 'QUERY_STRING' => '',
    'SCRIPT_NAME' => '/index.php', 'SCRIPT_FILENAME' => $script, 'DOCUMENT_ROOT' => dirname($script),
    'SERVER_PROTOCOL' => 'HTTP/1.1', 'SERVER_NAME' => $host, 'SERVER_PORT' => '80', 'HTTP_HOST' => $host,
    'REMOTE_ADDR' => '127.0.0.1', 'SERVER_SOFTWARE' => 'drydock', 'CONTENT_LENGTH' => (string) strlen($body), 'HTTP_ACCEPT' => '*/*',
    ...($body === '' ? [] : ['CONTENT_TYPE' => 'application/json']),
] as $name => $value) {
    $parameters .= $length(strlen($name)) . $length(strlen($value)) . $name . $value;
}
$request = $record(1, pack('nCx5', 1, 0)) . $record(4, $parameters) . $record(4, '')
    . implode('', array_map(static fn (string $part): string => $record(5, $part), $body === '' ? [] : str_split($body, 65_528))) . $record(5, '');

/** @return resource|string the connection, or why there is none */
$connect = static function (string $address) use ($timeout, $request) {
    $until = microtime(true) + min(PATIENCE, $timeout);
    while (!$socket = @stream_socket_client("tcp://$address", $code, $error, $timeout)) {
        if (microtime(true) > $until) {
            return "PHP-FPM does not answer at $address: $error";
        }
        usleep(50_000);
    }
    stream_set_timeout($socket, (int) ceil($timeout));
    fwrite($socket, $request);
    return $socket;
};

/** @return array{bool, string} whether it went well, and the body, or why not */
$answer = static function ($socket, string $address) use ($timeout, $path): array {
    $read = static function (int $bytes) use ($socket): string {
        $data = '';
        while (strlen($data) < $bytes && ($chunk = fread($socket, $bytes - strlen($data))) !== false && $chunk !== '') {
            $data .= $chunk;
        }
        return $data;
    };
    $out = $errors = '';
    $ended = false;
    while (!$ended && strlen($header = $read(8)) === 8) {
        ['type' => $type, 'length' => $n, 'padding' => $padding] = unpack('Cversion/Ctype/nid/nlength/Cpadding', $header);
        $content = substr($read($n + $padding), 0, $n);
        match ($type) {
            6 => $out .= $content,
            7 => $errors .= $content,
            3 => $ended = true,
            default => null,
        };
    }
    if (!$ended) {
        return [false, "PHP-FPM at $address gave no whole answer for $path within $timeout s. $errors"];
    }
    [$head, $content] = explode("\r\n\r\n", $out, 2) + [1 => ''];
    $status = preg_match('/^Status: (\d+)/mi', $head, $found) ? (int) $found[1] : 200;
    return $status < 400 ? [true, $content] : [false, "$path answered $status. " . trim($errors) . ' ' . substr(trim(strip_tags($content)), 0, 300)];
};

$all = explode(',', $addresses);
// First all of them are asked, then all are listened to.
$sockets = array_map($connect, $all);
$failed = false;
foreach ($all as $index => $address) {
    [$well, $said] = is_resource($sockets[$index]) ? $answer($sockets[$index], $address) : [false, $sockets[$index]];
    $failed = $failed || !$well;
    $line = count($all) > 1 ? "$address " . trim($said) . PHP_EOL : $said . ($well ? '' : PHP_EOL);
    fwrite($well ? STDOUT : STDERR, $line);
}
exit($failed ? 1 : 0);
