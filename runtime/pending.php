<?php
// Says which migrations of this image have not run yet and which SQL they would run, without running any. Runs as a
// one-off container's command.
// php /drydock/pending.php APPLICATION_PATH               the pending ones: {"pending": […], "dump": the schema's dump
// that is loaded first,
//                                                         "tables": count, "migrations": [{name, statements, …}], …}
// php /drydock/pending.php APPLICATION_PATH down=A,B      what rolling these back would run, in this order:
// {"migrations": […], …}

require __DIR__ . '/answer.php';
require __DIR__ . '/masked.php';

[, $path, $mode] = $argv + [2 => ''];
require $path . '/vendor/autoload.php';
$app = require $path . '/bootstrap/app.php';
$app->make(Illuminate\Contracts\Console\Kernel::class)->bootstrap();

$migrator = $app->make('migrator');
$files = $migrator->getMigrationFiles([$app->databasePath('migrations'), ...$migrator->paths()]);
$applied = $migrator->repositoryExists() ? $migrator->getRepository()->getMigrationBatches() : [];
[$kind, $names] = explode('=', $mode . '=', 3);
$names = array_values(array_filter(explode(',', $names)));

$pending = array_diff(array_keys($files), array_keys($applied));
$db = $app->make('db');
// Laravel loads it before the first migration.
$beginning = $app->databasePath("schema/{$db->connection()->getName()}-schema");
$dumps = ["$beginning.dump", "$beginning.sql"];
$dump = $applied === [] ? (array_values(array_filter($dumps, is_file(...)))[0] ?? null) : null;
$tables = count($db->connection()->getSchemaBuilder()->getTables());

// A rehearsal runs the PHP of a migration: what it does beside the SQL of its own connection must come to nothing.
$app->make('config')->set(['queue.default' => 'null', 'mail.default' => 'array', 'cache.default' => 'array']);
$readOnly = static function ($connection): void {
    if (in_array($connection->getDriverName(), ['mysql', 'mariadb'], true)) {
        $connection->getPdo()->exec('SET SESSION TRANSACTION READ ONLY');
    }
};
$app->make('events')->listen(Illuminate\Database\Events\ConnectionEstablished::class,
    static fn ($event) => $readOnly($event->connection));
$readOnly($db->connection());

$columns = static function (array $statements) use ($db): array {
    $found = [];
    foreach ($statements as $sql) {
        if (preg_match('/^\s*alter\s+table\s+(?:`[^`]+`\.)?`?([^`\s]+)`?\s+(?:modify|change)\b/i', $sql, $match)) {
            // The name in the statement has Laravel's prefix already.
            $prefix = $db->connection()->getTablePrefix();
            $table = $prefix !== '' && str_starts_with($match[1], $prefix) ? substr($match[1], strlen($prefix))
                : $match[1];
            foreach ($db->connection()->getSchemaBuilder()->getColumns($table) as $column) {
                $found[strtolower($match[1])][strtolower($column['name'])] = [
                    'type' => $column['type'], 'nullable' => $column['nullable'],
                    'hasDefault' => $column['default'] !== null || $column['auto_increment']
                        || ($column['generation'] ?? null) !== null,
                ];
            }
        }
    }
    return $found;
};

// What is cut ends in a comment that is left open: nobody takes it for the whole.
$cut = static fn (string $sql): string => mb_scrub(mb_strlen($sql) <= 16000 ? $sql : mb_substr($sql, 0, 16000)
    . ' /* cut');

$rehearse = static function (string $name, string $method) use ($migrator, $files, $columns, $cut): array {
    $said = ['name' => $name, 'statements' => []];
    // What a migration prints must not get between the lines of the answer.
    ob_start();
    try {
        if (!isset($files[$name])) {
            throw new RuntimeException('its file is not in this image');
        }
        $migration = (fn () => $this->resolvePath($files[$name]))->call($migrator);
        $said['contract'] = ($migration->drydockContract ?? false) === true;
        $queries = (fn () => $this->getQueries($migration, $method))->call($migrator);
        $said['statements'] = array_map(static fn (array $query): string => $cut($query['query']), $queries);
        $said['columns'] = (object) $columns($said['statements']);
    } catch (Throwable $error) {
        $said['error'] = mb_scrub(mb_substr(drydock_masked($error)->getMessage(), 0, 300));
    } finally {
        ob_end_clean();
    }
    return $said;
};

$wanted = $kind === 'down' ? $names : array_values($pending);
drydock_answer([
    'pending' => array_values($pending),
    'dump' => $dump,
    'tables' => $tables,
    'migrations' => array_map(static fn (string $name): array => $rehearse($name, $kind === 'down' ? 'down' : 'up'),
        $wanted),
    'contained' => array_keys($files),
    'applied' => (object) $applied,
]);
