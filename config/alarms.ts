import { defined } from "../lib/defined.ts";
import { at } from "../lib/paths.ts";
import type { Found, LenientSettings } from "./found.ts";
import { type Problem, removeCommand, secretCommand, setCommand } from "./problems.ts";
import type { Settings } from "./schema.ts";
import type { Stage } from "./stage.ts";

/** The ways that the earlier place has. */
const EARLIER = ["email", "webhook", "heartbeat"] as const;

/** Who is told: what `drydock:alarms` says, else its earlier place. */
export function alarmsOf({ alarms, backup }: Pick<Settings, "alarms" | "backup">): Settings["alarms"] {
  return { ...backup.alarms, ...defined(alarms) };
}

/**
 * Whether those who are told can be: what would cross a network in plain text is an error but on a local stack, where
 * such servers are on the same machine.
 */
export function checkAlarms(settings: LenientSettings, stage: Stage, stack: string): Found {
  const problems: Problem[] = [];
  const open: Problem[] = [];
  for (const place of ["alarms", "backup.alarms"]) {
    const group = at(settings, place.split(".")) as LenientSettings["alarms"];
    const path = (key: string) => `drydock:${place}.${key}`;
    const secret = (key: string) => secretCommand(path(key), undefined, stack);
    const { email, telegram } = group ?? {};
    if (email?.username !== undefined && email.password === undefined)
      problems.push({
        path: path("email.password"),
        message: "is missing, expected a password",
        remedy: secret("email.password"),
      });
    if (telegram !== undefined && telegram.token === undefined)
      problems.push({
        path: path("telegram.token"),
        message: "is missing, expected a bot's token",
        remedy: secret("telegram.token"),
      });
    for (const key of ["webhook", "slack", "discord"] as const)
      if (group?.[key]?.startsWith("http:"))
        open.push({
          path: path(key),
          message: "begins with http://: anyone on the network path would learn the address",
          remedy: secret(key),
        });
    if (email?.security === "none" && email.password !== undefined)
      open.push({
        path: path("email.security"),
        message: 'is "none": the password would cross the network in plain text',
        remedy: setCommand(path("email.security"), "starttls", stack),
      });
  }
  // What is wrong below it is said first: one is shown for a path and all that is below it.
  const moved = EARLIER.flatMap((key) => movedFrom(key, settings, stack)).filter(
    ({ path }) => !open.some((one) => `${one.path}.`.startsWith(`${path}.`)),
  );
  return stage === "local"
    ? { problems, warnings: [...open, ...moved] }
    : { problems: [...problems, ...open], warnings: moved };
}

/** What is said of the earlier place, which goes on working. */
function movedFrom(key: (typeof EARLIER)[number], { alarms, backup }: LenientSettings, stack: string): Problem[] {
  if (backup?.alarms?.[key] === undefined) return [];
  const path = `drydock:backup.alarms.${key}`;
  const message =
    alarms?.[key] === undefined
      ? `is drydock:alarms.${key} now, which is for all alarms; here it goes on working`
      : `is not looked at, for drydock:alarms.${key} is set`;
  const remedy =
    alarms?.[key] === undefined
      ? `in Pulumi.${stack}.yaml, put ${key} as it is into a group drydock:alarms`
      : removeCommand(path, stack);
  return [{ path, message, remedy }];
}
