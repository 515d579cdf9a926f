<?php
// Reads which public files the image has, and where its links lead. The first half of what makes them ready: see
// assets.php.
//
// php -- APPLICATION RELEASE SERVING DAYS HASHED PERSISTENT, with publicFiles.php and then assets.php on standard input
// SERVING: the release that is served, empty: none, `?`: not known; DAYS: how long hashed files stay; HASHED: which
// ones these are
// PERSISTENT: {"public/uploads": {"folder": where its volume is mounted now, "public": whether nginx serves it}}

[, $app, $release, $serving, $days, $hashed, $persistent] = $argv;
$persistent = json_decode($persistent, true, 8, JSON_THROW_ON_ERROR);
$volume = '/public';
$public = "$app/public";
$isHashed = static fn (string $path): bool => preg_match("~$hashed~", $path) === 1;
// A script on standard input has no constant STDERR.
$say = static fn (string $line) => file_put_contents('php://stderr', "assets: $line" . PHP_EOL);
$within = static fn (string $path, string $folder): bool => $path === $folder || str_starts_with($path, "$folder/");

/** A path without `.` and `..`, whether it is there or not. */
$plain = static function (string $path): string {
    $parts = [];
    foreach (explode('/', $path) as $part) {
        if ($part === '..') {
            array_pop($parts);
        } elseif ($part !== '' && $part !== '.') {
            $parts[] = $part;
        }
    }
    return '/' . implode('/', $parts);
};

// What the release has: path => [kind, where it is or leads to].
$entries = [];
$kept = array_filter(array_keys($persistent), static fn (string $path): bool => $persistent[$path]['public']);
/** Whether what is there is kept from release to release, and is in the proxy at the same path. */
$isStored = static fn (string $path): bool => $within($path, "$app/storage/app")
    || array_filter($kept, static fn (string $folder): bool => $within($path, "$app/$folder")) !== [];

$walk = static function (string $from, string $to, array $above) use (&$walk, &$entries, $app, $public, $plain, $within,
    $isStored, $say, $persistent): void {
    foreach (scandir($from) ?: [] as $name) {
        $source = "$from/$name";
        $path = ltrim("$to/$name", '/');
        if ($path === 'storage' || isset($persistent["public/$path"]) || str_ends_with(strtolower($name), '.php')
            || (str_starts_with($name, '.') && $name !== '.well-known')) {
            continue; // PHP is run by FPM, never served; nothing with a dot is
        }
        if (is_link($source)) {
            $text = (string) readlink($source);
            $target = $plain(str_starts_with($text, '/') ? $text : "$from/$text");
            $real = realpath($source);
            if ($isStored($target)) {
                if (str_contains($path, '/')) {
                    $say("public/$path is left out: only a link in public/ itself can "
                        . "lead into what is stored ($text)");
                } else {
                    $entries[$path] = ['link', $target];
                }
                continue;
            }
            $allowed = $real !== false && array_filter(
                [realpath($public),
                    ...array_map(static fn ($folder) => realpath("$app/$folder"),
                        ['vendor', 'node_modules', 'resources'])],
                static fn ($folder) => $folder !== false && str_starts_with($real, "$folder/"),
            ) !== [];
            if (!$allowed || in_array($real, $above, true)) {
                $why = $real === false ? 'which is not there'
                    : ($allowed || $within($public, $real) ? 'which holds the link itself' : 'which is no public file');
                $say("public/$path is left out: it is a link to $text, $why");
                continue;
            }
        }
        if (is_dir($source)) {
            $entries[$path] = ['folder', ''];
            $walk((string) realpath($source), $path, [...$above, realpath($source)]);
        } elseif (is_file($source)) {
            $entries[$path] = ['file', $source];
        }
    }
};
if (is_dir($public)) {
    $walk($public, '', [realpath($public)]);
} else {
    $say("the image has no folder $public: there are no public files");
}

// The links of config/filesystems.php, which `artisan storage:link` makes elsewhere.
$links = (static function (string $app) use ($say): array {
    // What a configuration may call, as far as links go; the application's own environment is not here.
    function env(string $name, mixed $default = null): mixed {
        return $default instanceof Closure ? $default() : $default;
    }
    function public_path(string $path = ''): string {
        return rtrim("{$GLOBALS['app']}/public/" . ltrim($path, '/'), '/');
    }
    function storage_path(string $path = ''): string {
        return rtrim("{$GLOBALS['app']}/storage/" . ltrim($path, '/'), '/');
    }
    function base_path(string $path = ''): string { return rtrim("{$GLOBALS['app']}/" . ltrim($path, '/'), '/'); }
    $file = "$app/config/filesystems.php";
    if (!is_file($file)) {
        return [];
    }
    ob_start();
    try {
        is_file("$app/vendor/autoload.php") && require_once "$app/vendor/autoload.php";
        $config = (static fn () => require $file)();
        return array_filter(is_array($config['links'] ?? null) ? $config['links'] : [], 'is_string');
    } catch (Throwable $error) {
        $say('the links of config/filesystems.php could not be read: ' . $error->getMessage());
        return [];
    } finally {
        ob_end_clean();
    }
})($app);
foreach ($links as $link => $target) {
    [$link, $target] = [$plain((string) $link), $plain($target)];
    $path = substr($link, strlen("$public/"));
    if ($path === 'storage' || isset($entries[$path])) {
        continue;
    }
    if (!str_starts_with($link, "$public/") || str_contains($path, '/') || !$isStored($target)) {
        $say("the link $link of config/filesystems.php is left out: only one in public/ itself, "
            . "to what is stored in storage/app, can be made");
    } else {
        $entries[$path] = ['link', $target];
    }
}
$entries['storage'] = ['link', "$app/storage/app/public"];
foreach ($kept as $folder) {
    if (str_starts_with($folder, 'public/')) {
        $path = substr($folder, strlen('public/'));
        for ($above = dirname($path); $above !== '.'; $above = dirname($above)) {
            $entries[$above] = ['folder', ''];
        }
        $entries[$path] = ['link', "$app/$folder"];
    }
}
?>
