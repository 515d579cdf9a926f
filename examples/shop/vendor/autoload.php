<?php

/*
 * Stands in for Composer's autoloader where its registry can't be reached: Laravel comes from Debian's
 * php-laravel-framework,
 * the application's classes from their folders. `composer install` writes its own file over this one, and nothing else
 * changes.
 */

require_once '/usr/share/php/Illuminate/autoload.php';

spl_autoload_register(function (string $class): void {
    if (str_starts_with($class, 'App\\')) {
        $file = __DIR__.'/../app/'.str_replace('\\', '/', substr($class, 4)).'.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
