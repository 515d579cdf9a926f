import { alarmsOf } from "./alarms.ts";
import type { Found, LenientSettings } from "./found.ts";
import { type Problem, secretCommand, setCommand } from "./problems.ts";
import type { Settings } from "./schema.ts";
import type { Stage } from "./stage.ts";

/** Whether the stack is measured: what the settings say, else where it is somebody's site and there is an image. */
export function isMonitored(
  { enabled, image }: Partial<Pick<Settings["monitoring"], "enabled" | "image">>,
  stage: Stage,
): boolean {
  return enabled ?? (stage !== "local" && image !== undefined);
}

/** Docker's socket on its host. */
export function socketOf({ monitoring, docker }: Pick<Settings, "monitoring" | "docker">): string {
  const [, path] = /^(?:unix:\/\/|ssh:\/\/[^/]+)(\/.+)$/.exec(docker.host ?? "") ?? [];
  return monitoring.socket ?? path ?? "/var/run/docker.sock";
}

/** Whether monitoring can be, and somebody hears of it. */
export function checkMonitoring(settings: LenientSettings, stage: Stage, stack: string): Found {
  const { monitoring, alarms, backup } = settings;
  const [problems, warnings]: [Problem[], Problem[]] = [[], []];
  if (monitoring === undefined || !("image" in monitoring)) return { problems, warnings };
  const set = (path: string, value: string) => setCommand(`drydock:${path}`, value, stack);
  const image = set("monitoring.image", "registry.example.com/shop/monitoring:1.0");
  if (monitoring.enabled === true && monitoring.image === undefined)
    problems.push({
      path: "drydock:monitoring.image",
      message: "is missing: expected Drydock's own image of monitoring (./drydock image push)",
      remedy: image,
    });
  if (monitoring.enabled === undefined && monitoring.image === undefined && stage !== "local")
    warnings.push({
      path: "drydock:monitoring.image",
      message: "is not set, so nothing is measured, and nobody hears that the site is down but from its visitors",
      remedy: `${image}\nor, where something else watches: ${set("monitoring.enabled", "false")}`,
    });
  const told = alarms === undefined || backup === undefined ? undefined : alarmsOf({ alarms, backup } as Settings);
  const { heartbeat: _, ...ways } = told ?? {};
  if (told !== undefined && isMonitored(monitoring, stage) && Object.values(ways).every((way) => way === undefined))
    warnings.push({
      path: "drydock:alarms",
      message: "is empty, so nobody is told of alerts: ./drydock alerts shows them",
      remedy: secretCommand("drydock:alarms.slack", undefined, stack),
    });
  return { problems, warnings };
}
