import { spawn, spawnSync } from "node:child_process";
import { hostname, userInfo } from "node:os";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { createTar, parseTar } from "nanotar";
import { confined } from "../shared/confined.ts";
import type { Docker } from "../shared/docker.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { dataNetworkOf } from "../shared/networks.ts";
import type { Outputs } from "../shared/stack.ts";

/** What takes the lock of a stack on its Docker host. */
export type Purpose = "restore" | "import" | "up";

/** Where a stack's lock is: a container's name, of which the Docker host gives out one. */
export interface LockPlace {
  readonly name: string;
  /** What it is a container of: any image with a shell. */
  readonly image: string;
  readonly user: string;
  readonly stack: string;
}

export interface LockHolder {
  readonly id: string;
  /** `held`: its command line is at work; `left`: it was killed, or the machine stopped. */
  readonly state: "held" | "left";
  readonly purpose: Purpose;
  readonly by: string;
  readonly since: string;
  /** In words: which backup, for example. */
  readonly about: string;
}

/** Taken by one command line of all machines; it is lost with the connection to the Docker host. */
export interface HostLock {
  readonly place: LockPlace;
  /** Keeps a file in it, for whoever has to clear up. */
  save(file: string, content: string): Promise<void>;
  /** Gives it back: all is as it should be. */
  release(): Promise<void>;
  /** Leaves it for whoever has to clear up. */
  leave(): Promise<void>;
}

interface Found {
  readonly Config: { readonly Image: string; readonly User: string };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, unknown>> };
}

/** Undefined where the stack has no agent: nobody restores anything. */
export async function lockPlace(
  docker: Docker,
  { services, stack }: Pick<Outputs, "services" | "stack">,
): Promise<LockPlace | undefined> {
  const agent = services.find(({ role }) => role === "backup")?.container;
  if (agent === undefined) return undefined;
  const { code, stdout } = await docker.run(["container", "inspect", agent]);
  if (code !== 0) return undefined;
  const [{ Config, NetworkSettings }] = JSON.parse(stdout) as [Found];
  const network = dataNetworkOf(Object.keys(NetworkSettings.Networks));
  return network === undefined
    ? undefined
    : { name: `${network}-restore`, image: Config.Image, user: Config.User, stack };
}

interface Inspected {
  readonly Id: string;
  readonly Created: string;
  readonly State: { readonly Running: boolean; readonly Status: string };
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
}

/** How long, in ms, a command line has to start a container that it has made. */
const STARTING = 60_000;

export async function holderOf(docker: Docker, { name }: LockPlace, now = Date.now()): Promise<LockHolder | undefined> {
  const { code, stdout } = await docker.run(["container", "inspect", name]);
  if (code !== 0) return undefined;
  const [{ Id, Created, State, Config }] = JSON.parse(stdout) as [Inspected];
  const label = (one: string): string => Config.Labels[`drydock.lock.${one}`] ?? "";
  const starting = State.Status === "created" && now - Date.parse(Created) < STARTING;
  return {
    id: Id,
    state: State.Running || starting ? "held" : "left",
    purpose: label("purpose") as Purpose,
    by: label("by"),
    since: label("since"),
    about: label("about"),
  };
}

const DOING: Readonly<Record<Purpose, string>> = {
  restore: "data is being restored",
  import: "data is being imported",
  up: "it is being deployed",
};

/** Who holds the lock, for a message. */
export function heldByOther({ stack }: LockPlace, { purpose, by, since, about }: LockHolder): CliError {
  return new CliError({
    what:
      `stack ${stack}: ${DOING[purpose] ?? "it is being changed"}${about === "" ? "" : ` (${about})`} by ${by}, ` +
      `since ${since}; nothing was changed`,
    remedy: "wait until that has ended, then run the command again",
    code: Exit.refused,
    held: {},
  });
}

/** A file of a lock that was left behind. */
export async function savedIn(
  docker: Docker,
  { id }: Pick<LockHolder, "id">,
  file: string,
): Promise<string | undefined> {
  const { code, stdout } = await docker.run(["cp", `${id}:/drydock/${file}`, "-"], { encoding: "latin1" });
  if (code !== 0) return undefined;
  // A copy: nanotar reads the whole memory that a buffer is a part of, and Node puts small ones together.
  return parseTar(Uint8Array.from(Buffer.from(stdout, "latin1"))).find(({ name }) => name === file)?.text;
}

/**
 * Takes the lock. One that was left behind has to be gone first: see `holderOf`.
 * @throws CliError (refused) naming who holds it
 */
export async function takeHostLock(
  docker: Docker,
  place: LockPlace,
  purpose: Purpose,
  about: string,
): Promise<HostLock> {
  const { name, image, user, stack } = place;
  const labels = {
    "drydock.lock.purpose": purpose,
    "drydock.lock.by": `${userInfo().username}@${hostname()}`,
    "drydock.lock.since": new Date().toISOString(),
    "drydock.lock.about": about,
  };
  const { code, stdout, stderr } = await docker.run([
    "create",
    "--interactive",
    "--init",
    "--name",
    name,
    ...Object.entries(labels).flatMap(([label, value]) => ["--label", `${label}=${value}`]),
    ...confined({ user, stack, pids: 16 }),
    "--memory",
    "32m",
    "--log-driver",
    "none",
    "--entrypoint",
    "sh",
    image,
    "-c",
    "echo locked; exec cat",
  ]);
  if (code !== 0) {
    if (!/is already in use/.test(stderr))
      throw new CliError({ what: `the lock of stack ${stack} could not be taken: ${stderr.trim()}` });
    const holder = await holderOf(docker, place);
    throw holder === undefined
      ? new CliError({
          what: `stack ${stack} is being changed by somebody else; nothing was changed`,
          remedy: "run the command again",
          code: Exit.refused,
          held: {},
        })
      : heldByOther(place, holder);
  }
  const id = stdout.trim();
  const { closed, letGo } = await hold(docker, id);
  // Interrupted before anything was touched, it leaves nothing to clear up.
  let untouched = true;
  const exit = (): void => {
    if (untouched) spawnSync("docker", ["rm", "--force", "--volumes", id], { env: docker.env, stdio: "ignore" });
  };
  process.once("exit", exit);
  return {
    place,
    save: async (file, content) => {
      untouched = false;
      const said = await docker.run(["cp", "-", `${id}:/`], {
        input: createTar([{ name: `drydock/${file}`, data: content, attrs: { mode: "400" } }]),
      });
      if (said.code !== 0) throw new CliError({ what: `the lock of stack ${stack} is lost: ${said.stderr.trim()}` });
    },
    leave: async () => {
      untouched = false;
      letGo();
      await Promise.race([closed, sleep(5_000, undefined, { ref: false })]);
    },
    release: async () => {
      process.off("exit", exit);
      await docker.run(["rm", "--force", "--volumes", id]);
      await Promise.race([closed, sleep(2_000, undefined, { ref: false })]);
    },
  };
}

/**
 * The container runs as long as this process holds its standard input; it is of another process group, so that Ctrl-C
 * is not for it.
 */
async function hold(docker: Docker, id: string): Promise<{ readonly closed: Promise<void>; letGo(): void }> {
  const child = spawn("docker", ["start", "--attach", "--interactive", id], {
    env: docker.env,
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  child.stdin.on("error", () => undefined);
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-1000);
  });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line === "locked") resolve();
    });
    void closed.then(() => reject(new CliError({ what: `the lock could not be held: ${said.trim()}` })));
  });
  return { closed, letGo: () => void child.stdin.end() };
}

/** Removes a lock that was left behind, and no other: another one may have the name by now. */
export async function removeLeft(docker: Docker, { id }: LockHolder): Promise<void> {
  await docker.run(["rm", "--volumes", id]);
}
