<?php
// Frees the lock that `migrate --isolated` holds for an hour when its process is killed. Only run when the one-off container
// that held it is known to be dead. php -- APPLICATION_PATH < unlock.php

require $argv[1] . '/vendor/autoload.php';
$app = require $argv[1] . '/bootstrap/app.php';
$app->make(Illuminate\Contracts\Console\Kernel::class)->bootstrap();
$app->make('cache')->store()->getStore()->lock('framework' . DIRECTORY_SEPARATOR . 'command-migrate', 1)->forceRelease();
echo "the lock of the interrupted migration is freed\n";
