import type { Found, LenientSettings } from "./found.ts";
import { nearest } from "./nearest.ts";
import { type Problem, removeCommand, setCommand } from "./problems.ts";

/** What a value has to be like, and the words for it. */
interface Kind {
  readonly accepts: RegExp;
  readonly expects: string;
}

const count: Kind = { accepts: /^\d{1,10}$/, expects: "a whole number" };
const size: Kind = { accepts: /^\d{1,15}[KMGkmg]?$/, expects: "a number of bytes, such as 64M" };
const bytes: Kind = { accepts: /^\d{1,15}([kmg]b?)?$/i, expects: "a number of bytes, such as 64mb" };
const decimal: Kind = { accepts: /^\d{1,9}(\.\d{1,6})?$/, expects: "a number of seconds" };
const flag: Kind = { accepts: /^(0|1|on|off|true|false)$/i, expects: "ON or OFF" };
const yes: Kind = { accepts: /^(yes|no)$/, expects: "yes or no" };
const word: Kind = { accepts: /^[\w-]+$/, expects: "a word" };
const words: Kind = { accepts: /^[\w-]*(,[\w-]+)*$/, expects: "words with commas between them" };
const setting: Kind = {
  accepts: /^[\w-]+=[\w-]+(,[\w-]+=[\w-]+)*$/,
  expects: "pairs such as index_merge=off, with commas between them",
};
const zone: Kind = {
  accepts: /^([+-]\d\d:\d\d|SYSTEM|[A-Z][\w+-]*(\/[\w+-]+)*)$/,
  expects: "a time zone, such as +00:00 or Europe/Berlin",
};
/** What a server takes that is not in the list: it is asked itself before anything is changed. */
const any: Kind = { accepts: /^[\w.,:/=+ -]{0,200}$/, expects: "letters, digits and . , : / = + - _" };

const of = (kind: Kind, names: string): [string, Kind][] => names.split(" ").map((name) => [name, kind]);

interface Server {
  readonly name: string;
  readonly known: ReadonlyMap<string, Kind>;
  /** What is not for a user to say, and why: a pattern of the whole name. */
  readonly refused: readonly (readonly [RegExp, string])[];
}

const lost = "what was answered as saved could be lost when the machine stops";
const placed = "Drydock says where the server has its files, and whom it listens to";
const log = "the backups' points in time are read from that log";

const DATABASE: Server = {
  name: "database",
  known: new Map([
    ...of(
      count,
      "max_connections max_user_connections max_connect_errors wait_timeout interactive_timeout net_read_timeout " +
        "net_write_timeout connect_timeout",
    ),
    ...of(
      count,
      "lock_wait_timeout innodb_lock_wait_timeout thread_cache_size table_open_cache table_definition_cache " +
        "table_open_cache_instances back_log",
    ),
    ...of(
      count,
      "innodb_io_capacity innodb_io_capacity_max innodb_read_io_threads innodb_write_io_threads " +
        "innodb_buffer_pool_instances max_prepared_stmt_count",
    ),
    ...of(
      count,
      "innodb_ft_min_token_size ft_min_word_len min_examined_row_limit log_warnings log_error_verbosity " +
        "open_files_limit group_concat_max_len",
    ),
    ...of(
      count,
      "max_execution_time cte_max_recursion_depth max_recursive_iterations query_cache_type lower_case_table_names",
    ),
    ...of(
      size,
      "max_allowed_packet tmp_table_size max_heap_table_size sort_buffer_size join_buffer_size read_buffer_size " +
        "read_rnd_buffer_size key_buffer_size",
    ),
    ...of(
      size,
      "innodb_log_file_size innodb_log_buffer_size innodb_redo_log_capacity max_binlog_size thread_stack " +
        "query_cache_size query_cache_limit temptable_max_ram",
    ),
    ...of(size, "innodb_sort_buffer_size binlog_cache_size net_buffer_length"),
    ...of(decimal, "long_query_time max_statement_time"),
    ...of(
      flag,
      "slow_query_log log_queries_not_using_indexes explicit_defaults_for_timestamp performance_schema " +
        "innodb_print_all_deadlocks innodb_strict_mode",
    ),
    ...of(
      flag,
      "innodb_file_per_table innodb_stats_on_metadata innodb_adaptive_hash_index local_infile event_scheduler",
    ),
    ...of(
      word,
      "character_set_server collation_server transaction_isolation innodb_flush_method default_storage_engine " +
        "innodb_default_row_format log_output binlog_row_image",
    ),
    ...of(words, "sql_mode"),
    ...of(setting, "optimizer_switch"),
    ...of(zone, "default_time_zone"),
  ]),
  refused: [
    [
      new RegExp(
        "^(sync_binlog|innodb_flush_log_at_trx_commit|innodb_doublewrite|innodb_checksum_algorithm|" +
          "innodb_force_recovery)$",
      ),
      lost,
    ],
    [/^(binlog_expire_logs_seconds|expire_logs_days)$/, `${log}: set drydock:database.binlogDays`],
    [
      new RegExp(
        String.raw`^(skip_)?(log_bin.*|binlog_format|binlog_(do|ignore)_db|server_id|gtid_\w+|log_(slave|` +
          "replica)_updates|sql_log_bin)$",
      ),
      log,
    ],
    [/^innodb_buffer_pool_size$/, "it is set together with the memory: drydock:database.bufferPool"],
    [
      new RegExp(
        String.raw`^(skip_grant_tables|init_file|init_connect|plugin_load\w*|plugin_dir|secure_file_priv|` +
          "old_passwords|secure_auth|default_authentication_plugin|authentication_policy)$",
      ),
      "it decides who may do what in the server",
    ],
    [
      new RegExp(
        "^(datadir|tmpdir|basedir|socket|port|bind_address|skip_networking|user|pid_file|" +
          String.raw`innodb_\w*(home_dir|directory|dir)|innodb_(data|temp_data)_file_path|ssl_\w+|tls_\w+|` +
          String.raw`require_secure_transport|skip_name_resolve|ignore_db_dirs|defaults_\w+|log_error|` +
          "general_log_file|slow_query_log_file|log_bin_index)$",
      ),
      placed,
    ],
    [/^(general_log|log)$/, "it writes each statement with its values into a file that nobody empties"],
    [
      /^(read_only|super_read_only|innodb_read_only|innodb_fast_shutdown)$/,
      "the application writes, and a release stops the server",
    ],
  ],
};

const REDIS: Server = {
  name: "redis",
  known: new Map([
    ...of(
      count,
      "maxclients timeout tcp-keepalive databases slowlog-log-slower-than slowlog-max-len " +
        "latency-monitor-threshold hz io-threads tcp-backlog",
    ),
    ...of(
      count,
      "active-defrag-threshold-lower active-defrag-threshold-upper auto-aof-rewrite-percentage lfu-log-factor " +
        "lfu-decay-time",
    ),
    ...of(bytes, "auto-aof-rewrite-min-size proto-max-bulk-len client-query-buffer-limit"),
    ...of(
      yes,
      "activedefrag lazyfree-lazy-eviction lazyfree-lazy-expire lazyfree-lazy-server-del lazyfree-lazy-user-del " +
        "dynamic-hz rdbcompression rdbchecksum",
    ),
    ...of(
      { accepts: /^(always|everysec)$/, expects: "always or everysec: with no, jobs of half a minute could be lost" },
      "appendfsync",
    ),
    ...of(
      { accepts: /^[KEg$lshzxetdmnA]*$/, expects: "letters, as Redis has them for notify-keyspace-events" },
      "notify-keyspace-events",
    ),
  ]),
  refused: [
    [/^maxmemory$/, "it is set together with the memory: drydock:redis.maxmemory"],
    [
      /^maxmemory-(policy|samples|eviction-tenacity)$/,
      "full, the server must refuse to store more rather than drop jobs and sessions; " +
        "entries of the cache are dropped, on their own server (drydock:redis.cache)",
    ],
    [
      new RegExp(
        String.raw`^(save|appendonly|appendfilename|appenddirname|aof-\w[\w-]*|stop-writes-on-bgsave-error|` +
          String.raw`no-appendfsync-on-rewrite|shutdown-\w[\w-]*)$`,
      ),
      "jobs and sessions have to outlive the server",
    ],
    [
      new RegExp(
        String.raw`^(requirepass|aclfile|user|acl-\w[\w-]*|rename-command|protected-mode|enable-[\w-]+|` +
          "masterauth|masteruser|loadmodule)$",
      ),
      "it decides who may do what in the server",
    ],
    [
      new RegExp(
        String.raw`^(dir|dbfilename|bind|port|unixsocket\w*|tls-\w[\w-]*|include|logfile|pidfile|daemonize|` +
          String.raw`supervised|replicaof|slaveof|cluster-\w[\w-]*)$`,
      ),
      placed,
    ],
  ],
};

/** A name as servers have it, however it is written. */
const databaseName = (name: string): string => name.toLowerCase().replaceAll("-", "_");

/** What is wrong with the options of database and Redis, and what only their servers can judge. */
export function checkServerOptions(settings: LenientSettings, stack: string): Found {
  const found = [
    ...Object.entries(settings.database?.options ?? {}).map(([name, value]) =>
      judge(DATABASE, name, databaseName(name), value, stack),
    ),
    ...Object.entries(settings.redis?.options ?? {}).map(([name, value]) => judge(REDIS, name, name, value, stack)),
  ];
  return {
    problems: found.flatMap(({ problem }) => problem ?? []),
    warnings: found.flatMap(({ warning }) => warning ?? []),
  };
}

function judge(
  { name: server, known, refused }: Server,
  given: string,
  name: string,
  value: string,
  stack: string,
): { problem?: Problem; warning?: Problem } {
  const path = `drydock:${server}.options.${given}`;
  const reason = refused.find(([pattern]) => pattern.test(name))?.[1];
  if (reason !== undefined)
    return { problem: { path, message: `can't be set: ${reason}`, remedy: removeCommand(path, stack) } };
  const kind = known.get(name) ?? any;
  if (!kind.accepts.test(value))
    return {
      problem: {
        path,
        message: `has another value than expected: ${kind.expects}`,
        remedy: removeCommand(path, stack),
      },
    };
  if (kind !== any) return {};
  const meant = nearest(name, [...known.keys()]);
  const message =
    `is not an option that Drydock knows${meant === undefined ? "" : ` (is ${meant} meant?)`}: ` +
    "the server is asked whether it takes it, before anything is changed";
  return {
    warning: {
      path,
      message,
      ...(meant === undefined
        ? {}
        : {
            remedy: [removeCommand(path, stack), setCommand(`drydock:${server}.options.${meant}`, "VALUE", stack)].join(
              "\n",
            ),
          }),
    },
  };
}

/** The options of the database, as words of its command line. */
export function databaseWords(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).map(([name, value]) => `--${databaseName(name).replaceAll("_", "-")}=${value}`);
}

/** Bytes of a number with K, M or G behind it. */
export function bytesOf(value: string): number {
  const [, digits = "0", unit = ""] = /^(\d+)([kmg]?)b?$/i.exec(value) ?? [];
  return Number(digits) * 1024 ** ["", "k", "m", "g"].indexOf(unit.toLowerCase());
}
