<?php
// Asks PHP-FPM over FastCGI, as nginx would, and prints the body. One that is just starting is waited for a little.
// Usage: php fcgi.php HOST:PORT[,HOST:PORT…] PATH SCRIPT_FILENAME [TIMEOUT_SECONDS [body]]
//        several are asked at the same time, and each answer is a line after its address; `body`: standard input goes
// along
// exit 0: every status below 400; 1: anything else

require __DIR__ . '/fastcgi.php';

[, $addresses, $path, $script] = $argv + [3 => ''];
$body = ($argv[5] ?? '') === 'body' ? (string) stream_get_contents(STDIN) : '';
$answers = drydock_ask(explode(',', $addresses), $path, $script, (float) ($argv[4] ?? 5), $body);
$failed = false;
foreach ($answers as $address => [$well, $said]) {
    $failed = $failed || !$well;
    $line = count($answers) > 1 ? "$address " . trim($said) . PHP_EOL : $said . ($well ? '' : PHP_EOL);
    fwrite($well ? STDOUT : STDERR, $line);
}
exit($failed ? 1 : 0);
