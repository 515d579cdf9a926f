<?php
// What a container of the application could reach and use that it ought not to: asked by the doctor, on standard input
// of a container that runs.
// Argument: JSON. Answers {"reached": […], "grants": […], "free": 0.5}

$asked = json_decode($argv[1], true, 512, JSON_THROW_ON_ERROR);
$answers = static function (string $address): bool {
    $socket = @stream_socket_client("tcp://$address", $code, $why, 1);
    return $socket !== false && fclose($socket);
};
$reached = array_keys(array_filter($asked['neighbours'], $answers));
if (array_filter($asked['metadata'], $answers) !== [] && !$answers($asked['nobody'])) {
    $reached[] = 'metadata';
}
$said = ['reached' => $reached, 'grants' => []];

$path = $asked['path'];
$total = @disk_total_space("$path/storage/app");
if ($total > 0) {
    $said['free'] = disk_free_space("$path/storage/app") / $total;
}
try {
    require "$path/vendor/autoload.php";
    $app = require "$path/bootstrap/app.php";
    $app->make(Illuminate\Contracts\Console\Kernel::class)->bootstrap();
    $schema = str_replace('_', '\_', (string) $app->make('db')->connection()->getDatabaseName());
    foreach ($app->make('db')->connection()->select('show grants') as $row) {
        $grant = (string) current((array) $row);
        // USAGE is no right; everything in its own schema is its own.
        if (preg_match('/^GRANT (.+?) ON (\S+) TO /', $grant, $found) && $found[1] !== 'USAGE'
            && !in_array($found[2], ["`$schema`.*", '`' . stripslashes($schema) . '`.*'], true)) {
            $said['grants'][] = "{$found[1]} on {$found[2]}";
        }
        if (str_contains($grant, 'WITH GRANT OPTION')) {
            $said['grants'][] = 'WITH GRANT OPTION';
        }
    }
} catch (Throwable) {
    // That it doesn't start, or has no database, another check says.
}
fwrite(STDOUT, "\n\x1e" . json_encode($said) . PHP_EOL);
