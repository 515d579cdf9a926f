import { readRaw } from "../../config/raw.ts";
import { leniently } from "../../config/settings.ts";
import { buildImage } from "../../lib/build/build.ts";
import { builtName } from "../../lib/build/name.ts";
import { BuildError } from "../../lib/build/spec.ts";
import { defined } from "../../lib/defined.ts";
import { askEngine } from "../../lib/dockerEngine.ts";
import { ensureContainers } from "../setup/index.ts";
import { type Docker, dockerFor } from "../shared/docker.ts";
import { CliError } from "../shared/errors.ts";
import { LOCAL, type Paths, PROJECT, pathsOf } from "../shared/project.ts";
import { selectedStack, stackConfig } from "../shared/stack.ts";
import { step } from "../shared/ui.ts";

export interface ImageOptions {
  readonly stack?: string;
  readonly json?: true;
  readonly registry?: string;
  readonly tag?: string;
}

/** One that was built, and where it is. */
interface Made {
  readonly name: string;
  readonly image: string;
  /** Where it was pushed. */
  readonly digest?: string;
  /** What names it in a stack's settings. */
  readonly setting?: string;
}

/** The settings that say which image runs; the base of applications has none. */
const SETTINGS: Readonly<Record<string, string>> = {
  app: "drydock:app.image",
  backup: "drydock:backup.image",
  proxy: "drydock:proxy.image",
  database: "drydock:database.image",
  redis: "drydock:redis.image",
  monitoring: "drydock:monitoring.image",
};

/** Builds images on this machine's engine, pushes them where that is asked, and prints how a stack names them. */
export async function makeImages(
  verb: "build" | "push",
  names: readonly string[],
  options: ImageOptions,
): Promise<number> {
  const paths = pathsOf();
  // What the local stack needs is what is built here.
  const { host, images: own } = await ensureContainers(
    LOCAL,
    undefined,
    names.includes("monitoring") ? ["monitoring"] : [],
  );
  const docker = dockerFor(host);
  const made: Made[] = [];
  for (const name of names) {
    const image = name === "app" ? await buildApp(paths, host, docker, options.stack) : own![name as keyof typeof own];
    made.push(verb === "build" ? { name, image } : await push(docker, name, image, options));
  }
  process.stdout.write(
    options.json ? `${JSON.stringify({ images: made }, null, 2)}\n` : `${made.map(said).join("\n")}\n`,
  );
  return 0;
}

function said({ name, image, digest, setting }: Made): string {
  if (digest === undefined) return `${name.padEnd(8)}  ${image}`;
  return setting === undefined
    ? `${name}: ${image}\n  ${digest}`
    : `${name}: ${image}\n  pulumi config set --path ${setting} ${digest}`;
}

/** The application's, as the stack's `app.build` says. */
async function buildApp(paths: Paths, host: string, docker: Docker, asked: string | undefined): Promise<string> {
  const stack = asked ?? selectedStack(paths, process.env) ?? LOCAL;
  const raw = Object.entries(stackConfig(paths, stack)).flatMap(([key, value]) =>
    key.startsWith(`${PROJECT}:`) ? [[key.slice(PROJECT.length + 1), value] as const] : [],
  );
  const { app } = leniently(readRaw(Object.fromEntries(raw), stack).values);
  const { build, uid, gid } = app ?? {};
  if (build === undefined || uid === undefined || gid === undefined) {
    throw new CliError({
      what: `stack ${stack} does not say how its application is built (drydock:app.build)`,
      remedy:
        "pulumi config set --path drydock:app.build.context ../shop -s local; ./drydock image build app -s local\n" +
        "or without the application: ./drydock image build backup",
    });
  }
  try {
    const { reference, warnings } = await builtName(build, { uid, gid }, paths.root, host);
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
    const platform = build.platform ?? (await askEngine(host))?.platform;
    await step("app", async ({ log }) => {
      log(`building ${reference} from ${build.context}`);
      await buildImage({ ...build, image: reference, platform }, { env: docker.env, folder: paths.root });
    });
    return reference;
  } catch (error) {
    throw error instanceof BuildError ? new CliError({ what: error.message }) : error;
  }
}

async function push(docker: Docker, name: string, image: string, { registry = "", tag }: ImageOptions): Promise<Made> {
  const repository = `${registry.replace(/\/+$/, "")}/${name}`;
  const own = image.slice(image.lastIndexOf(":") + 1);
  const reference = `${repository}:${name === "app" ? (tag ?? own) : own}`;
  const done = async (...args: string[]) => {
    const { code, stdout, stderr } = await docker.run(args);
    if (code !== 0) {
      const why = stderr.trim() || stdout.trim();
      const login = /denied|unauthorized|no basic auth/i.test(why);
      throw new CliError({
        what: `docker ${args[0]} of ${reference} failed: ${why.split("\n").at(-1)}`,
        remedy: login
          ? `docker login ${registry.split("/")[0]}`
          : `is ${registry} the name of a registry that this machine's Docker reaches? docker push ${reference}`,
      });
    }
    return stdout;
  };
  return await step(name, async ({ log }) => {
    log(`pushing ${reference}`);
    await done("tag", image, reference);
    await done("push", "--quiet", reference);
    const digests = JSON.parse(
      await done("image", "inspect", "--format", "{{json .RepoDigests}}", reference),
    ) as string[];
    const digest = digests.find((one) => one.startsWith(`${repository}@`));
    if (digest === undefined) {
      const what = `${reference} was pushed, and Docker names no digest of it`;
      throw new CliError({ what, remedy: `docker push ${reference} prints it` });
    }
    const setting = SETTINGS[name];
    return { name, image: reference, digest, ...defined({ setting }) };
  });
}
