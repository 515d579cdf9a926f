import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import dockerignore from "@balena/dockerignore";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import { step } from "./command.ts";
import type { Context } from "./context.ts";

/**
 * The reference of the application's image. One that is built here is named after its content, so that the name is known before the build,
 * the preview shows exactly what a changed line of code replaces, and an unchanged context builds nothing.
 */
export function imageReference(app: Settings["app"]): string {
  if (app.pinned !== undefined) return app.pinned;
  if (app.image !== undefined) return app.image;
  const build = app.build!;
  const hash = createHash("sha256").update(JSON.stringify([build.dockerfile, build.args, app.uid, app.gid]));
  for (const [path, content] of contextFiles(build.context, join(build.context, build.dockerfile))) hash.update(`${path}\0`).update(content);
  return `drydock/app:${hash.digest("hex").slice(0, 12)}`;
}

/** What the build sees: path, then permissions and content, sorted, without what the ignore file leaves out: the Dockerfile's own, or the folder's. */
function* contextFiles(root: string, dockerfile: string): Generator<[path: string, content: Buffer]> {
  if (!existsSync(root)) {
    throw new pulumi.RunError(
      `drydock:app.build.context: the folder ${root} does not exist (relative to the project). Set it: pulumi config set --path drydock:app.build.context FOLDER`,
    );
  }
  const own = [`${dockerfile}.dockerignore`, join(root, ".dockerignore")].find((file) => existsSync(file));
  const rules = own === undefined ? "" : readFileSync(own, "utf8");
  const ignore = dockerignore({ ignorecase: false }).add(rules);
  const walk = function* (folder: string): Generator<[string, Buffer]> {
    for (const name of readdirSync(join(root, folder)).sort()) {
      const path = folder === "" ? name : `${folder}/${name}`;
      const stat = lstatSync(join(root, path));
      if (stat.isDirectory()) yield* walk(path);
      else if (!ignore.ignores(path)) {
        const content = stat.isSymbolicLink() ? Buffer.from(readlinkSync(join(root, path))) : readFileSync(join(root, path));
        yield [`${path}\0${stat.mode & 0o111 ? "x" : "-"}`, content];
      }
    }
  };
  yield* walk("");
}

/** The application's image: pulled, or built where `app.build` says so. */
export class AppImage extends pulumi.ComponentResource {
  /** What is done when the image is on the Docker host, under its name. */
  readonly ready: pulumi.Resource;

  /** @param platform what to build for: the Docker host's system and processor. Undefined leaves it to the provider, which takes those of the
   * machine that it runs on */
  constructor(name: string, context: Context, platform: string | undefined, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:AppImage", name, {}, options);
    const { build, pinned } = context.settings.app;
    // An earlier release's image stays, for the containers that run from it and for a way back.
    if (build === undefined || pinned !== undefined) this.ready = pulled(name, context.image, { parent: this });
    else {
      const image = new docker.Image(
        name,
        {
          imageName: context.image,
          skipPush: true,
          build: {
            context: build.context,
            dockerfile: join(build.context, build.dockerfile),
            args: { ...build.args },
            ...(platform === undefined ? {} : { platform }),
          },
        },
        { parent: this, deleteBeforeReplace: false },
      );
      this.ready = step(
        context,
        `${name}-name`,
        { script: "name-image", environment: { IMAGE: context.image, BUILT: image.repoDigest } },
        { parent: this, dependsOn: [image] },
      );
    }
    this.registerOutputs({ reference: context.image });
  }
}

/** An image from a registry, or one that is already on the Docker host. */
export function pulled(name: string, reference: string, options: pulumi.CustomResourceOptions): docker.RemoteImage {
  return new docker.RemoteImage(name, { name: reference, keepLocally: true }, { ...options, deleteBeforeReplace: false });
}
