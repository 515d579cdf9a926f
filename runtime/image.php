<?php
// Says what an image lacks that Laravel or Drydock needs, before anything is changed. The first half of the look into
// the image, which
// preflight.php goes on with: a file of its own, that PHP 7 can read, too.
// Usage: php /drydock/image.php APPLICATION_PATH HORIZON OWN_START USER FOLDER
// HORIZON: 1 where the stack runs it; OWN_START: 1 where the image's own start is used; USER: whom the image runs as;
// FOLDER: its WORKDIR
// Exit 0: nothing, 3: it is said on standard error

[, $path, $horizon, $start, $user, $folder] = $argv;
$lacks = [];
$say = static fn (string $line) => fwrite(STDERR, "image: $line" . PHP_EOL);

$own = ids($user);
if ($own !== null && $own[0] !== 0 && $own[0] !== posix_uid()) {
    $line = "it is made to run as $user (uid $own[0], gid $own[1]), and drydock:app.uid is " . posix_uid()
        . ". Set both: pulumi config set --path drydock:app.uid $own[0]; "
        . "pulumi config set --path drydock:app.gid $own[1]";
    // A start of the image's own writes where that user may.
    $start === '1' ? $lacks[] = $line : $say($line);
}
if (PHP_VERSION_ID < 80200) {
    $lacks[] = 'PHP is ' . PHP_VERSION . ': 8.2 or later is needed';
}
$absent = [];
foreach (['vendor/autoload.php', 'bootstrap/app.php', 'artisan', 'public/index.php'] as $file) {
    if (is_readable("$path/$file")) {
        continue;
    }
    if (is_file("$path/$file") || (is_dir($path) && !is_executable($path))) {
        $lacks[] = "$path/$file can't be read by uid " . posix_uid() . ': its files belong to ' . owner($path)
            . ' (COPY --chown, or drydock:app.uid and app.gid)';
    } else {
        $absent[] = $file;
    }
}
if (in_array('artisan', $absent, true)) {
    $lacks[] = "there is no application in $path" . (is_file("$folder/artisan")
        ? "; it is in $folder, where the image says that it works (WORKDIR): "
            . "pulumi config set --path drydock:app.path $folder"
        : ': drydock:app.path says where it is');
} elseif ($absent !== []) {
    $lacks[] = 'of the application in ' . $path . ' these are missing: ' . implode(', ', $absent)
        . (in_array('vendor/autoload.php', $absent, true) ? ' (vendor/: composer install in the Dockerfile)' : '');
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
        . ': what the application makes in it beside app, framework and logs fails (COPY --chown; what is to last: '
            . 'drydock:app.persistent)');
}
exit($lacks === [] ? 0 : 3);

function posix_uid(): int
{
    return function_exists('posix_geteuid') ? posix_geteuid() : (int) (stat('/proc/self')['uid'] ?? -1);
}

/** uid and gid of what a Dockerfile's USER says: NAME, ID, with or without a group; null where nobody has that name. */
function ids(string $user): ?array
{
    [$who, $group] = explode(':', "$user:");
    if ($who === '') {
        return null;
    }
    $gid = id($group, '/etc/group');
    foreach (@file('/etc/passwd') ?: [] as $line) {
        $fields = explode(':', $line);
        if (isset($fields[3]) && ($fields[0] === $who || $fields[2] === $who)) {
            return [(int) $fields[2], $gid ?? (int) $fields[3]];
        }
    }
    return ctype_digit($who) ? [(int) $who, $gid ?? (int) $who] : null;
}

/** The id of a name in a file such as /etc/group. */
function id(string $name, string $file): ?int
{
    foreach (@file($file) ?: [] as $line) {
        $fields = explode(':', $line);
        if (isset($fields[2]) && $fields[0] === $name) {
            return (int) $fields[2];
        }
    }
    return ctype_digit($name) ? (int) $name : null;
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
