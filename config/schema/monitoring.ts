import { z } from "zod";
import { ALERTS, TOLD_HERE } from "../../alerts/alerts.ts";
import { WATCHDOG } from "../../alerts/monitoring.ts";
import {
  cpus,
  flag,
  id,
  imageReference,
  integer,
  list,
  mebibytes,
  optional,
  path,
  preset,
  seconds,
  text,
  url,
} from "../fields.ts";

/** The heartbeat is none that anybody is told of. */
const isAlert = (name: string) => name !== WATCHDOG && ALERTS.includes(name);

/** When alerts are raised. */
const parameters = z.strictObject({
  errorRate: preset(integer(1, 100, "percent"), 2, "ErrorRate: this share of the answers are errors (5xx)"),
  slow: preset(seconds(600), 2, "Slow: 95 of 100 answers take no longer"),
  queueAge: preset(seconds(), 300, "QueueStuck: a job waits longer"),
  failedJobs: preset(integer(0, 1_000_000, "jobs"), 10, "FailedJobs: more fail in 15 minutes"),
  diskFree: preset(integer(1, 90, "percent"), 10, "DiskFull: less of the disk is free"),
  inodesFree: preset(integer(1, 90, "percent"), 5, "InodesFull: fewer of the disk's inodes are free"),
  memoryFree: preset(integer(1, 90, "percent"), 5, "HostMemory: less of the machine's memory is available"),
  memoryPressure: preset(integer(1, 100, "percent"), 20, "HostPressure: more of the time something waits for memory"),
  diskPressure: preset(integer(1, 100, "percent"), 50, "HostPressure: more of the time something waits for the disk"),
  opcacheFree: preset(integer(1, 90, "percent"), 5, "OpcacheFull: less of its memory is free"),
  certificateLeft: preset(integer(1, 90, "percent"), 20, "CertificateExpires: less of its time is left"),
  connections: preset(integer(1, 100, "percent"), 85, "DatabaseConnections: more of them are taken"),
  memory: preset(integer(1, 100, "percent"), 95, "MemoryNearLimit: a container uses more of its limit"),
});

/** The numbers of the alerts where the settings say nothing. */
export const defaultParameters: z.output<typeof parameters> = parameters.parse({});

const lasting = z
  .record(
    z.string().refine((name) => TOLD_HERE.includes(name)),
    integer(0, 604_800, "seconds"),
  )
  .meta({ expects: "seconds by the name of an alert that the backup agent does not send itself, such as Slow" });

/**
 * What a program has in use, and its own file besides: where that does not fit, the kernel reads it from the disk again
 * and again, a gigabyte a second.
 */
const memory = z.strictObject({
  prometheus: preset(mebibytes(100), 160, "Prometheus, which stores the numbers and evaluates the alerts"),
  alertmanager: preset(mebibytes(48), 64, "Alertmanager, which sends them"),
  collector: preset(mebibytes(84), 112, "The collector, which asks nginx, Laravel and Docker"),
  exporters: preset(mebibytes(32), 40, "Each exporter: database, Redis, machine"),
  gate: preset(mebibytes(8), 10, "The gate before Docker's socket"),
});

const images = z.strictObject({
  prometheus: optional(imageReference(), "Such as prom/prometheus", "`image`"),
  alertmanager: optional(imageReference(), "Such as prom/alertmanager, of 0.32 or later", "`image`"),
  database: optional(imageReference(), "Such as prom/mysqld-exporter", "`image`"),
  redis: optional(
    imageReference(),
    "Such as oliver006/redis_exporter, its variant with a shell (alpine), of 1.60 or later",
    "`image`",
  ),
  host: optional(imageReference(), "Such as prom/node-exporter", "`image`"),
});

/** Numbers, and alerts that are raised from them. */
export const monitoring = z.strictObject({
  enabled: optional(
    flag(),
    "Measure, and raise alerts",
    "true in staging and production where `image` is set; false on a local stack",
  ),
  image: optional(
    imageReference(),
    "Drydock's own image, with the collector and all that is not named in `images`",
    "**required** where `enabled`",
  ),
  images: images
    .prefault({})
    .meta({ description: "Other images, laid out as the official ones", expects: "an object with prometheus, …" }),
  uid: preset(id(), 65532, "The user that its containers run as"),
  gid: preset(id(), 65532, "The group that they run as"),
  memory: memory
    .prefault({})
    .meta({ description: "Memory limits", expects: "an object with prometheus, collector, …" }),
  cpus: preset(cpus(), 0.5, "Processor limit of each of its containers"),
  interval: preset(seconds(60), 15, "How often everything is measured"),
  retention: preset(integer(1, 365, "days"), 15, "How long numbers are kept"),
  retentionSize: preset(mebibytes(64), 1024, "How much disk they may take; the oldest go first"),
  containers: preset(
    flag(),
    true,
    "Ask Docker how the containers are, through a gate that lets four questions pass and nothing else",
  ),
  socket: optional(
    path("an absolute path", "/run/user/1000/docker.sock"),
    "Docker's socket on its host, for the gate",
    "the path in `docker.host`, or /var/run/docker.sock",
  ),
  network: optional(
    text("the name of a Docker network", (name) => /^[a-zA-Z0-9][\w.-]{0,62}$/.test(name), "grafana"),
    "A network of the Docker host that is there already, on which Prometheus can be asked by a Grafana or Prometheus " +
      "of your own, at `drydock-STACK:9090`; whoever is on it reads all numbers, and can change none",
    "none",
  ),
  alerts: parameters
    .prefault({})
    .meta({ description: "When alerts are raised (docs/alerts.md)", expects: "an object with errorRate, slow, …" }),
  for: preset(
    lasting,
    {},
    "How long something has to last before its alert is raised, where it is not to be what docs/alerts.md says",
  ),
  off: preset(
    list(text("the name of an alert, such as Slow", isAlert, "Slow"), 'a list of alerts, such as ["Slow"]', '["Slow"]'),
    [],
    "Alerts that are not wanted",
  ),
  repeat: preset(integer(1, 168, "hours"), 12, "How long until an alert that goes on is told again"),
  heartbeat: url()
    .optional()
    .meta({
      description:
        "An address that is called by POST every five minutes as long as alerts are evaluated and sent: a service " +
        "outside that tells when the calls stop",
      secret: true,
      computed: "none",
    }),
});
