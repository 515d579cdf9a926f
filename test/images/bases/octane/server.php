<?php
// php server.php PORT PROCESSES, in the application's folder. Told to stop, each process answers what it has taken.

[, $port, $processes] = $argv;
$server = stream_socket_server("tcp://0.0.0.0:$port") ?: exit(1);
$children = [];
for ($i = 0; $i < (int) $processes; $i++) {
    $pid = pcntl_fork();
    if ($pid === 0) {
        serve($server);
        exit(0);
    }
    $children[] = $pid;
}
pcntl_async_signals(true);
pcntl_signal(SIGTERM, static function () use ($children): void {
    array_map(static fn (int $pid) => posix_kill($pid, SIGTERM), $children);
}, false);
while (pcntl_wait($status) > 0 || pcntl_get_last_error() === PCNTL_EINTR);

function serve($server): void
{
    require 'vendor/autoload.php';
    $app = require 'bootstrap/app.php';
    $kernel = $app->make(Illuminate\Contracts\Http\Kernel::class);
    $kernel->bootstrap();
    $stop = false;
    pcntl_async_signals(true);
    pcntl_signal(SIGTERM, static function () use (&$stop): void { $stop = true; }, false);
    while (!$stop) {
        $read = [$server];
        $write = $except = null;
        if (@stream_select($read, $write, $except, 1) !== 1 || !($client = @stream_socket_accept($server, 0))) {
            continue;
        }
        stream_set_timeout($client, 5);
        if (($request = parsed($client)) !== null) {
            $app->instance('request', $request);
            $response = $kernel->handle($request);
            ob_start();
            $response->sendContent();
            $body = (string) ob_get_clean();
            $response->headers->set('Content-Length', (string) strlen($body));
            $response->headers->set('Connection', 'close');
            fwrite($client, "HTTP/1.1 {$response->getStatusCode()} OK\r\n{$response->headers}\r\n$body");
            $kernel->terminate($request, $response);
            // What one visitor's request has left behind must not be the next one's; a redirect keeps a session.
            foreach (['session', 'session.store', 'cookie', 'redirect',
                Illuminate\Session\Middleware\StartSession::class] as $name) {
                $app->forgetInstance($name);
            }
            Illuminate\Support\Facades\Facade::clearResolvedInstances();
        }
        fclose($client);
    }
}

function parsed($client): ?Illuminate\Http\Request
{
    if (preg_match('~^(\S+) (\S+) HTTP~', (string) fgets($client), $line) !== 1) {
        return null;
    }
    $server = ['REMOTE_ADDR' => explode(':', (string) stream_socket_get_name($client, true))[0]];
    while (($header = fgets($client)) !== false && trim($header) !== '') {
        [$name, $value] = explode(':', $header, 2);
        $key = strtoupper(strtr($name, '-', '_'));
        $server[in_array($key, ['CONTENT_TYPE', 'CONTENT_LENGTH'], true) ? $key : "HTTP_$key"] = trim($value);
    }
    $body = '';
    for ($left = (int) ($server['CONTENT_LENGTH'] ?? 0); $left > 0 && !feof($client); $left -= strlen($part)) {
        $body .= $part = (string) fread($client, min($left, 8192));
    }
    $form = str_starts_with($server['CONTENT_TYPE'] ?? '', 'application/x-www-form-urlencoded');
    parse_str($form ? $body : '', $fields);
    $cookies = [];
    foreach (array_filter(explode(';', $server['HTTP_COOKIE'] ?? '')) as $cookie) {
        [$name, $value] = explode('=', trim($cookie), 2) + [1 => ''];
        $cookies[$name] = urldecode($value);
    }
    return Illuminate\Http\Request::createFromBase(
        Symfony\Component\HttpFoundation\Request::create($line[2], $line[1], $fields, $cookies, [], $server, $body),
    );
}
