import type { Call, Resource } from "../plugin/resource.ts";
import { bool, inPlace, list, map, required, str } from "../plugin/schema.ts";
import type { Values } from "../plugin/values.ts";
import { ask, authFor, docker, explain, follow } from "./engine.ts";

/** docker.RemoteImage: pulled unless it is there. `build` is not implemented: docker.Image builds. */
export const remoteImage: Resource = {
  schema: {
    name: required(str),
    keepLocally: inPlace(bool),
    forceRemove: inPlace(bool),
    platform: str,
    pullTriggers: list(str),
    triggers: map(str),
  },
  computed: ["imageId", "repoDigest"],
  async create(inputs, call) {
    const name = String(inputs.name);
    await ensureImage(name, call, inputs.platform as string | undefined);
    const outputs = (await live(inputs))!.outputs;
    return { id: `${outputs.imageId}${name}`, outputs };
  },
  compared: (state) => state,
  read: (_id, inputs) => live(inputs),
  async update(_id, _state, inputs) {
    return (await live(inputs))?.outputs ?? inputs;
  },
  async delete(_id, state) {
    if (state.keepLocally === true) return;
    await ask((engine) => engine.getImage(String(state.name)).remove({ force: state.forceRemove === true }));
  },
};

async function live(inputs: Values): Promise<{ inputs: Values; outputs: Values } | undefined> {
  const found = await ask((engine) => engine.getImage(String(inputs.name)).inspect());
  if (!found) return undefined;
  return { inputs, outputs: { ...inputs, imageId: found.Id, repoDigest: found.RepoDigests?.[0] ?? "" } };
}

/** Sees to it that an image is there: by name, tag, digest or id. */
export async function ensureImage(name: string, call: Call, platform?: string): Promise<void> {
  if (await ask((engine) => engine.getImage(name).inspect())) return;
  const remedy = "Check the name, log in (docker login), or build the image here first (docker.Image, docker build)";
  if (/^(sha256:)?[0-9a-f]{64}$/.test(name))
    throw new Error(`there is no image ${name} here, and an id can't be pulled. ${remedy}`);
  call.log("info", `pulling ${name}`, { passing: true });
  try {
    const engine = await docker();
    const reference = /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
    const stream = await engine.pull(
      reference,
      { ...(platform ? { platform } : {}), abortSignal: call.signal },
      undefined as any,
      authFor(name) as any,
    );
    await follow(stream, ({ id, status, progress }) =>
      call.log("info", [id, status, progress].filter(Boolean).join(" "), { passing: true }),
    );
  } catch (error) {
    throw new Error(`image ${name} is not here and could not be pulled: ${explain(error).message}. ${remedy}`);
  }
}
