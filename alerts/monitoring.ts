import type { Alert } from "./alert.ts";

/** Raised as long as all is well: it is the heartbeat that a service outside waits for. */
export const WATCHDOG = "Watchdog";

/** Whether Prometheus stores what it measures. Where it can't, all that it knew is forgotten after five minutes. */
const STORES = 'up{job="prometheus"}';

/** Monitoring itself. */
export const monitoring: readonly Alert[] = [
  {
    name: "ScrapeDown",
    severity: "warning",
    summary: "{{ $labels.job }} ({{ $labels.instance }}) does not say how it is",
    why: "the alerts that need its numbers can't be raised",
    remedy: "see what its container logs; a new one is made by up",
    command: "./drydock status; ./drydock up",
    expression: () => "up == 0",
    for: "2m",
  },
  {
    name: "DockerSilent",
    severity: "warning",
    summary: "the Docker engine does not say how the containers are",
    why: "the alerts on containers can't be raised",
    remedy: "see what the gate logs",
    command: "./drydock status; ./drydock logs gate",
    expression: () => "drydock_docker_up == 0",
    for: "2m",
  },
  {
    name: "StoreCannotWrite",
    severity: "warning",
    summary: "Prometheus can't write its numbers to the disk",
    why: "what is measured is lost, and no other alert can be raised or goes on",
    remedy: "see whether the disk is full",
    command: "./drydock logs prometheus; df -h",
    // A write that fails is not counted where it can be asked for: what is measured then is not stored. Once it is, the
    // same count says that writes failed: under one label, both are one incident.
    expression: () =>
      `group by (job) (absent(${STORES}) or increase(prometheus_tsdb_wal_writes_failed_total[5m]) > 0 ` +
      "or increase(prometheus_tsdb_compactions_failed_total[3h]) > 0)",
    for: "2m",
  },
  {
    name: "AlertsNotSent",
    severity: "critical",
    summary: "alerts can't be sent by {{ $labels.integration }}",
    why: "nobody is told of anything, unless by another way",
    remedy: "see what the server says that was to take them",
    command: "./drydock alerts; ./drydock logs alertmanager",
    expression: () => "sum by (integration) (increase(alertmanager_notifications_failed_total[15m])) > 2",
    for: "0s",
  },
  {
    name: WATCHDOG,
    severity: "info",
    summary: "numbers are stored, alerts are evaluated and sent",
    why: "whoever is stopped can't call for help: a service outside tells when this is not heard any more",
    remedy: "nothing: it is raised as long as all is well",
    command: "./drydock alerts",
    // Not by Prometheus alone: without its numbers it would say so for ever.
    expression: () => `group(${STORES})`,
    for: "0s",
  },
];
