/** Which resources of the program are which step of page/steps.ts, by their names; the first that fits. */
const RESOURCES: readonly (readonly [RegExp, string])[] = [
  [/^(app-image|preflight)$/, "image"],
  [/^(database(-check)?|redis(-cache)?(-check|-password)?|limits)$/, "servers"],
  [/^(backup|migrate|assets|switch|opcache|scheduler|verify|record)$/, "$1"],
  [/^app-\d+$/, "replicas"],
  [/^switch-drained$/, "drained"],
  // Reverb and the like are served by the proxy, and start with the replicas; the others after the switch.
  [/^(horizon|worker-.+)$/, "workers"],
];

/** Containers that the engine takes away at the end, after all steps. */
const LAST = new Set(["replicas", "workers"]);

/** The types of what takes time in a release. */
const TYPES =
  /^(docker:index\/container:Container|docker:index\/(remoteImage:RemoteImage|image:Image)|command:local:Command)$/;

/** The step that an operation on a resource belongs to; undefined where it is none of a release. */
export function stepOf(type: string, name: string, operation = ""): string | undefined {
  if (!TYPES.test(type)) return undefined;
  const [pattern, step] = RESOURCES.find(([one]) => one.test(name)) ?? [];
  if (pattern === undefined || step === undefined) return undefined;
  const id = step === "$1" ? name : step;
  return operation.startsWith("delete") && LAST.has(id) ? "old" : id;
}
