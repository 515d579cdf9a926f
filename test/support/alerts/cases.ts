/** How one alert is tried: numbers of a minute each, as promtool writes series. */
export interface Case {
  readonly alert: string;
  readonly series: Readonly<Record<string, string>>;
  /** Minutes after which it is not raised yet, and after which it is. */
  readonly quiet: number;
  readonly raised: number;
  /** Others that are raised by the same. @default none */
  readonly also?: readonly string[];
  /** Whether the heartbeat ends. @default it goes on */
  readonly silent?: boolean;
}

const disk = '{mountpoint="/host"}';
const certificate = '{domain="shop.example.com"}';

/** What a good day looks like, in part with numbers that only just are good. */
export const GOOD: Readonly<Record<string, string>> = {
  drydock_site_up: "1x1500",
  drydock_maintenance: "0x1500",
  'drydock_http_requests_total{code="200"}': "0+600x1500",
  'drydock_http_requests_total{code="404"}': "0+60x1500",
  'drydock_http_requests_total{code="500"}': "0+6x1500",
  'drydock_http_request_seconds_bucket{le="0.1"}': "0+500x1500",
  'drydock_http_request_seconds_bucket{le="1"}': "0+640x1500",
  'drydock_http_request_seconds_bucket{le="+Inf"}': "0+666x1500",
  drydock_http_request_seconds_count: "0+666x1500",
  // A release every hour: both are there for ten minutes.
  drydock_app_releases: `${"1x49 2x9 ".repeat(25)}1`,
  drydock_laravel_up: "1x1500",
  'drydock_queue_oldest_seconds{queue="default"}': "200x1500",
  drydock_horizon_masters: `${"1x49 2x9 ".repeat(25)}1`,
  drydock_horizon_paused: "0x1500",
  drydock_failed_jobs: "0+0.5x1500",
  drydock_schedule_last_run_timestamp_seconds: "0+60x1500",
  drydock_fpm_listen_queue: "0x1500",
  drydock_fpm_active_processes: "3x1500",
  drydock_fpm_max_children: "10x1500",
  drydock_opcache_free_ratio: "0.5x1500",
  mysql_up: "1x1500",
  mysql_global_status_threads_connected: "100x1500",
  mysql_global_variables_max_connections: "151x1500",
  'redis_up{server="redis"}': "1x1500",
  'redis_up{server="redis-cache"}': "1x1500",
  'redis_rdb_last_bgsave_status{server="redis"}': "1x1500",
  'redis_aof_last_write_status{server="redis"}': "1x1500",
  'redis_memory_used_bytes{server="redis"}': "100x1500",
  'redis_memory_max_bytes{server="redis"}': "128x1500",
  'redis_memory_used_bytes{server="redis-cache"}': "64x1500",
  'redis_memory_max_bytes{server="redis-cache"}': "64x1500",
  'drydock_container_restarts_total{role="app"}': "0x700 1x799",
  'drydock_containers{role="app"}': "3x1500",
  // Of the scheduler the old one goes first.
  'drydock_containers{role="scheduler"}': `${"1x57 0x1 ".repeat(25)}1`,
  'drydock_containers_unhealthy{role="app"}': "0x1500",
  'drydock_containers_stopped{role="app"}': "0x1500",
  'drydock_container_oom_total{role="app"}': "0x1500",
  'drydock_container_memory_ratio{role="app"}': "0.8x1500",
  [`node_filesystem_avail_bytes${disk}`]: "500-0.1x1500",
  [`node_filesystem_size_bytes${disk}`]: "1000x1500",
  [`node_filesystem_files_free${disk}`]: "500x1500",
  [`node_filesystem_files${disk}`]: "1000x1500",
  node_memory_MemAvailable_bytes: "200x1500",
  node_memory_MemTotal_bytes: "1000x1500",
  node_pressure_memory_waiting_seconds_total: "0+1x1500",
  node_pressure_io_waiting_seconds_total: "0+20x1500",
  // A backup a day; its age when it is verified is how long that took.
  drydock_backup_age_seconds: "0+60x1439 300+60x60",
  drydock_backup_verified: "1x1500",
  drydock_backup_running: "0x1500",
  drydock_backup_rpo_seconds: "5x1500",
  drydock_backup_s3_lag_seconds: "600x1500",
  drydock_backup_alarms: "0x1500",
  [`drydock_certificate_not_after_timestamp_seconds${certificate}`]: "7776000x1500",
  [`drydock_certificate_not_before_timestamp_seconds${certificate}`]: "0x1500",
  [`drydock_certificate_trusted${certificate}`]: "1x1500",
  'up{job="collector"}': "1x1500",
  'up{job="prometheus"}': "1x1500",
  drydock_docker_up: "1x1500",
  prometheus_tsdb_wal_writes_failed_total: "0x1500",
  prometheus_tsdb_compactions_failed_total: "0x1500",
  'alertmanager_notifications_failed_total{integration="email"}': "0x1500",
};

/** What raises each of them: of what is not named here, GOOD holds. */
export const CASES: readonly Case[] = [
  { alert: "SiteDown", series: { drydock_site_up: "1x9 0x30" }, quiet: 10, raised: 12 },
  {
    alert: "ErrorRate",
    series: { 'drydock_http_requests_total{code="500"}': "0x9 0+60x30" },
    quiet: 10,
    raised: 18,
  },
  {
    alert: "Slow",
    series: {
      'drydock_http_request_seconds_bucket{le="0.1"}': "0+500x60",
      'drydock_http_request_seconds_bucket{le="1"}': "0+510x60",
      'drydock_http_request_seconds_bucket{le="5"}': "0+660x60",
      'drydock_http_request_seconds_bucket{le="+Inf"}': "0+666x60",
    },
    quiet: 8,
    raised: 15,
  },
  { alert: "MaintenanceForgotten", series: { drydock_maintenance: "1x300" }, quiet: 230, raised: 245 },
  { alert: "ReleaseUnfinished", series: { drydock_app_releases: "2x60" }, quiet: 29, raised: 31 },
  { alert: "LaravelSilent", series: { drydock_laravel_up: "0x20" }, quiet: 4, raised: 6 },
  {
    alert: "QueueStuck",
    series: { 'drydock_queue_oldest_seconds{queue="mail"}': "0+60x30" },
    quiet: 9,
    raised: 13,
  },
  { alert: "HorizonDown", series: { drydock_horizon_masters: "1x9 0x20" }, quiet: 11, raised: 13 },
  { alert: "HorizonPaused", series: { drydock_horizon_paused: "1x60" }, quiet: 14, raised: 16 },
  { alert: "FailedJobs", series: { drydock_failed_jobs: "0x20 11x20" }, quiet: 20, raised: 22 },
  {
    alert: "SchedulerSilent",
    series: { drydock_schedule_last_run_timestamp_seconds: "0+60x10 600x30" },
    quiet: 14,
    raised: 17,
  },
  { alert: "FpmSaturated", series: { drydock_fpm_active_processes: "10x30" }, quiet: 4, raised: 6 },
  { alert: "FpmSaturated", series: { drydock_fpm_listen_queue: "2x30" }, quiet: 4, raised: 6 },
  { alert: "OpcacheFull", series: { drydock_opcache_free_ratio: "0.01x60" }, quiet: 14, raised: 16 },
  { alert: "DatabaseDown", series: { mysql_up: "1x9 0x20" }, quiet: 10, raised: 12 },
  {
    alert: "DatabaseDown",
    series: { 'up{job="database"}': "1x9 0x20", drydock_laravel_up: "1x9 0x20" },
    quiet: 10,
    raised: 12,
    also: ["ScrapeDown"],
  },
  {
    alert: "DatabaseConnections",
    series: { mysql_global_status_threads_connected: "140x30" },
    quiet: 4,
    raised: 6,
  },
  ...["slave_sql_running", "slave_io_running", "replica_sql_running", "replica_io_running"].map((running) => ({
    alert: "DatabaseReplicaBehind",
    series: { [`mysql_slave_status_${running}{master_host="primary"}`]: "0x30" },
    quiet: 4,
    raised: 6,
  })),
  // The second one is behind as it was told to be.
  ...["seconds_behind_master", "seconds_behind_source"].map((seconds) => ({
    alert: "DatabaseReplicaBehind",
    series: {
      [`mysql_slave_status_${seconds}{master_host="primary"}`]: "70x30",
      'mysql_slave_status_sql_delay{master_host="primary"}': "0x30",
      [`mysql_slave_status_${seconds}{master_host="delayed"}`]: "3605x30",
      'mysql_slave_status_sql_delay{master_host="delayed"}': "3600x30",
    },
    quiet: 4,
    raised: 6,
  })),
  { alert: "RedisDown", series: { 'redis_up{server="redis-cache"}': "1x9 0x20" }, quiet: 10, raised: 12 },
  {
    alert: "RedisNotPersisting",
    series: { 'redis_rdb_last_bgsave_status{server="redis"}': "0x30" },
    quiet: 4,
    raised: 6,
  },
  {
    alert: "RedisNotPersisting",
    series: { 'redis_aof_last_write_status{server="redis"}': "0x30" },
    quiet: 4,
    raised: 6,
  },
  { alert: "RedisFull", series: { 'redis_memory_used_bytes{server="redis"}': "120x30" }, quiet: 4, raised: 6 },
  {
    alert: "ContainerRestarts",
    series: { 'drydock_container_restarts_total{role="worker"}': "0x9 0+1x20" },
    quiet: 11,
    raised: 15,
  },
  {
    alert: "ContainerUnhealthy",
    series: { 'drydock_containers_unhealthy{role="horizon"}': "0x9 1x20" },
    quiet: 11,
    raised: 13,
  },
  { alert: "ContainerStopped", series: { 'drydock_containers_stopped{role="app"}': "1x20" }, quiet: 4, raised: 6 },
  { alert: "ContainerMissing", series: { 'drydock_containers{role="scheduler"}': "0x20" }, quiet: 4, raised: 6 },
  {
    alert: "OutOfMemory",
    series: { 'drydock_container_oom_total{role="worker"}': "0x9 1x20" },
    quiet: 9,
    raised: 12,
  },
  {
    alert: "MemoryNearLimit",
    series: { 'drydock_container_memory_ratio{role="database"}': "0.97x30" },
    quiet: 9,
    raised: 11,
  },
  { alert: "DiskFull", series: { [`node_filesystem_avail_bytes${disk}`]: "90x30" }, quiet: 4, raised: 6 },
  {
    alert: "DiskFillsUp",
    series: { [`node_filesystem_avail_bytes${disk}`]: "390-0.4x200" },
    quiet: 29,
    raised: 60,
  },
  { alert: "InodesFull", series: { [`node_filesystem_files_free${disk}`]: "40x30" }, quiet: 4, raised: 6 },
  { alert: "HostMemory", series: { node_memory_MemAvailable_bytes: "40x30" }, quiet: 9, raised: 11 },
  {
    alert: "HostPressure",
    series: { node_pressure_io_waiting_seconds_total: "0+40x60" },
    quiet: 13,
    raised: 17,
  },
  { alert: "BackupTooOld", series: { drydock_backup_age_seconds: "93000+60x30" }, quiet: 9, raised: 12 },
  { alert: "BackupNotVerified", series: { drydock_backup_verified: "1x9 0x30" }, quiet: 9, raised: 11 },
  { alert: "PointInTimeLag", series: { drydock_backup_rpo_seconds: "5x9 0+60x30" }, quiet: 11, raised: 14 },
  { alert: "BackupNotInS3", series: { drydock_backup_s3_lag_seconds: "86000+60x30" }, quiet: 5, raised: 8 },
  { alert: "BackupAlarm", series: { drydock_backup_alarms: "0x9 1x20" }, quiet: 9, raised: 11 },
  {
    alert: "CertificateExpires",
    series: { [`drydock_certificate_not_after_timestamp_seconds${certificate}`]: "9000x200" },
    quiet: 120,
    raised: 185,
  },
  {
    alert: "CertificateUntrusted",
    series: { [`drydock_certificate_trusted${certificate}`]: "0x30" },
    quiet: 9,
    raised: 11,
  },
  { alert: "ScrapeDown", series: { 'up{job="database"}': "1x9 0x20" }, quiet: 11, raised: 13 },
  { alert: "DockerSilent", series: { drydock_docker_up: "0x20" }, quiet: 1, raised: 3 },
  {
    alert: "StoreCannotWrite",
    series: { prometheus_tsdb_wal_writes_failed_total: "0x9 1x20" },
    quiet: 9,
    raised: 13,
  },
  {
    alert: "StoreCannotWrite",
    series: {
      'up{job="prometheus"}': "1x9 _x30",
      'up{job="collector"}': "1x9 _x30",
      // For five minutes it is known when the schedule ran before.
      drydock_schedule_last_run_timestamp_seconds: "0+60x7 420x2 _x30",
    },
    quiet: 13,
    raised: 18,
    silent: true,
  },
  {
    // Some is stored again, and says that writes failed: the same incident.
    alert: "StoreCannotWrite",
    series: {
      'up{job="prometheus"}': "1x9 _x12 1x20",
      'prometheus_tsdb_wal_writes_failed_total{job="prometheus"}': "0x9 _x12 0 5+5x20",
    },
    quiet: 13,
    raised: 30,
  },
  {
    alert: "AlertsNotSent",
    series: { 'alertmanager_notifications_failed_total{integration="email"}': "0x9 0+1x20" },
    quiet: 11,
    raised: 16,
  },
];
