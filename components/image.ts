import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import { builtName } from "../lib/build/name.ts";
import { BuildError, type BuildSpec } from "../lib/build/spec.ts";
import { defined } from "../lib/defined.ts";
import { localImages } from "../lib/dockerEngine.ts";
import { pathForScripts, step } from "./command.ts";
import type { StackIdentity } from "./stack.ts";

/** The application's image, as far as it is known before it is there. */
export interface NamedImage {
  /** Its reference. */
  readonly reference: string;
  /** What it is, where its name can come to mean another one: the id of an image that was made on the Docker host. */
  readonly id?: string | undefined;
}

/** An image, and the resource that has it on the Docker host. */
export interface PulledImage {
  /** With a tag or a digest. */
  readonly reference: string;
  readonly resource: docker.RemoteImage;
}

/**
 * The application's image. One that is built here is named after all that it is built from, so that the name is known
 * before the build, the preview shows exactly what a changed line of code replaces, and an unchanged context builds
 * nothing.
 *
 * @param host as in DOCKER_HOST: a base that was made there is part of what it is built from
 */
export async function namedImage(app: Settings["app"], host: string): Promise<NamedImage> {
  const { pinned, image } = app;
  const given = pinned ?? image;
  if (given !== undefined) {
    // What a digest names is always the same; elsewhere nobody makes images, and asking takes a while.
    const certain = given.includes("@") || !host.startsWith("unix://");
    return { reference: given, id: certain ? undefined : (await localImages([given], host)).at(0) };
  }
  try {
    const { reference, warnings } = await builtName(app.build!, app, ".", host);
    for (const warning of warnings) void pulumi.log.warn(warning);
    return { reference };
  } catch (error) {
    throw error instanceof BuildError ? new pulumi.RunError(error.message) : error;
  }
}

export interface AppImageArgs {
  readonly stack: StackIdentity;
  /** With a tag or a digest; of an image that is built, the name that follows from its context. */
  readonly reference: string;
  /** How it is built. @default it is pulled, or is on the Docker host already */
  readonly build?: Settings["app"]["build"];
  /** What to build for: a system and processor, such as linux/amd64. @default the builder's own */
  readonly platform?: string | undefined;
}

/** The application's image: pulled, or built. */
export class AppImage extends pulumi.ComponentResource {
  /** What is done when the image is on the Docker host, under its name. */
  readonly ready: pulumi.Resource;

  constructor(
    name: string,
    { stack, reference, build, platform }: AppImageArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:AppImage", name, {}, options);
    if (build === undefined) this.ready = pulled(name, reference, { parent: this }).resource;
    else {
      const secrets = Object.entries(build.secrets).map(([id, { file, env }]) => [
        id,
        { ...defined({ env }), ...defined({ file: file && pathForScripts(file) }) },
      ]);
      const spec: BuildSpec = {
        ...build,
        ...{ context: pathForScripts(build.context), secrets: Object.fromEntries(secrets) },
        ...{ image: reference, platform: build.platform ?? platform },
      };
      this.ready = step(
        stack,
        name,
        { script: "build", environment: { BUILD: JSON.stringify(spec) } },
        { parent: this },
      );
    }
    this.registerOutputs({ reference });
  }
}

/** An image from a registry, or one that is already on the Docker host. */
export function pulled(name: string, reference: string, options: pulumi.CustomResourceOptions): PulledImage {
  const resource = new docker.RemoteImage(
    name,
    { name: reference, keepLocally: true },
    { ...options, deleteBeforeReplace: false },
  );
  return { reference, resource };
}
