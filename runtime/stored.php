<?php
// Asked by nginx for a file below a public folder that its own user may not read: Laravel's private visibility makes
// folders that only
// the application's user can enter. What lies there is public all the same, so it is opened to nginx, which then serves
// it itself;
// what isn't there, is a link, or can't be opened, is Laravel's to answer.

(static function (): void {
    $path = rawurldecode((string) parse_url($_SERVER['REQUEST_URI'] ?? '', PHP_URL_PATH));
    $public = $_SERVER['DOCUMENT_ROOT'];
    foreach (['storage', ...array_filter(explode(':', $_SERVER['DRYDOCK_STORED'] ?? ''))] as $folder) {
        if (str_starts_with($path, "/$folder/")) {
            $base = $folder === 'storage' ? dirname($public) . '/storage/app/public' : "$public/$folder";
            $below = substr($path, strlen("/$folder"));
        }
    }
    // A link anywhere in it, or a `..`, makes another path of it.
    if (!isset($base) || !is_file($base . $below) || realpath($base . $below) !== realpath($base) . $below) {
        return;
    }
    $file = $base . $below;
    $opened = false;
    for ($one = $file, $needed = 0004; strlen($one) > strlen($base); $one = dirname($one), $needed = 0005) {
        $mode = fileperms($one) & 0777;
        if (($mode & $needed) !== $needed) {
            $opened = @chmod($one, $mode | $needed) || $opened;
        }
    }
    // Once: what nginx can't read after that, it won't the next time.
    if ($opened) {
        // Its type is nginx's to say.
        ini_set('default_mimetype', '');
        header('X-Accel-Redirect: ' . implode('/', array_map(rawurlencode(...), explode('/', $path))));
        exit;
    }
})();

// Its own address and name, as if nginx had asked for it in the first place.
$_SERVER['SCRIPT_FILENAME'] = $_SERVER['DOCUMENT_ROOT'] . '/index.php';
require $_SERVER['SCRIPT_FILENAME'];
