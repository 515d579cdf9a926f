<?php
// FastCGI as nginx speaks it to PHP-FPM. Included by fcgi.php and ready.php.

require_once __DIR__ . '/answer.php';

/**
 * Asks PHP-FPM at each address (HOST:PORT), all of them at the same time.
 *
 * @param string[] $addresses
 * @param string   $body     what goes along; with it the request is a POST
 * @param float    $timeout  seconds for each answer
 * @param float    $patience seconds that one which listens not yet is waited for: less costly than to be asked again
 * @return array<string, array{bool, string}> by address: whether the status was below 400, and the body (of a script
 * that answers, its answer),
 *         or why there is none
 */
function drydock_ask(array $addresses, string $path, string $script, float $timeout, string $body = '',
    float $patience = 3.0): array
{
    $length = static fn (int $n): string => $n < 128 ? chr($n) : pack('N', $n | 0x80000000);
    $record = static fn (int $type, string $content): string => pack('CCnnCx', 1, $type, 1, strlen($content), 0)
        . $content;

    $host = parse_url((string) getenv('APP_URL'), PHP_URL_HOST) ?: 'localhost';
    $parameters = '';
    foreach ([
        'GATEWAY_INTERFACE' => 'FastCGI/1.0', 'REQUEST_METHOD' => $body === '' ? 'GET' : 'POST', 'REQUEST_URI' => $path,
            'QUERY_STRING' => '',
        'SCRIPT_NAME' => '/index.php', 'SCRIPT_FILENAME' => $script, 'DOCUMENT_ROOT' => dirname($script),
        'SERVER_PROTOCOL' => 'HTTP/1.1', 'SERVER_NAME' => $host, 'SERVER_PORT' => '80', 'HTTP_HOST' => $host,
        'REMOTE_ADDR' => '127.0.0.1', 'SERVER_SOFTWARE' => 'drydock', 'CONTENT_LENGTH' => (string) strlen($body),
            'HTTP_ACCEPT' => '*/*',
        ...($body === '' ? [] : ['CONTENT_TYPE' => 'application/json']),
    ] as $name => $value) {
        $parameters .= $length(strlen($name)) . $length(strlen($value)) . $name . $value;
    }
    $request = $record(1, pack('nCx5', 1, 0)) . $record(4, $parameters) . $record(4, '')
        . implode('', array_map(static fn (string $part): string => $record(5, $part), $body === '' ? []
            : str_split($body, 65_528))) . $record(5, '');

    /** @return resource|string the connection, or why there is none */
    $connect = static function (string $address) use ($timeout, $patience, $request) {
        $until = microtime(true) + min($patience, $timeout);
        // This container's own listens on one network alone (start.sh).
        $own = str_starts_with($address, '127.0.0.1:') ? trim((string) @file_get_contents('/dev/shm/listen')) : '';
        $at = $own === '' ? $address : $own . strrchr($address, ':');
        while (!$socket = @stream_socket_client("tcp://$at", $code, $error, $timeout)) {
            if (microtime(true) > $until) {
                return "PHP-FPM does not answer at $address: $error";
            }
            usleep(50_000);
        }
        stream_set_timeout($socket, (int) ceil($timeout));
        fwrite($socket, $request);
        return $socket;
    };

    /** @return array{bool, string} */
    $answer = static function ($socket, string $address) use ($timeout, $path): array {
        $read = static function (int $bytes) use ($socket): string {
            $data = '';
            while (strlen($data) < $bytes && ($chunk = fread($socket, $bytes - strlen($data))) !== false
                && $chunk !== '') {
                $data .= $chunk;
            }
            return $data;
        };
        $out = $errors = '';
        $ended = false;
        while (!$ended && strlen($header = $read(8)) === 8) {
            ['type' => $type, 'length' => $n, 'padding' => $padding] = unpack('Cversion/Ctype/nid/nlength/Cpadding',
                $header);
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
        if ($status < 400) {
            return [true, drydock_answered($content) ?? $content];
        }
        return [false, "$path answered $status. " . trim($errors) . ' ' . substr(trim(strip_tags($content)), 0, 300)];
    };

    // First all of them are asked, then all are listened to.
    $sockets = array_combine($addresses, array_map($connect, $addresses));
    $answers = [];
    foreach ($sockets as $address => $socket) {
        $answers[$address] = is_resource($socket) ? $answer($socket, $address) : [false, $socket];
    }
    return $answers;
}
