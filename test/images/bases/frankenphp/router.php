<?php
// What PHP's own server asks for each request: the application, as a web server would.
$_SERVER['SCRIPT_NAME'] = '/index.php';
$_SERVER['SCRIPT_FILENAME'] = '/var/www/html/public/index.php';
require $_SERVER['SCRIPT_FILENAME'];
