<?php

namespace App\Console\Commands;

use Illuminate\Console\Command;

/**
 * A small websocket server, in the place of Reverb: a client hears at once which release it is connected to, and gets
 * back what it sends.
 * Told to stop, it says goodbye to all clients (close code 1001), which then connect again.
 */
class SocketsCommand extends Command
{
    protected $signature = 'sockets:start {--port=8081}';

    protected $description = 'Serve websockets';

    /** @var array<int, resource> */
    private array $clients = [];

    private bool $stopping = false;

    public function handle(): int
    {
        $server = stream_socket_server("tcp://0.0.0.0:{$this->option('port')}")
            ?: throw new \RuntimeException('cannot listen');
        pcntl_async_signals(true);
        pcntl_signal(SIGTERM, fn () => $this->stopping = true);
        $this->info('websockets on port '.$this->option('port'));
        while (! $this->stopping) {
            $read = [$server, ...$this->clients];
            $write = $except = null;
            if (@stream_select($read, $write, $except, 1) > 0) {
                foreach ($read as $socket) {
                    $socket === $server ? $this->accept($server) : $this->answer($socket);
                }
            }
        }
        fclose($server);
        foreach ($this->clients as $client) {
            $this->send($client, pack('n', 1001), 0x8);
        }
        usleep(200_000);

        return self::SUCCESS;
    }

    private function accept($server): void
    {
        $client = @stream_socket_accept($server, 1);
        if ($client === false) {
            return;
        }
        stream_set_timeout($client, 2);
        $head = '';
        while (($line = fgets($client)) !== false && trim($line) !== '') {
            $head .= $line;
        }
        if (preg_match('/^Sec-WebSocket-Key:\s*(\S+)/mi', $head, $key) !== 1) {
            @fwrite($client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nup");
            fclose($client);

            return;
        }
        $accept = base64_encode(sha1($key[1].'258EAFA5-E914-47DA-95CA-C5AB0DC85B11', true));
        fwrite($client, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            . "Sec-WebSocket-Accept: $accept\r\n\r\n");
        $this->clients[(int) $client] = $client;
        $this->send($client, (string) config('app.release'));
    }

    /** One short frame of a client, which is always masked. */
    private function answer($client): void
    {
        $head = (string) fread($client, 2);
        if (strlen($head) < 2 || (ord($head[0]) & 0x0F) === 0x8) {
            unset($this->clients[(int) $client]);
            fclose($client);

            return;
        }
        $size = ord($head[1]) & 0x7F;
        $mask = (string) fread($client, 4);
        $text = $size > 0 && $size < 126 ? (string) fread($client, $size) : '';
        $this->send($client, $text ^ str_pad('', strlen($text), $mask), (ord($head[0]) & 0x0F) === 0x9 ? 0xA : 0x1);
    }

    private function send($client, string $text, int $kind = 0x1): void
    {
        @fwrite($client, chr(0x80 | $kind).chr(strlen($text)).$text);
    }
}
