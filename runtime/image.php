<?php
// Says what an image lacks that Laravel or Drydock needs, before anything is changed. Run in the image, as the user of the containers:
// php -- APPLICATION_PATH HORIZON < image.php      HORIZON: 1 where the stack runs workers; exit 0: nothing, 1: it is said on standard error

[, $path, $horizon] = $argv;
$lacks = [];
$say = static fn (string $line) => fwrite(STDERR, "image: $line" . PHP_EOL);

if (PHP_VERSION_ID < 80200) {
    $lacks[] = 'PHP is ' . PHP_VERSION . ': 8.2 or later is needed';
}
foreach (['vendor/autoload.php', 'bootstrap/app.php', 'artisan', 'public/index.php'] as $file) {
    if (!is_readable("$path/$file")) {
        $lacks[] = is_file("$path/$file") || !is_executable($path)
            ? "$path/$file can't be read by uid " . posix_uid() . ': its files belong to ' . owner($path) . ' (COPY --chown, or drydock:app.uid and app.gid)'
            : "$path/$file isn't there: is drydock:app.path right?";
    }
}
$how = 'add it to the image: docker-php-ext-install (official images), install-php-extensions, or the package php-…';
if (!extension_loaded('pdo_mysql')) {
    $lacks[] = "the extension pdo_mysql is missing, for the database; $how";
}
if (!extension_loaded('redis') && !is_dir("$path/vendor/predis/predis")) {
    $lacks[] = "the extension redis (phpredis) is missing, for cache, sessions and queues; $how (pecl install redis)";
}
// Horizon stops its workers with signals, and is not started without.
if ($horizon === '1' && is_dir("$path/vendor/laravel/horizon")) {
    foreach (['pcntl', 'posix'] as $extension) {
        if (!extension_loaded($extension)) {
            $lacks[] = "the extension $extension is missing, for Horizon; $how";
        }
    }
}
foreach ($lacks as $line) {
    $say($line);
}
// No reason to stop: Laravel's own folders are memory or a volume.
if ($lacks === [] && is_dir("$path/storage") && !writable("$path/storage")) {
    $say("$path/storage belongs to " . owner("$path/storage") . ' and can\'t be written to by uid ' . posix_uid()
        . ': what the application makes in it beside app, framework and logs fails (COPY --chown; what is to last: drydock:app.persistent)');
}
exit($lacks === [] ? 0 : 1);

function posix_uid(): int
{
    return function_exists('posix_geteuid') ? posix_geteuid() : (int) (stat('/proc/self')['uid'] ?? -1);
}

/** By owner, group and permissions: this container's own root can't be written at all. */
function writable(string $path): bool
{
    $stat = @stat($path);
    $process = @stat('/proc/self');
    if ($stat === false || $process === false) {
        return true;
    }
    $bits = $stat['uid'] === $process['uid'] ? 0200 : ($stat['gid'] === $process['gid'] ? 0020 : 0002);

    return ($stat['mode'] & $bits) !== 0;
}

function owner(string $path): string
{
    $stat = @stat($path);
    return $stat === false ? 'nobody who can be seen' : "uid {$stat['uid']}";
}
