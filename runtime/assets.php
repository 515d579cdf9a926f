<?php
// Makes the release's public files ready in the volume that nginx serves, in a folder of their own: nothing that is
// served changes by it.
//
// releases/RELEASE   all of the release's public files; what earlier ones have as well is linked, so that it takes no
// room
// hashed             files with a hash in their name, of this and earlier releases: pages that were loaded before the
// switch ask for them
// hashed.json        when each of these was last part of a release that was served or made ready, in seconds since 1970
//
// Comes after publicFiles.php, which says what there is ($entries) and what the arguments mean.

$remove = static function (string $path) use (&$remove): void {
    if (is_dir($path) && !is_link($path)) {
        foreach (scandir($path) ?: [] as $name) {
            $name === '.' || $name === '..' || $remove("$path/$name");
        }
        rmdir($path);
    } elseif (is_link($path) || file_exists($path)) {
        unlink($path);
    }
};
$fail = static function (string $path) use ($say): never {
    $why = error_get_last()['message'] ?? 'unknown';
    $say("public/$path could not be written to the volume: $why"
        . (str_contains($why, 'No space left') ? PHP_EOL . 'The disk of the Docker host is full: docker system df'
            : ''));
    exit(1);
};
$folder = static function (string $path, string $name) use ($fail, $remove): void {
    if (!is_dir($path) || is_link($path)) {
        $remove($path);
        @mkdir($path, 0755, true) || $fail($name);
    }
};
/**
 * Puts a file at its place, whole: linked from where the same is already, else copied. Answers whether it was new to
 * the volume.
 */
$place = static function (string $from, string $to, string $name, array $like) use ($fail, $remove): bool {
    $same = static fn (string $one): bool => is_file($one) && !is_link($one) && filesize($one) === filesize($from)
        && md5_file($one) === md5_file($from);
    if ($same($to)) {
        return false;
    }
    if (is_dir($to) && !is_link($to)) {
        $remove($to);
    }
    $beside = "$to.drydock-" . getmypid();
    foreach ($like as $one) {
        if ($same($one) && @link($one, $beside)) {
            rename($beside, $to) || $fail($name);
            return false;
        }
    }
    if (!@copy($from, $beside) || filesize($beside) !== filesize($from) || !chmod($beside, 0644)
        || !rename($beside, $to)) {
        $error = error_get_last();
        @unlink($beside);
        $fail($name);
    }
    return true;
};
$files = static function (string $folder) use (&$files): Generator {
    foreach (@scandir($folder) ?: [] as $name) {
        if ($name === '.' || $name === '..') {
            continue;
        }
        if (is_dir("$folder/$name") && !is_link("$folder/$name")) {
            foreach ($files("$folder/$name") as $path) {
                yield "$name/$path";
            }
        } elseif (is_file("$folder/$name") && !is_link("$folder/$name")) {
            yield $name;
        }
    }
};

umask(022);
$target = "$volume/releases/$release";
$earlier = array_values(array_filter(glob("$volume/releases/*", GLOB_ONLYDIR) ?: [],
    static fn ($one) => $one !== $target));
$copied = $unchanged = 0;
foreach (["$volume/releases", "$volume/hashed", $target] as $one) {
    $folder($one, '');
}
ksort($entries);
foreach ($entries as $path => [$kind, $from]) {
    $to = "$target/$path";
    if ($kind === 'folder') {
        $folder($to, $path);
    } elseif ($kind === 'link') {
        if (!is_link($to) || readlink($to) !== $from) {
            $remove($to);
            symlink($from, $to) || $fail($path);
        }
    } else {
        $like = array_map(static fn ($one) => "$one/$path", [...$earlier, "$volume/hashed", $volume]);
        $place($from, $to, $path, $like) ? $copied++ : $unchanged++;
    }
}
// What an earlier try for the same release left.
$sweep = static function (string $folder, string $at) use (&$sweep, $entries, $remove): void {
    foreach (scandir($folder) ?: [] as $name) {
        $path = ltrim("$at/$name", '/');
        if ($name === '.' || $name === '..') {
            continue;
        }
        if (!isset($entries[$path])) {
            $remove("$folder/$name");
        } elseif ($entries[$path][0] === 'folder') {
            $sweep("$folder/$name", $path);
        }
    }
};
$sweep($target, '');

// Hashed files: the days count from when they are no longer part of what is served.
$times = json_decode((string) @file_get_contents("$volume/hashed.json"), true);
$times = is_array($times) ? $times : [];
$own = ['.drydock', 'releases', 'hashed', 'hashed.json'];
// A version of Drydock before this one kept all files in the volume's top folder; nginx serves them until the switch.
$flat = array_filter(scandir($volume) ?: [], static fn ($name) => $name !== '.' && $name !== '..'
    && !in_array($name, $own, true));
$sources = [$target, ...$earlier,
    ...array_map(static fn ($name) => "$volume/$name",
        array_filter($flat, static fn ($name) => is_dir("$volume/$name") && !is_link("$volume/$name")))];
foreach ($sources as $source) {
    $prefix = dirname($source) === $volume ? basename($source) . '/' : '';
    foreach ($files($source) as $path) {
        $name = $prefix . $path;
        if ($isHashed($name)) {
            $folder(dirname("$volume/hashed/$name"), $name);
            // The newest release's, should two have the same name for different content.
            if ($source === $target || !is_file("$volume/hashed/$name")) {
                $place("$source/$path", "$volume/hashed/$name", $name, ["$source/$path"]);
            }
            // One that is neither served nor about to be has had its time set when it was.
            if ($source === $target || !in_array($source, $earlier, true)
                || in_array($serving, ['?', basename($source)], true)) {
                $times[$name] = time();
            }
        }
    }
}
$expired = 0;
foreach (iterator_to_array($files("$volume/hashed"), false) as $path) {
    if (($times[$path] ?? 0) < time() - (int) $days * 86400) {
        unlink("$volume/hashed/$path");
        unset($times[$path]);
        $expired++;
        for ($above = dirname($path); $above !== '.' && @rmdir("$volume/hashed/$above"); $above = dirname($above));
    }
}
file_put_contents("$volume/hashed.json.new", json_encode($times)) !== false
    && rename("$volume/hashed.json.new", "$volume/hashed.json") || $fail('hashed.json');

if ($serving !== '?') {
    foreach ($earlier as $one) {
        basename($one) === $serving || $remove($one);
    }
    if ($serving !== '') {
        foreach ($flat as $name) {
            $remove("$volume/$name");
        }
    }
}

// A folder that is kept begins with what the image has in it.
foreach ($persistent as $path => ['folder' => $at]) {
    if (is_dir("$app/$path") && array_diff(scandir($at) ?: [], ['.', '..', '.drydock']) === []) {
        foreach ($files("$app/$path") as $file) {
            $folder(dirname("$at/$file"), $file);
            copy("$app/$path/$file", "$at/$file");
        }
    }
}
echo json_encode(['copied' => $copied, 'unchanged' => $unchanged, 'expired' => $expired]), PHP_EOL;
