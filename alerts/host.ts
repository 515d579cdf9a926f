import type { Alert } from "./alert.ts";

/** The disk that Docker has its data on. */
const DISK = 'mountpoint="/host"';
const free = (what: "avail" | "free", of: "bytes" | "files") =>
  of === "bytes"
    ? `node_filesystem_${what}_bytes{${DISK}} / node_filesystem_size_bytes{${DISK}}`
    : `node_filesystem_files_free{${DISK}} / (node_filesystem_files{${DISK}} > 0)`;

/** The machine that Docker runs on. */
export const host: readonly Alert[] = [
  {
    name: "DiskFull",
    severity: "critical",
    summary: "{{ $value | humanizePercentage }} of the disk is free",
    why: "full, the database stops, Redis refuses to write, uploads and backups fail",
    remedy: "see what has grown; images and logs of earlier releases can go",
    command: "docker system df; df -h",
    expression: ({ diskFree }) => `${free("avail", "bytes")} < ${diskFree / 100}`,
    for: "5m",
  },
  {
    name: "DiskFillsUp",
    severity: "warning",
    summary: "the disk will be full within a day if it goes on like this",
    why: "there is time now to see what grows",
    remedy: "see what has grown in the last hours",
    command: "docker system df; du -xsh /var/lib/docker/volumes/*",
    // A disk that is half empty has room for a large backup.
    expression: () =>
      `predict_linear(node_filesystem_avail_bytes{${DISK}}[6h], 86400) < 0 and ${free("avail", "bytes")} < 0.4`,
    for: "30m",
  },
  {
    name: "InodesFull",
    severity: "critical",
    summary: "{{ $value | humanizePercentage }} of the disk's inodes are left",
    why: "without any no file can be made, however much room there is",
    remedy: "find the folder with very many small files: sessions, cached views",
    command: "df -i",
    expression: ({ inodesFree }) => `${free("free", "files")} < ${inodesFree / 100}`,
    for: "5m",
  },
  {
    name: "HostMemory",
    severity: "warning",
    summary: "{{ $value | humanizePercentage }} of the machine's memory is available",
    why: "the kernel soon ends a process, and that may be the database",
    remedy: "see what uses it; the sum of the limits should fit the machine",
    command: "./drydock host check; docker stats --no-stream",
    expression: ({ memoryFree }) => `node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < ${memoryFree / 100}`,
    for: "10m",
  },
  {
    name: "HostPressure",
    severity: "warning",
    summary: "for {{ $value | humanizePercentage }} of the time something on the machine waits for memory or disk",
    why: "everything on the machine is slow, other stacks too",
    remedy: "see what reads and writes, or uses so much memory",
    command: "docker stats --no-stream",
    expression: ({ memoryPressure, diskPressure }) =>
      `rate(node_pressure_memory_waiting_seconds_total[5m]) > ${memoryPressure / 100} ` +
      `or rate(node_pressure_io_waiting_seconds_total[5m]) > ${diskPressure / 100}`,
    for: "10m",
  },
];
