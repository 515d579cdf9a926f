<?php
// Says which migrations of this release have not run yet, without running any. Runs as the one-off container's command:
// php /drydock/pending.php APPLICATION_PATH      prints {"pending": ["2026_…", …], "tables": count}

require $argv[1] . '/vendor/autoload.php';
$app = require $argv[1] . '/bootstrap/app.php';
$app->make(Illuminate\Contracts\Console\Kernel::class)->bootstrap();

$migrator = $app->make('migrator');
$files = array_keys($migrator->getMigrationFiles([$app->databasePath('migrations'), ...$migrator->paths()]));
$ran = $migrator->repositoryExists() ? $migrator->getRepository()->getRan() : [];
$tables = count($app->make('db')->connection()->getSchemaBuilder()->getTables());

echo json_encode(['pending' => array_values(array_diff($files, $ran)), 'tables' => $tables]), PHP_EOL;
