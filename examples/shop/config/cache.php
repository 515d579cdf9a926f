<?php

return [
    'default' => env('CACHE_STORE', env('CACHE_DRIVER', 'database')),
    'stores' => [
        'database' => ['driver' => 'database', 'table' => 'cache', 'connection' => null, 'lock_connection' => null],
        'file' => ['driver' => 'file', 'path' => storage_path('framework/cache/data')],
        'redis' => ['driver' => 'redis', 'connection' => 'cache', 'lock_connection' => 'default'],
    ],
    // Laravel 10 puts a colon behind it by itself, and later versions don't: without this one an upgrade has all
    // sessions in Redis forgotten.
    'prefix' => version_compare(app()->version(), '11', '<') ? 'shop_cache' : 'shop_cache:',
];
