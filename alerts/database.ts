import type { Alert } from "./alert.ts";

/** MariaDB or MySQL. */
export const database: readonly Alert[] = [
  {
    name: "DatabaseDown",
    severity: "critical",
    summary: "the database does not answer, or takes no more connections",
    why: "nearly every request needs it",
    remedy:
      "see what it logs last: a full disk and too little memory are what ends it most often; whether all connections " +
      "are taken is in the exporter's log",
    command: "./drydock status; ./drydock logs database; ./drydock logs exporter",
    // The exporter waits for a server that hangs, until Prometheus gives it up; Laravel can't reach that one either.
    expression: () => 'mysql_up == 0 or (up{job="database"} == 0 and on() drydock_laravel_up == 0)',
    for: "1m",
  },
  {
    name: "DatabaseConnections",
    severity: "warning",
    summary: "{{ $value | humanizePercentage }} of the database's connections are taken",
    why: 'when all are, requests and jobs fail with "Too many connections"',
    remedy: "find what holds them, or raise the limit (each needs memory: docs/data.md)",
    command: "pulumi config set --path drydock:database.options.max_connections N",
    expression: ({ connections }) =>
      `mysql_global_status_threads_connected / mysql_global_variables_max_connections > ${connections / 100}`,
    for: "5m",
  },
  {
    name: "DatabaseReplicaBehind",
    severity: "warning",
    summary: "the database has stopped following {{ $labels.master_host }}, or is more than a minute behind",
    why: "what is read here is old, and taking its place in need would lose what is missing",
    remedy: "see what stopped it: SHOW REPLICA STATUS",
    command: "./drydock logs database",
    // MariaDB and MySQL before 8.4 say slave and master, MySQL since then replica and source. A thread that waits for a
    // primary that is gone does not run either, and then it is not known how far behind the database is. What it was
    // told to be behind counts for nothing.
    expression: () =>
      'min without () ({__name__=~"mysql_slave_status_(slave|replica)_(io|sql)_running"}) == 0 or ' +
      'max without () ({__name__=~"mysql_slave_status_seconds_behind_(master|source)"})' +
      " - mysql_slave_status_sql_delay > 60",
    for: "5m",
  },
];
