<?php
// Adds the release's public files to the volume that nginx serves. Files of earlier releases stay: a page that was loaded before
// the switch still asks for its own hashed files after it. Each file arrives whole (written beside, then renamed).
// php -- PUBLIC_FOLDER VOLUME STORAGE_LINK_TARGET < assets.php

[, $from, $to, $storage] = $argv;
$copied = $kept = 0;

$add = static function (string $folder) use (&$add, &$copied, &$kept, $from, $to): void {
    foreach (scandir("$from/$folder") ?: [] as $name) {
        $path = ltrim("$folder/$name", '/');
        if ($name === '.' || $name === '..' || $path === 'storage' || str_ends_with($name, '.php')) {
            continue; // public/storage is a link of its own container, and PHP is run by FPM, never served
        }
        if (is_dir("$from/$path")) {
            is_dir("$to/$path") || mkdir("$to/$path", 0755, true) || throw new RuntimeException("cannot make $to/$path");
            $add($path);
            continue;
        }
        if (is_file("$to/$path") && filesize("$to/$path") === filesize("$from/$path") && md5_file("$to/$path") === md5_file("$from/$path")) {
            $kept++;
            continue;
        }
        $beside = "$to/$path.drydock-" . getmypid();
        if (!@copy("$from/$path", $beside) || filesize($beside) !== filesize("$from/$path") || !chmod($beside, 0644) || !rename($beside, "$to/$path")) {
            @unlink($beside);
            fwrite(STDERR, "public/$path could not be written to the volume: " . (error_get_last()['message'] ?? 'unknown') . PHP_EOL
                . 'Is the disk of the Docker host full? (docker system df)' . PHP_EOL);
            exit(1);
        }
        $copied++;
    }
};
$add('');

if (@readlink("$to/storage") !== $storage) {
    @unlink("$to/.storage.new");
    symlink($storage, "$to/.storage.new");
    rename("$to/.storage.new", "$to/storage");
}
echo json_encode(['copied' => $copied, 'unchanged' => $kept]), PHP_EOL;
