import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Call, Resource } from "../plugin/resource.ts";
import { bool, inPlace, list, map, object, required, str, withDefault } from "../plugin/schema.ts";
import type { Values } from "../plugin/values.ts";
import { hasUnknown } from "../plugin/values.ts";
import { digestOf, filesOf, ignoring } from "./context.ts";
import { authFor, docker, explain, follow } from "./engine.ts";

/** Lines of the build's output that an error shows. */
const TAIL = 20;

/**
 * docker.Image: builds with Docker's classic builder and, unless `skipPush`, pushes. Every change builds again, in
 * place.
 */
export const image: Resource = {
  schema: {
    imageName: inPlace(required(str)),
    skipPush: inPlace(withDefault(bool, false)),
    buildOnPreview: inPlace(withDefault(bool, false)),
    registry: inPlace(object({ server: str, username: str, password: str })),
    build: inPlace(
      object({
        context: withDefault(str, "."),
        dockerfile: str,
        args: map(str),
        target: str,
        platform: str,
        network: str,
        addHosts: list(str),
        builderVersion: { ...str, oneOf: ["BuilderV1"] },
        contextDigest: str,
      }),
    ),
  },
  computed: ["baseImageName", "context", "dockerfile", "platform", "registryServer", "repoDigest"],
  secret: ["__inputs"],
  check(inputs, call) {
    if (inputs.buildOnPreview === true)
      return [
        {
          property: "buildOnPreview",
          reason: "the offline stand-in does not build in a preview; leave buildOnPreview out",
        },
      ];
    const build = (inputs.build ??= { context: "." }) as Values;
    if (hasUnknown(build.context) || hasUnknown(build.dockerfile)) return [];
    const { context, dockerfile } = placesOf(build);
    if (!existsSync(context)) return [{ property: "build.context", reason: `there is no folder ${context}` }];
    if (!existsSync(dockerfile))
      return [
        {
          property: "build.dockerfile",
          reason: `there is no file ${dockerfile}; the path is relative to the project, as with docker build -f`,
        },
      ];
    build.dockerfile ??= join(String(build.context), "Dockerfile");
    try {
      build.contextDigest = digestOf(String(build.context), String(build.dockerfile));
    } catch (error) {
      return [{ property: "build.context", reason: `unable to hash build context: ${(error as Error).message}` }];
    }
    if (build.platform === undefined) {
      const names: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
      build.platform = `linux/${names[process.arch] ?? process.arch}`;
      call.log(
        "info",
        `Building your image for ${build.platform} architecture.\nTo ensure you are building for the correct ` +
          "platform, consider explicitly setting the `platform` field on ImageBuildOptions.",
      );
    }
    return [];
  },
  // The official plugin keeps its inputs in the state, and compares with them. Without them it builds again.
  compared: (state, inputs) => (state.__inputs as Values | undefined) ?? inputs,
  async create(inputs, call) {
    return { id: String(inputs.imageName), outputs: await build(inputs, call) };
  },
  update: (_id, _state, inputs, call) => build(inputs, call),
  async delete() {
    /* as the official plugin: a built image stays */
  },
};

function placesOf(build: Values): { context: string; dockerfile: string } {
  const context = resolve(String(build.context ?? "."));
  return {
    context,
    dockerfile: build.dockerfile === undefined ? join(context, "Dockerfile") : resolve(String(build.dockerfile)),
  };
}

async function build(inputs: Values, call: Call): Promise<Values> {
  const spec = inputs.build as Values;
  const name = String(inputs.imageName);
  const { context, dockerfile } = placesOf(spec);
  const inside = relative(context, dockerfile);
  const outside = inside.startsWith("..");
  const asked = outside ? ".dockerfile.drydock" : inside;
  const ignored = ignoring(context, dockerfile);
  const engine = await docker();
  const { default: tar } = await import("tar-fs");
  const pack = tar.pack(context, {
    // The Dockerfile stays, whatever is left out.
    entries: [...filesOf(context, (path) => path !== inside && ignored(path))],
    map: (header: object) => ({ ...header, uid: 0, gid: 0 }),
    ...(outside
      ? {
          finalize: false,
          finish: (open: any) => open.entry({ name: asked }, readFileSync(dockerfile), () => open.finalize()),
        }
      : {}),
  } as any);
  const lines: string[] = [];
  let step = "";
  try {
    const stream = await engine.buildImage(
      pack as any,
      {
        t: name,
        dockerfile: asked,
        buildargs: (spec.args ?? {}) as any,
        forcerm: true,
        ...(spec.target ? { target: String(spec.target) } : {}),
        ...(spec.platform ? { platform: String(spec.platform) } : {}),
        ...(spec.network ? { networkmode: String(spec.network) } : {}),
        ...(spec.addHosts ? { extrahosts: (spec.addHosts as string[]).join(",") } : {}),
        abortSignal: call.signal,
      } as any,
    );
    await follow(stream, ({ stream: text = "" }) => {
      for (const line of text.split(/[\r\n]+/).filter((part) => part.trim() !== "")) {
        if (/^Step \d+\/\d+ :/.test(line)) step = line;
        lines.push(line);
        call.log("info", line, { passing: true });
      }
    });
  } catch (error) {
    throw new Error(
      [
        `image ${name} could not be built${step ? `, at ${step}` : ""}: ${explain(error).message}`,
        ...lines.slice(-TAIL).map((line) => `  ${line}`),
      ].join("\n"),
    );
  }
  const registry = (inputs.registry ?? {}) as Values;
  if (inputs.skipPush !== true) {
    const own =
      registry.username && registry.password
        ? {
            username: String(registry.username),
            password: String(registry.password),
            serveraddress: String(registry.server ?? ""),
          }
        : undefined;
    try {
      await follow(
        await engine.getImage(name).push({ authconfig: own ?? authFor(name) ?? {}, abortSignal: call.signal } as any),
        ({ id, status }) => call.log("info", [id, status].filter(Boolean).join(" "), { passing: true }),
      );
    } catch (error) {
      throw new Error(
        `image ${name} was built, but could not be pushed: ${explain(error).message}. Log in (docker login), ` +
          "or set skipPush: true",
      );
    }
  }
  const built = await engine.getImage(name).inspect();
  return {
    __inputs: inputs,
    imageName: name,
    baseImageName: name,
    context: String(spec.context ?? "."),
    dockerfile: inside,
    platform: String(spec.platform ?? ""),
    registryServer: String(registry.server ?? ""),
    repoDigest: inputs.skipPush === true ? built.Id : (built.RepoDigests?.[0] ?? built.Id),
  };
}
