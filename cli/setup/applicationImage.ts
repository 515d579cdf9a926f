import { confined } from "../shared/confined.ts";
import type { Docker } from "../shared/docker.ts";
import type { Session } from "../shared/session.ts";
import { isNew, settingAt, stackConfig } from "../shared/stack.ts";
import { type Entry, readStackFile, writeEntries } from "./stackFile.ts";

/** What Drydock takes where the settings say nothing. */
const DEFAULTS = { path: "/var/www/html", uid: 1000, gid: 1000 } as const;
type Place = Readonly<{ [Name in keyof typeof DEFAULTS]: (typeof DEFAULTS)[Name] extends string ? string : number }>;

/** What `app.uid` and `app.gid` may be. */
const isId = (id: number): boolean => Number.isInteger(id) && id > 0 && id < 65_535;

/** For sh in the image, with the folders to look into: whom it runs as, and whose the application is in the first. */
const LOOK =
  'id -u; id -g; for folder; do [ -e "$folder/artisan" ] || continue; ' +
  'stat -c "%u %g" "$folder/artisan"; echo "$folder"; break; done';

interface LookOptions {
  readonly stack: string;
  /** Where the application is, as the settings say it. */
  readonly path?: string;
  /** Pulls an image that is not on the Docker host. */
  readonly pull: boolean;
  readonly log: (line: string) => void;
}

/**
 * Where the application is in an image, and whom it belongs to: the image's USER or, where that is root, the owner of
 * its files. What can't be seen, or is root's, is as by default.
 * @returns undefined where there is no such image
 */
export async function lookInto(
  docker: Docker,
  image: string,
  { stack, path, pull, log }: LookOptions,
): Promise<Place | undefined> {
  const inspect = () => docker.run(["image", "inspect", "--format", "{{json .Config}}", image]);
  let found = await inspect();
  if (found.code !== 0) {
    if (!pull) return undefined;
    log(`${image}: pulling it, to see whom it runs as`);
    // Who deploys it says why there is none.
    if ((await docker.run(["pull", "--quiet", image])).code !== 0) return undefined;
    found = await inspect();
  }
  const { User: user = "", WorkingDir: folder = "" } = JSON.parse(found.stdout) as Record<string, string | undefined>;
  const folders = path === undefined ? [DEFAULTS.path, folder] : [path];
  const said = await docker.run([
    "run",
    "--rm",
    "--log-driver",
    "none",
    ...confined({ user: user === "" ? "0:0" : user, stack }),
    "--entrypoint",
    "/bin/sh",
    image,
    "-c",
    LOOK,
    "look",
    ...folders.filter((one) => one !== ""),
  ]);
  const [uid = "", gid = "", owner = "", where] = said.stdout.trim().split("\n");
  const [first] = [[uid, gid], owner.split(" ")].filter(([id]) => isId(Number(id)));
  const [own, group] = (first ?? [DEFAULTS.uid, DEFAULTS.gid]).map(Number) as [number, number];
  return {
    path: where ?? path ?? DEFAULTS.path,
    uid: own,
    // Root's group is nobody's whom a container may run as: settings refuse it.
    gid: isId(group) ? group : own,
  };
}

/**
 * Writes into the file of a stack that is new what the image of its application says: `app.uid` and `app.gid`, unless
 * one of them is set, and `app.path`. Later ones are the user's to change: volumes belong to whom they were made for.
 */
export async function adoptImage(
  session: Session,
  docker: Docker,
  { pull, log }: Pick<LookOptions, "pull" | "log">,
): Promise<void> {
  const { stack, env, paths, pulumi } = session;
  const config = stackConfig(paths, stack);
  const setting = (name: string) => settingAt(config, `app.${name}`);
  const image = setting("image");
  const given = { path: setting("path"), owner: setting("uid") ?? setting("gid") };
  if (typeof image !== "string" || (given.path !== undefined && given.owner !== undefined) || !isNew(stack, env))
    return;
  const path = typeof given.path === "string" ? { path: given.path } : {};
  const place = await lookInto(docker, image, { stack, ...path, pull, log });
  if (place === undefined) return;
  const names = [
    ...(given.path === undefined ? (["path"] as const) : []),
    ...(given.owner === undefined ? (["uid", "gid"] as const) : []),
  ];
  const entries: readonly Entry[] = names
    .filter((name) => place[name] !== DEFAULTS[name] || (name !== "path" && place.uid !== DEFAULTS.uid))
    .map((name) => ({ path: `drydock:app.${name}`, value: place[name], secret: false }));
  if (entries.length === 0) return;
  const words = entries.map(({ path: name, value }) => `${name} ${String(value)}`);
  log(`Pulumi.${stack}.yaml, as ${image} says it: ${words.join(", ")}`);
  await writeEntries(pulumi, paths, stack, readStackFile(paths.stackFile(stack)), entries);
}
