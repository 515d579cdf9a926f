/** One number over time. */
export interface Metric {
  readonly name: string;
  readonly unit: "per second" | "percent" | "seconds" | "bytes" | "number" | "processors";
  /** PromQL that answers one series. */
  readonly expression: string;
}

const REQUESTS = "drydock_http_requests_total";
const quantile = (share: number) =>
  `histogram_quantile(${share}, sum by (le) (rate(drydock_http_request_seconds_bucket[5m])))`;
const cpu = "sum(rate(drydock_container_cpu_seconds_total[5m]))";

/** What `./drydock metrics` shows, in its order; what a stack doesn't have is left out. */
export const METRICS: readonly Metric[] = [
  { name: "requests", unit: "per second", expression: `sum(rate(${REQUESTS}[5m]))` },
  {
    name: "errors (5xx)",
    unit: "percent",
    expression: `100 * sum(rate(${REQUESTS}{code=~"5.."}[5m])) / sum(rate(${REQUESTS}[5m]))`,
  },
  { name: "half are answered in", unit: "seconds", expression: quantile(0.5) },
  { name: "95 of 100 in", unit: "seconds", expression: quantile(0.95) },
  { name: "99 of 100 in", unit: "seconds", expression: quantile(0.99) },
  { name: "PHP processes busy", unit: "number", expression: "drydock_fpm_active_processes" },
  { name: "jobs that wait", unit: "number", expression: 'sum(drydock_queue_jobs{state="pending"})' },
  { name: "oldest job", unit: "seconds", expression: "max(drydock_queue_oldest_seconds)" },
  { name: "failed jobs", unit: "number", expression: "drydock_failed_jobs" },
  { name: "containers' processors", unit: "processors", expression: cpu },
  { name: "containers' memory", unit: "bytes", expression: "sum(drydock_container_memory_bytes)" },
  { name: "database connections", unit: "number", expression: "mysql_global_status_threads_connected" },
  { name: "database queries", unit: "per second", expression: "rate(mysql_global_status_queries[5m])" },
  { name: "Redis memory", unit: "bytes", expression: 'redis_memory_used_bytes{server="redis"}' },
  { name: "cache's memory", unit: "bytes", expression: 'redis_memory_used_bytes{server="redis-cache"}' },
  { name: "machine's load", unit: "number", expression: "node_load1" },
  { name: "memory available", unit: "bytes", expression: "node_memory_MemAvailable_bytes" },
  { name: "disk free", unit: "bytes", expression: 'node_filesystem_avail_bytes{mountpoint="/host"}' },
];
