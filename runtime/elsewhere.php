<?php
// Asks a database or Redis that is not the stack's own, with what Laravel will have. Included by preflight.php.

/**
 * Why a server can't be used, in words that hold no value; null where it can.
 *
 * @param callable(string): ?string $value a variable's value
 */
function drydock_unusable(string $what, callable $value): ?string
{
    $prefix = $what === 'database' ? 'DB' : 'REDIS';
    $host = (string) $value("{$prefix}_HOST");
    $port = (int) $value("{$prefix}_PORT");
    if (!filter_var($host, FILTER_VALIDATE_IP) && gethostbynamel($host) === false) {
        return 'its name does not resolve';
    }
    if (($socket = @stream_socket_client('tcp://' . (str_contains($host, ':') ? "[$host]" : $host) . ":$port", $code,
        $why, 5)) === false) {
        return "nothing answers there ($why)";
    }
    fclose($socket);
    $said = [];
    set_error_handler(static function (int $level, string $message) use (&$said): bool {
        $said[] = $message;
        return true;
    });
    try {
        return $what === 'database' ? drydock_ask_database($host, $port, $value)
            : drydock_ask_redis($host, $port, $value);
    } catch (Throwable $error) {
        return drydock_reason($what, $error, implode("\n", [...$said, $error->getMessage()]));
    } finally {
        restore_error_handler();
    }
}

function drydock_ask_database(string $host, int $port, callable $value): ?string
{
    $ca = (string) $value('MYSQL_ATTR_SSL_CA');
    $option = PHP_VERSION_ID >= 80400 ? Pdo\Mysql::ATTR_SSL_CA : PDO::MYSQL_ATTR_SSL_CA;
    $options = [PDO::ATTR_TIMEOUT => 8, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION] + ($ca === '' ? []
        : [$option => $ca]);
    $name = $value('DB_DATABASE');
    $pdo = new PDO("mysql:host=$host;port=$port;dbname=$name", (string) $value('DB_USERNAME'),
        (string) $value('DB_PASSWORD'), $options);
    [, $cipher] = $pdo->query("SHOW SESSION STATUS LIKE 'Ssl_cipher'")->fetch(PDO::FETCH_NUM) ?: ['', ''];
    $isMaria = str_contains((string) $pdo->query('SELECT VERSION()')->fetchColumn(), 'MariaDB');
    return match (true) {
        $ca !== '' && $cipher === '' => 'it does not encrypt',
        $isMaria && $value('DB_CONNECTION') !== 'mariadb'
            && $value('DB_CONNECTION') !== 'mysql' => 'it is MariaDB, and DB_CONNECTION says otherwise',
        !$isMaria && $value('DB_CONNECTION') === 'mariadb' => 'it is MySQL, and DB_CONNECTION says mariadb',
        default => null,
    };
}

function drydock_ask_redis(string $host, int $port, callable $value): ?string
{
    $tls = $value('REDIS_SCHEME') === 'tls';
    $redis = new Redis();
    $redis->connect(($tls ? 'tls://' : '') . $host, $port, 8, null, 0, 8, $tls
        ? ['stream' => ['cafile' => (string) $value('REDIS_CAFILE')]] : []);
    $user = (string) $value('REDIS_USERNAME');
    $password = (string) $value('REDIS_PASSWORD');
    $redis->auth($user === '' ? $password : [$user, $password]);
    $redis->ping();
    $policy = $redis->info('memory')['maxmemory_policy'] ?? 'noeviction';
    return $policy === 'noeviction' ? null
        : "full, it would drop jobs and sessions (its maxmemory-policy is $policy; expected noeviction)";
}

/** @param string $said all that was said; only what it is like is repeated, for it may hold values */
function drydock_reason(string $what, Throwable $error, string $said): string
{
    $code = $error instanceof PDOException ? ($error->errorInfo[1] ?? $error->getCode()) : $error->getCode();
    $known = [
        '/did not match expected (CN|name)/i' => 'its certificate is for another name',
        '/certificate verify failed/i' =>
            "its certificate is not signed by who is trusted here: see drydock:$what.external.ca",
        '/cafile|CA cert|no start line/i' => "the certificates of drydock:$what.external.ca can't be read",
        '/SSL operation failed|Cannot enable crypto|using SSL|SSL.*(wrong version|unexpected eof)/i' =>
            "TLS fails: its certificate is not signed by who is trusted here (drydock:$what.external.ca), "
                . "or it speaks none (drydock:$what.external.tls)",
        '/\b1045\b/' => 'it refuses DB_USERNAME or DB_PASSWORD',
        '/\b1044\b/' => 'DB_USERNAME may not use the database DB_DATABASE',
        '/\b1049\b/' => 'it has no database DB_DATABASE: have it made there',
        '/\b(1129|1130)\b/' => 'it lets nobody in from this Docker host',
        '/\b3159\b|require_secure_transport/' => "it demands TLS: see drydock:$what.external.tls",
        '/WRONGPASS|NOAUTH|invalid password|without any password configured/i' =>
            'it refuses REDIS_PASSWORD, or REDIS_USERNAME where that is set',
        '/NOPERM/' => 'its account may not do what Laravel needs (NOPERM)',
        '/read error on connection|went away|connection lost/i' =>
            "it ended the connection: does it demand TLS (drydock:$what.external.tls)?",
    ];
    foreach ($known as $pattern => $reason) {
        if (preg_match($pattern, $said)) {
            return $reason;
        }
    }
    return get_class($error) . ($code ? " $code" : '');
}
