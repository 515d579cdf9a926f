import type { Alert } from "./alert.ts";

const LAST_RUN = "drydock_schedule_last_run_timestamp_seconds";

/** Queues, schedule and PHP. */
export const laravel: readonly Alert[] = [
  {
    name: "LaravelSilent",
    severity: "warning",
    summary: "no replica says how queues, schedule and PHP-FPM are",
    why: "the other alerts on Laravel can't be raised: it does not boot, or all its processes are taken",
    remedy: "see what the replicas log; doctor says what is wrong with one",
    command: "./drydock doctor; ./drydock logs app",
    expression: () => "drydock_laravel_up == 0",
    for: "5m",
  },
  {
    name: "QueueStuck",
    severity: "critical",
    summary: "a job of queue {{ $labels.queue }} has been waiting for {{ $value | humanizeDuration }}",
    why: "nobody takes jobs of this queue, or too few do: mails are not sent, orders not processed",
    remedy: "see whether a worker listens to this queue, and whether one job holds up the others",
    command: "./drydock logs horizon; ./drydock artisan -- queue:monitor",
    expression: ({ queueAge }) => `max by (queue) (drydock_queue_oldest_seconds) > ${queueAge}`,
    for: "5m",
  },
  {
    name: "HorizonDown",
    severity: "critical",
    summary: "Horizon has no master that is alive",
    why: "the container can be healthy while Horizon takes no jobs",
    remedy: "see what Horizon logs; a new container is made by --replace",
    command: "./drydock logs horizon; ./drydock up --replace horizon",
    expression: () => "drydock_horizon_masters == 0",
    for: "2m",
  },
  {
    name: "HorizonPaused",
    severity: "warning",
    summary: "Horizon is still paused",
    why: "it takes no jobs until somebody lets it go on",
    remedy: "let it go on, or leave it paused on purpose",
    // The command signals processes of its own container.
    command: "./drydock artisan --role horizon -- horizon:continue",
    expression: () => "drydock_horizon_paused == 1",
    for: "15m",
  },
  {
    name: "FailedJobs",
    severity: "warning",
    summary: "{{ $value | humanize }} jobs have failed in 15 minutes",
    why: "what they were to do has not been done",
    remedy: "see why, and have them run again when it is put right",
    command: "./drydock artisan -- queue:failed; ./drydock artisan -- queue:retry all",
    expression: ({ failedJobs }) => `drydock_failed_jobs - drydock_failed_jobs offset 15m > ${failedJobs}`,
    for: "0s",
  },
  {
    name: "SchedulerSilent",
    severity: "critical",
    summary: "the schedule last ran {{ $value | humanizeDuration }} ago",
    why: "nothing that is due is started, and nothing that is missed is made up for",
    remedy: "see what the scheduler logs; a new container is made by --replace",
    command: "./drydock logs scheduler; ./drydock up --replace scheduler",
    // Counted from when it was asked: a number that is minutes old where Prometheus stores nothing says nothing of now.
    expression: () => `timestamp(${LAST_RUN}) - ${LAST_RUN} > 180`,
    for: "2m",
  },
  {
    name: "FpmSaturated",
    severity: "warning",
    summary: "all PHP-FPM processes of a replica are taken",
    why: "visitors wait in line before PHP even begins",
    remedy: "find what is slow, or give the site more: app.maxChildren, app.replicas",
    command: "./drydock metrics; pulumi config set --path drydock:app.replicas N",
    expression: () => "drydock_fpm_listen_queue > 0 or drydock_fpm_active_processes >= drydock_fpm_max_children",
    for: "5m",
  },
  {
    name: "OpcacheFull",
    severity: "warning",
    summary: "OPcache has {{ $value | humanizePercentage }} of its memory left",
    why: "what does not fit is compiled at each request; full, it starts over for everybody at once",
    remedy: "give it more (opcache.memory_consumption)",
    command: `pulumi config set --path 'drydock:app.php["opcache.memory_consumption"]' 256`,
    expression: ({ opcacheFree }) => `drydock_opcache_free_ratio < ${opcacheFree / 100}`,
    for: "15m",
  },
];
