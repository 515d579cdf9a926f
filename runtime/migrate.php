<?php
// Runs the pending migrations, once they may: nobody else migrates this schema, and what Laravel needs for it is here.
// Or rolls some back.
// Usage: php /drydock/migrate.php APPLICATION_PATH LOCK_SECONDS [NAMES]      NAMES: migrations that wait for the next
// release, with commas
//        php /drydock/migrate.php APPLICATION_PATH LOCK_SECONDS rollback=COUNT
// exit 75: somebody else is migrating; else that of the artisan command, 1 where it throws

require __DIR__ . '/masked.php';

[, $path, $patience, $held] = $argv + [3 => ''];
$back = str_starts_with($held, 'rollback=') ? substr($held, strlen('rollback=')) : null;
$fail = static function (string $why, int $code = 1): never {
    fwrite(STDERR, "migrate: $why" . PHP_EOL);
    exit($code);
};

require __DIR__ . '/stores.php';
require "$path/vendor/autoload.php";
$app = require "$path/bootstrap/app.php";
// As in the containers, where the cached configuration has it: a migration may clear what the application caches.
$app->afterBootstrapping(Illuminate\Foundation\Bootstrap\LoadConfiguration::class, static function ($app): void {
    $config = $app->make('config');
    $config->set(drydock_stores($config->all(), ...drydock_servers()));
});
$kernel = $app->make(Illuminate\Contracts\Console\Kernel::class);
$kernel->bootstrap();

/**
 * A statement that changes a table waits for everybody who reads it, and everybody who comes later waits for the
 * statement: after a few
 * seconds it lets them through, and is tried again. Given up at once, it would leave a migration half done.
 */
trait DrydockPatience
{
    protected function runQueryCallback($query, $bindings, Closure $callback)
    {
        for ($try = 1;; $try++) {
            try {
                return parent::runQueryCallback($query, $bindings, $callback);
            } catch (Illuminate\Database\QueryException $error) {
                $waited = str_contains($error->getMessage(), ' 1205 ')
                    && preg_match('/^\s*(alter|create|drop|rename|truncate|optimize)\b/i', $query);
                if (!$waited || $try === 6) {
                    throw $error;
                }
                fwrite(STDERR, sprintf("migrate: waits for a table that others are using: %s … (%s); try %d of 6\n",
                    preg_replace('/\s+/', ' ', substr(trim($query), 0, 60)), $this->drydockOthers(), $try + 1));
                sleep(5);
            }
        }
    }

    /** Who is connected with the application's account, without what they run. */
    private function drydockOthers(): string
    {
        try {
            $rows = $this->getPdo()->query('select id, host, command, time from information_schema.processlist '
                . 'where id <> connection_id()');
            $said = array_map(static fn (array $row): string => sprintf('connection %d from %s, %s since %d s',
                ...array_values($row)),
                array_slice($rows->fetchAll(PDO::FETCH_ASSOC), 0, 5));
            return implode('; ', $said) ?: 'nobody of this account';
        } catch (Throwable) {
            return 'it is not known who';
        }
    }
}
$resolve = static function (string $driver, string $class): void {
    // An application that has its own connection keeps it.
    Illuminate\Database\Connection::getResolver($driver) === null
        && Illuminate\Database\Connection::resolverFor($driver, static fn (...$arguments) => new $class(...$arguments));
};
if (class_exists(Illuminate\Database\MySqlConnection::class)) {
    class DrydockMySql extends Illuminate\Database\MySqlConnection { use DrydockPatience; }
    $resolve('mysql', DrydockMySql::class);
}
if (class_exists(Illuminate\Database\MariaDbConnection::class)) {
    class DrydockMariaDb extends Illuminate\Database\MariaDbConnection { use DrydockPatience; }
    $resolve('mariadb', DrydockMariaDb::class);
}
$servers = ['mysql', 'mariadb'];
$app->make('events')->listen(Illuminate\Database\Events\ConnectionEstablished::class,
    static function ($event) use ($servers, $patience): void {
    if (in_array($event->connection->getDriverName(), $servers, true)) {
        $event->connection->getPdo()->exec('SET SESSION lock_wait_timeout = ' . (int) $patience);
    }
});
// What was connected while the application booted has none of this yet.
$db = $app->make('db');
array_map($db->purge(...), array_keys($db->getConnections()));
$connection = $db->connection();

// In the database itself: it is free as soon as who holds it is gone, and needs no table that a migration is yet to
// make.
if (in_array($connection->getDriverName(), $servers, true)) {
    $lock = 'drydock-migrate-' . substr(hash('sha256', (string) $connection->getDatabaseName()), 0, 16);
    $got = $connection->selectOne('select get_lock(?, 0) as got, is_used_lock(?) as holder', [$lock, $lock]);
    (int) $got->got === 1 || $fail("connection {$got->holder} of the database is migrating this schema", 75);
}

$migrator = $app->make('migrator');
// Laravel loads a dump of the schema before the first migration, with the server's own client.
if (!$migrator->hasRunAnyMigrations()) {
    foreach (['dump', 'sql'] as $ending) {
        $dump = $app->databasePath("schema/{$connection->getName()}-schema.$ending");
        if (is_file($dump)) {
            $client = str_contains(get_class($connection->getSchemaState()), 'MariaDb') ? 'mariadb' : 'mysql';
            (new Symfony\Component\Process\ExecutableFinder())->find($client) !== null
                || $fail("$dump has to be loaded, and Laravel does that with the program "
                    . "`$client`, which this image does not have. "
                    . "Install it in the image: apt-get install $client-client (alpine: apk add mariadb-client)");
            break;
        }
    }
}

$options = ['--force' => true, ...($back === null ? [] : ['--step' => $back])];
if ($back === null && $held !== '') {
    $files = $migrator->getMigrationFiles([$app->databasePath('migrations'), ...$migrator->paths()]);
    $applied = $migrator->repositoryExists() ? $migrator->getRepository()->getRan() : [];
    $wanted = array_diff(array_keys($files), $applied, explode(',', $held));
    if ($wanted === []) {
        echo 'every pending migration waits for the next release', PHP_EOL;
        exit(0);
    }
    // Laravel runs single files when it is given them.
    $options += ['--realpath' => true,
        '--path' => array_values(array_map(static fn (string $name): string => $files[$name], $wanted))];
}
$output = new Symfony\Component\Console\Output\ConsoleOutput();
try {
    exit($kernel->call($back === null ? 'migrate' : 'migrate:rollback', $options, $output));
} catch (Throwable $error) {
    // Reported as Laravel would, and shown as it would be.
    $app->make(Illuminate\Contracts\Debug\ExceptionHandler::class)->report(drydock_masked($error));
    (new Symfony\Component\Console\Application())->renderThrowable($error, $output->getErrorOutput());
    exit(1);
}
