import type { Alert } from "./alert.ts";

const ERRORS = 'drydock_http_requests_total{code=~"5.."}';

/** What visitors notice. */
export const site: readonly Alert[] = [
  {
    name: "SiteDown",
    severity: "critical",
    summary: "the site does not answer",
    why: "a request through the proxy by the site's own name fails, so visitors' do as well",
    remedy: "see which container is not healthy; where a release has just been made, go back to the one before",
    command: "./drydock status; ./drydock rollback",
    // Closed on purpose is not down.
    expression: () => "drydock_site_up == 0 unless on() drydock_maintenance == 1",
    for: "1m",
  },
  {
    name: "ErrorRate",
    severity: "critical",
    summary: "{{ $value | humanizePercentage }} of the answers are errors (5xx)",
    why: "these visitors see an error page; maintenance mode is not counted",
    remedy: "read the application's log; where it began with a release, go back to the one before",
    command: "./drydock logs app; ./drydock rollback",
    expression: ({ errorRate }) =>
      `sum(rate(${ERRORS}[5m])) / sum(rate(drydock_http_requests_total[5m])) > ${errorRate / 100} ` +
      `and sum(increase(${ERRORS}[5m])) > 5`,
    for: "3m",
  },
  {
    name: "Slow",
    severity: "warning",
    summary: "5 of 100 answers take longer than {{ $value | humanizeDuration }}",
    why: "visitors wait, and PHP's processes are taken for as long",
    remedy: "see whether FPM's processes, the database or Redis are at their limit",
    command: "./drydock metrics; ./drydock logs app",
    // Of a few requests the slowest says nothing.
    expression: ({ slow }) =>
      "histogram_quantile(0.95, sum by (le) (rate(drydock_http_request_seconds_bucket[10m]))) " +
      `> ${slow} and sum(increase(drydock_http_request_seconds_count[10m])) > 20`,
    for: "10m",
  },
  {
    name: "MaintenanceForgotten",
    severity: "warning",
    summary: "the site is still in maintenance mode",
    why: "visitors see the maintenance page, and no alarm says that the site is down",
    remedy: "open the site, or leave it closed on purpose",
    command: "./drydock maintenance off",
    expression: () => "drydock_maintenance == 1",
    for: "4h",
  },
  {
    name: "ReleaseUnfinished",
    severity: "warning",
    summary: "containers of {{ $value }} releases are still there",
    why: "a release was interrupted: old and new replicas both use memory, and nobody knows which of them serve",
    remedy: "finish it",
    command: "./drydock up",
    expression: () => "drydock_app_releases > 1",
    for: "30m",
  },
];
