<?php
// Health check of a replica: its PHP-FPM answers. Before it says so for the first time, OPcache gets what the replicas
// that serve have in theirs:
// whatever is missing there is compiled while a visitor waits (55 ms on an idle machine for the first one who writes a
// row).
// Usage: php ready.php HOST:PORT PATH SCRIPT_FILENAME
// exit 0: the status is below 400; 1: anything else

require __DIR__ . '/fastcgi.php';

[, $own, $path, $script] = $argv;
[[$well, $said]] = array_values(drydock_ask([$own], $path, $script, 5));
fwrite($well ? STDOUT : STDERR, $said . PHP_EOL);
if (!$well) {
    exit(1);
}

// New at each start, like OPcache. A replica that couldn't be prepared is as good as any was without: it is not tried
// twice.
$mark = '/dev/shm/prepared';
if (!is_file($mark) && @touch($mark)) {
    // Of a name that isn't there, Docker asks the resolvers outside; where they don't answer, that would take ten
    // seconds.
    putenv('RES_OPTIONS=timeout:1 attempts:1');
    $proxy = @file_get_contents('http://proxy:8090/replicas', false,
        stream_context_create(['http' => ['timeout' => 1]]));
    $serving = array_filter(explode(',', trim((string) $proxy)));
    shuffle($serving);
    $scripts = [];
    // Two, because one may itself be new.
    foreach (drydock_ask(array_slice($serving, 0, 2), '/scripts', __DIR__ . '/opcache.php', 2, patience: 0) as [$well,
        $said]) {
        $list = $well ? json_decode($said, true) : null;
        $scripts += is_array($list) && array_is_list($list) ? array_flip(array_filter($list, is_string(...))) : [];
    }
    if ($scripts !== []) {
        drydock_ask([$own], '/compile', __DIR__ . '/opcache.php', 3, json_encode(array_keys($scripts)));
    }
}
