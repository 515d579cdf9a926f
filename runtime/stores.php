<?php
// Which of a stack's Redis servers is used for what, as Laravel's configuration has it. Included by others.

/**
 * Has the stores of the cache use the server that may forget. What they lock stays with sessions and jobs: a lock that
 * is forgotten would
 * let two do what one may. A connection that the application points elsewhere, or names by a URL, stays as it is.
 *
 * @param array $config the whole configuration, as arrays
 * @param string $lasting REDIS_HOST
 * @param string $forgetful REDIS_CACHE_HOST; the same where there is one server
 */
function drydock_stores(array $config, string $lasting, string $forgetful): array
{
    $config = drydock_encrypted($config, $lasting);
    $connections = $config['database']['redis'] ?? [];
    $hostOf = static fn (string $name): ?string => empty($connections[$name]['url'])
        ? ($connections[$name]['host'] ?? null) : null;
    foreach ($lasting === $forgetful ? [] : $config['cache']['stores'] ?? [] as $name => $store) {
        $used = (string) ($store['connection'] ?? 'default');
        if (($store['driver'] ?? null) !== 'redis' || !in_array($hostOf($used), [$lasting, $forgetful], true)) {
            continue;
        }
        if ($hostOf($used) === $lasting) {
            $config['database']['redis']["$used-forgetful"] = ['host' => $forgetful] + array_diff_key(
                $connections[$used], ['scheme' => 0, 'context' => 0]);
            $config['cache']['stores'][$name]['connection'] = "$used-forgetful";
            $config['cache']['stores'][$name]['lock_connection'] = $store['lock_connection'] ?? $used;
        } elseif (!isset($store['lock_connection']) && $hostOf('default') === $lasting) {
            $config['cache']['stores'][$name]['lock_connection'] = 'default';
        }
    }
    return $config;
}

/**
 * Has the connections to a server elsewhere encrypt, and check whom they talk to: Laravel's own configuration has no
 * variables for that.
 */
function drydock_encrypted(array $config, string $lasting): array
{
    if (getenv('REDIS_SCHEME') !== 'tls') {
        return $config;
    }
    foreach ($config['database']['redis'] ?? [] as $name => $connection) {
        if (is_array($connection) && ($connection['host'] ?? null) === $lasting && empty($connection['url'])) {
            $config['database']['redis'][$name] += ['scheme' => 'tls',
                'context' => ['stream' => ['cafile' => (string) getenv('REDIS_CAFILE')]]];
        }
    }
    return $config;
}

/**
 * What must not be forgotten, and is kept where it would be: {"queue redis": its connection, …}.
 *
 * @param string $forgetful as above
 */
function drydock_forgotten(array $config, string $lasting, string $forgetful): array
{
    if ($lasting === $forgetful) {
        return [];
    }
    $used = [];
    foreach ($config['queue']['connections'] ?? [] as $name => $queue) {
        if (($queue['driver'] ?? null) === 'redis') {
            $used["queue.connections.$name.connection"] = $queue['connection'] ?? 'default';
        }
    }
    if (($config['session']['driver'] ?? null) === 'redis') {
        $used['session.connection'] = $config['session']['connection'] ?? 'default';
    }
    if (isset($config['horizon'])) {
        $used['horizon.use'] = $config['horizon']['use'] ?? 'default';
    }
    foreach ($config['cache']['stores'] ?? [] as $name => $store) {
        if (($store['driver'] ?? null) === 'redis' && isset($store['lock_connection'])) {
            $used["cache.stores.$name.lock_connection"] = $store['lock_connection'];
        }
    }
    return array_filter($used,
        static fn ($name): bool => ($config['database']['redis'][$name]['host'] ?? null) === $forgetful);
}

/** The variables that say where the two servers are, or their values in a process that has none. */
function drydock_servers(): array
{
    $lasting = (string) getenv('REDIS_HOST');
    return [$lasting, (string) (getenv('REDIS_CACHE_HOST') ?: $lasting)];
}
