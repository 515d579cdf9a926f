/** Why an image can't be built: what is wrong, and how to put it right. */
export class BuildError extends Error {}

/** How an application's image is built: `drydock:app.build`. */
export interface BuildSettings {
  /** From the project's folder, as are the files of secrets. */
  readonly context: string;
  /** From the context. */
  readonly dockerfile: string;
  readonly args: Readonly<Record<string, string>>;
  readonly target?: string | undefined;
  /** As "linux/amd64"; undefined: that of the Docker host. */
  readonly platform?: string | undefined;
  readonly cacheFrom: readonly string[];
  readonly cacheTo?: string | undefined;
  /** By the id that the Dockerfile mounts. Where each is, never what it says: that is read when the image is built. */
  readonly secrets: Readonly<Record<string, { readonly file?: string | undefined; readonly env?: string | undefined }>>;
  /** Whether the build may use the keys of this machine's ssh agent. */
  readonly ssh: boolean;
}

/** With the name that it gets. */
export interface BuildSpec extends BuildSettings {
  readonly image: string;
}

/** The settings that only BuildKit can do. */
export function buildKitOnly({ secrets, ssh, cacheTo }: BuildSpec): readonly string[] {
  return [
    ...Object.keys(secrets).map((id) => `secrets.${id}`),
    ...(ssh ? ["ssh"] : []),
    ...(cacheTo === undefined ? [] : ["cacheTo"]),
  ];
}

/** Arguments of `docker`; the context comes last. */
export function buildArguments(spec: BuildSpec, buildKit: boolean): readonly string[] {
  const { image, context, dockerfile, args, target, platform, cacheFrom, cacheTo, secrets, ssh } = spec;
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [`--${name}`, value]);
  return [
    "build",
    "--tag",
    image,
    "--file",
    `${context}/${dockerfile}`,
    ...(buildKit ? ["--load", "--progress", "plain"] : []),
    ...Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...option("target", target),
    // The classic builder takes the host's own, and would want to be told that it is an experiment.
    ...(buildKit ? option("platform", platform) : []),
    ...cacheFrom.flatMap((from) => ["--cache-from", from]),
    ...option("cache-to", cacheTo),
    ...Object.entries(secrets).flatMap(([id, { file, env }]) => [
      "--secret",
      `id=${id},${file === undefined ? `env=${env}` : `src=${file}`}`,
    ]),
    ...(ssh ? ["--ssh", "default"] : []),
    context,
  ];
}
