import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import type { Call, Resource } from "../plugin/resource.ts";
import { NotReady } from "../plugin/resource.ts";
import type { Failure } from "../plugin/schema.ts";
import { changes } from "../plugin/schema.ts";
import type { Values } from "../plugin/values.ts";
import { hasUnknown } from "../plugin/values.ts";
import { ask, Refused, tell } from "./engine.ts";
import * as journal from "./journal.ts";
import { removeLeftover } from "./leftover.ts";
import { listenTo } from "./news.ts";
import { ensureImage } from "./remote-image.ts";
import { containerSchema, createOptions, limits } from "./spec.ts";
import { compared, drifted, outputsOf } from "./state.ts";
import { archiveOf } from "./uploads.ts";
import { lastWords, TAIL } from "./words.ts";

/** How often a container that is to be gone is looked for, in ms. */
const POLL = 100;
/** Lines of the container's log that are looked through for what an error shows. */
const LOG = 500;

/** What is changed in a running container. */
const LIMITS = ["restart", "maxRetryCount", "cpuShares", "memory", "cpuSet", "memorySwap"];

/** docker.Container. The id is Docker's. */
export const container: Resource = {
  schema: containerSchema,
  autoname: true,
  // the official plugin says so too; a program that wants otherwise writes deleteBeforeReplace: false
  deleteBeforeReplace: true,
  computed: ["bridge", "containerLogs", "exitCode", "networkDatas"],
  check(inputs) {
    const failures: Failure[] = [];
    const uploads = (hasUnknown(inputs.uploads) ? [] : (inputs.uploads ?? [])) as Values[];
    uploads.forEach((upload, i) => {
      const given = ["content", "contentBase64", "source"].filter(
        (key) => upload[key] !== undefined && upload[key] !== "",
      );
      if (given.length !== 1)
        failures.push({
          property: `uploads[${i}]`,
          reason:
            `"uploads[${i}]" (${upload.file}) needs exactly one of content, contentBase64, source; ` +
            `it has ${given.length === 0 ? "none" : given.join(", ")}`,
        });
    });
    ((inputs.volumes ?? []) as Values[]).forEach((volume, i) => {
      if (typeof volume.hostPath === "string" && !hasUnknown(volume) && !volume.hostPath.startsWith("/"))
        failures.push({
          property: `volumes[${i}].hostPath`,
          reason: `"volumes[${i}].hostPath" must be an absolute path, but is "${volume.hostPath}"`,
        });
    });
    return failures;
  },
  compared,
  create,
  async read(id, inputs, state) {
    const found = await ask((docker) => docker.getContainer(id).inspect());
    if (!found) return undefined;
    return {
      inputs: drifted(inputs, found),
      outputs: { ...outputsOf(inputs, found), containerLogs: state.containerLogs ?? "" },
    };
  },
  async update(id, state, inputs) {
    const handle = (docker: Docker): Docker.Container => docker.getContainer(id);
    // As the official plugin: one that was found stopped is started, and nobody waits for it.
    if (state.mustRun === false && inputs.mustRun === true && inputs.start === true)
      await tell((docker) => handle(docker).start());
    if (changes(containerSchema, compared(state), inputs).some(({ key }) => LIMITS.includes(key))) {
      await tell((docker) => handle(docker).update(limits(inputs)));
    }
    return {
      ...outputsOf(inputs, await tell((docker) => handle(docker).inspect())),
      containerLogs: state.containerLogs ?? "",
    };
  },
  async delete(id, state, call) {
    const grace = Number(state.destroyGraceSeconds ?? 0);
    if (grace > 0 && state.attach !== true) {
      call.log("info", `stopping, with up to ${grace} s to finish`, { passing: true });
      await ask((docker) => docker.getContainer(id).stop({ t: grace, abortSignal: call.signal })).catch(
        (error: { statusCode?: number } & Error) => {
          if (error.message !== "container already stopped" && !/304/.test(error.message)) throw error;
        },
      );
    }
    await ask((docker) => docker.getContainer(id).remove({ force: true, v: state.removeVolumes !== false })).catch(
      (error: Error) => {
        if (!error.message.includes("already in progress")) throw error;
      },
    );
    while (await ask((docker) => docker.getContainer(id).inspect()))
      await sleep(POLL, undefined, { signal: call.signal });
  },
};

async function create(inputs: Values, call: Call): Promise<{ id: string; outputs: Values }> {
  await removeLeftover(call);
  await ensureImage(String(inputs.image), call);
  await refuseOptions(inputs);
  const options = createOptions(inputs);
  const entry = journal.begin(call, String(inputs.name));
  const made = await tell((docker) => docker.createContainer({ ...options, abortSignal: call.signal })).catch(
    (error) => {
      if (error instanceof Refused) journal.abandoned(entry);
      throw new Error(`container ${inputs.name} could not be created: ${error.message}`);
    },
  );
  const { id } = made;
  try {
    await connect(id, inputs);
    const files = archiveOf((inputs.uploads ?? []) as Values[]);
    if (files) await tell((docker) => docker.getContainer(id).putArchive(files, { path: "/" }));
    call.signal.throwIfAborted();
    if (inputs.start === true) await tell((docker) => docker.getContainer(id).start());
  } catch (error) {
    // It never ran, so there is nothing to look at: it goes, and the state stays clean.
    await ask((docker) => docker.getContainer(id).remove({ force: true, v: true }));
    journal.abandoned(entry);
    throw new Error(`container ${inputs.name} could not be started: ${(error as Error).message}`);
  }
  let containerLogs = "";
  try {
    if (inputs.start === true && inputs.attach === true) {
      await tell((docker) => docker.getContainer(id).wait({ abortSignal: call.signal }));
      if (inputs.logs === true) containerLogs = await logsOf(id, "all");
    }
    await ready(id, inputs, call);
  } catch (error) {
    if (!(await ask((docker) => docker.getContainer(id).inspect()))) throw error;
    journal.created(entry, id);
    throw new NotReady((error as Error).message, id, { ...inputs, containerLogs });
  }
  const outputs = { ...outputsOf(inputs, await tell((docker) => docker.getContainer(id).inspect())), containerLogs };
  journal.created(entry, id);
  return { id, outputs };
}

/** As the official plugin, which asks for a subfolder of a volume as soon as there is any option of it. */
async function refuseOptions(inputs: Values): Promise<void> {
  if (
    !((inputs.mounts ?? []) as Values[]).some(
      ({ type, volumeOptions }) => type === "volume" && volumeOptions !== undefined,
    )
  )
    return;
  const { ApiVersion } = await tell((docker) => docker.version());
  if (ApiVersion < "1.45") throw new Error("Setting VolumeOptions.Subpath requires docker version 1.45 or higher");
}

/** Attaches to the networks of `networksAdvanced`, in place of the default one. */
async function connect(id: string, inputs: Values): Promise<void> {
  const networks = (inputs.networksAdvanced ?? []) as any[];
  if (networks.length === 0) return;
  if (inputs.networkMode === "bridge")
    await ask((docker) => docker.getNetwork("bridge").disconnect({ Container: id })).catch(() => undefined);
  for (const { name, aliases, ipv4Address, ipv6Address } of networks) {
    await tell((docker) =>
      docker.getNetwork(name).connect({
        Container: id,
        EndpointConfig: {
          Aliases: aliases ?? [],
          IPAMConfig: {
            ...(ipv4Address ? { IPv4Address: ipv4Address } : {}),
            ...(ipv6Address ? { IPv6Address: ipv6Address } : {}),
          },
        },
      }),
    ).catch((error: Error) => {
      throw new Error(`network ${name}: ${error.message}`);
    });
  }
}

/**
 * Returns with `wait` when the container is healthy. An error says why it isn't, with its last words; the official
 * plugin waits for all of `waitTimeout`.
 */
async function ready(id: string, inputs: Values, call: Call): Promise<void> {
  if (inputs.start !== true || inputs.wait !== true) return;
  const news = await listenTo(id);
  try {
    await untilHealthy(id, inputs, call, news.next);
  } finally {
    news.close();
  }
}

async function untilHealthy(id: string, inputs: Values, call: Call, news: () => Promise<void>): Promise<void> {
  const started = Date.now();
  const seconds = (): number => Math.round((Date.now() - started) / 1000);
  const limit = Number(inputs.waitTimeout) * 1000;
  for (;;) {
    const found = await ask((docker) => docker.getContainer(id).inspect());
    if (!found) throw new Error(`container ${inputs.name} was removed by somebody else while it was starting`);
    const { Running, Restarting, ExitCode, Health, OOMKilled, Error: reason } = found.State;
    const failure = async (why: string): Promise<Error> =>
      new Error(
        [
          `container ${inputs.name} (image ${inputs.image}) ${why}`,
          ...(Health?.Log?.length
            ? [
                `its last health check (exit code ${Health.Log.at(-1)!.ExitCode}) said:`,
                indent(Health.Log.at(-1)!.Output),
              ]
            : []),
          "its last log lines:",
          indent(lastWords(await logsOf(id, LOG))),
          "it is kept for a look (docker logs, docker inspect), and the next update replaces it",
        ].join("\n"),
      );
    if (!Running || Restarting) {
      throw await failure(
        `${Restarting ? "keeps restarting" : "has stopped"} ${seconds()} s after its start: ` +
          `exit code ${ExitCode}${OOMKilled ? ", out of memory (raise `memory`)" : ""}` +
          `${reason ? `, ${reason}` : ""}`,
      );
    }
    if (!Health) throw await failure("has no health check to wait for: give it `healthcheck`, or leave out `wait`");
    if (Health.Status === "healthy") return;
    if (Health.Status === "unhealthy") throw await failure(`became unhealthy ${seconds()} s after its start`);
    if (Date.now() - started > limit) throw await failure(`is not healthy after ${inputs.waitTimeout} s (waitTimeout)`);
    if (call.signal.aborted)
      throw await failure(
        `was not yet healthy when the update was stopped (${(call.signal.reason as Error)?.message ?? "cancelled"})`,
      );
    await news();
  }
}

async function logsOf(id: string, tail: number | "all"): Promise<string> {
  const found = await ask((docker) => docker.getContainer(id).inspect());
  const raw = await ask((docker) =>
    docker.getContainer(id).logs({ stdout: true, stderr: true, ...(tail === "all" ? {} : { tail }) }),
  ).catch(() => undefined);
  if (!raw || !found) return "";
  if (found.Config.Tty) return raw.toString("utf8");
  let text = "";
  for (let at = 0; at + 8 <= raw.length; at += 8 + raw.readUInt32BE(at + 4))
    text += raw.toString("utf8", at + 8, at + 8 + raw.readUInt32BE(at + 4));
  return text;
}

const indent = (text: string): string =>
  text.trim() === ""
    ? "  (nothing)"
    : text
        .trimEnd()
        .split("\n")
        .slice(-TAIL)
        .map((line) => `  ${line}`)
        .join("\n");
