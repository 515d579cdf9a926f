<?php
// Completes the record of a release with what only the running application knows: which migrations its image contains,
// and which have run.
// Standard input: the record so far, as JSON. Usage: php record.php APPLICATION_PATH        answers with the whole of
// it

require __DIR__ . '/answer.php';
require $argv[1] . '/vendor/autoload.php';
$record = json_decode((string) stream_get_contents(STDIN), true, 512, JSON_THROW_ON_ERROR);
$app = require $argv[1] . '/bootstrap/app.php';
$app->make(Illuminate\Contracts\Console\Kernel::class)->bootstrap();

$migrator = $app->make('migrator');
$record['migrations'] = [
    'contained' => array_keys($migrator->getMigrationFiles([$app->databasePath('migrations'), ...$migrator->paths()])),
    'applied' => (object) ($migrator->repositoryExists() ? $migrator->getRepository()->getMigrationBatches() : []),
];
drydock_answer($record);
