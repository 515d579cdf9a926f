import { LASTING } from "../../config/roles.ts";
import { FOLDERS } from "../../contracts/proxy.ts";
import { type Docker, dockerFailure } from "../shared/docker.ts";
import { stateFolder } from "../shared/environment.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { heldBy, judge, pulumiLocks, readHolder } from "../shared/locks.ts";
import { imageOf } from "../shared/lostImages.ts";
import { type Deployed, deployed } from "../shared/services.ts";
import type { Session } from "../shared/session.ts";
import { readDeployment, type StateResource } from "../shared/stack.ts";
import { compare, namesOf } from "./compare.ts";
import type { Finding, Live, LiveContainer } from "./live.ts";

/** How long one question to Docker may take, in ms. */
const PATIENCE = 60_000;

/**
 * Compares the state with what is on the Docker host, reading only: no lock, no plugin. A refresh is no way to look,
 * not even `pulumi refresh --preview-only`: Docker's official plugin removes a stopped container when it reads it.
 * @throws CliError (refused) while the stack is being changed
 */
export async function gather(
  session: Session,
): Promise<{ readonly findings: readonly Finding[]; readonly target: Deployed }> {
  const { stack, pulumi } = session;
  refuseWhileChanging(session);
  const [target, { resources }] = await Promise.all([deployed(session), readDeployment(pulumi, stack)]);
  return { findings: compare(stack, resources, await look(target.docker, stack, resources)), target };
}

/** In the middle of a release there are containers that the state doesn't know yet. */
function refuseWhileChanging({ paths, stack, env }: Session): void {
  const state = stateFolder(env);
  const holders = [readHolder(paths.lock(stack)), ...(state === undefined ? [] : pulumiLocks(state, stack))];
  const busy = holders.find((holder) => ["alive", "elsewhere"].includes(judge(holder)));
  if (busy !== undefined) throw heldBy(stack, busy);
}

async function look(docker: Docker, stack: string, resources: readonly StateResource[]): Promise<Live> {
  const ask = async (args: readonly string[], missing: RegExp = /^$/): Promise<string> => {
    const { code, stdout, stderr } = await docker.run(args, { timeout: PATIENCE });
    const complaints = stderr.split("\n").filter((line) => line !== "" && !missing.test(line));
    if (code === 124)
      throw new CliError({
        what: `Docker did not answer within ${PATIENCE / 1000} s (docker ${args[0]} ${args[1]})`,
        remedy: "docker version",
        code: Exit.failed,
      });
    if (code !== 0 && complaints.length > 0) throw dockerFailure(complaints.join("\n"), stack);
    return stdout;
  };
  const lines = (output: string): readonly string[] => output.split("\n").filter((line) => line !== "");
  const json = <T>(output: string): readonly T[] => (output.trim() === "" ? [] : (JSON.parse(output) as T[]));
  const [networks, volumes] = [namesOf(resources, "network"), namesOf(resources, "volume")];

  const filters = [
    ...networks.map((name) => `network=${name}`),
    ...volumes.map((name) => `volume=${name}`),
    `label=drydock.stack=${stack}`,
  ];
  const listed = await Promise.all(
    filters.map((filter) => ask(["ps", "--all", "--quiet", "--no-trunc", "--filter", filter], /network .* not found/i)),
  );
  const own = resources.filter(({ type }) => type === "docker:index/container:Container");
  const ids = [...new Set([...own.flatMap(({ id }) => id ?? []), ...listed.flatMap(lines)])];
  const containers =
    ids.length === 0 ? [] : json<LiveContainer>(await ask(["container", "inspect", ...ids], /No such container/i));

  const images = [
    ...own.map(({ inputs }) => inputs?.image),
    ...resources.map(({ type, inputs }) => imageOf(type, inputs)),
  ];
  const references = [...new Set(images.filter((image) => typeof image === "string"))];
  const running = (role: string): readonly LiveContainer[] =>
    containers.filter(
      ({ Id, State, Config }) =>
        State.Running && Config.Labels?.["drydock.role"] === role && own.some(({ id }) => id === Id),
    );
  const laravel = LASTING.flatMap(running);
  const [proxy] = running("proxy");
  const [foundNetworks, foundVolumes, foundImages, diffs, site] = await Promise.all([
    networks.length === 0 ? "" : ask(["network", "inspect", ...networks], /not found|No such network/i),
    volumes.length === 0 ? "" : ask(["volume", "inspect", ...volumes], /no such volume|not found/i),
    Promise.all(
      references.map(
        async (image) =>
          [image, (await ask(["image", "inspect", "--format", "{{.Id}}", image], /No such image/i)).trim()] as const,
      ),
    ),
    Promise.all(
      laravel.map(
        async ({ Id }) =>
          [Id, lines(await ask(["diff", Id], /No such container/i)).map((line) => line.slice(2))] as const,
      ),
    ),
    proxy === undefined
      ? undefined
      : docker.run(["exec", proxy.Id, "cat", `${FOLDERS.state}/site.conf`], { timeout: PATIENCE }),
  ]);
  return {
    containers,
    networks: Object.fromEntries(
      json<{ Name: string; Internal: boolean }>(foundNetworks).map((network) => [network.Name, network]),
    ),
    volumes: json<{ Name: string }>(foundVolumes).map(({ Name }) => Name),
    images: Object.fromEntries(foundImages.filter(([, id]) => id !== "")),
    files: Object.fromEntries(diffs),
    ...(site?.code === 0 ? { site: site.stdout } : {}),
  };
}
