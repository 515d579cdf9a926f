import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import dockerignore from "@balena/dockerignore";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
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
  for (const [path, content] of contextFiles(build.context)) hash.update(`${path}\0`).update(content);
  return `drydock/app:${hash.digest("hex").slice(0, 12)}`;
}

/** What the build sees: path, then permissions and content, sorted, without what .dockerignore leaves out. */
function* contextFiles(root: string): Generator<[path: string, content: Buffer]> {
  if (!existsSync(root)) {
    throw new pulumi.RunError(
      `drydock:app.build.context: the folder ${root} does not exist (relative to the project). Set it: pulumi config set --path drydock:app.build.context FOLDER`,
    );
  }
  const rules = existsSync(join(root, ".dockerignore")) ? readFileSync(join(root, ".dockerignore"), "utf8") : "";
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

/** The application's image: pulled, or built where `app.build` says so. It is on the Docker host when this is done. */
export class AppImage extends pulumi.ComponentResource {
  readonly resource: docker.RemoteImage | docker.Image;

  constructor(name: string, context: Context, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:AppImage", name, {}, options);
    const { build, pinned } = context.settings.app;
    // An earlier release's image stays, for the containers that run from it and for a way back.
    this.resource =
      build === undefined || pinned !== undefined
        ? pulled(name, context.image, { parent: this })
        : new docker.Image(
            name,
            {
              imageName: context.image,
              skipPush: true,
              build: {
                context: build.context,
                dockerfile: join(build.context, build.dockerfile),
                args: { ...build.args },
              },
            },
            { parent: this, deleteBeforeReplace: false },
          );
    this.registerOutputs({ reference: context.image });
  }
}

/** An image from a registry, or one that is already on the Docker host. */
export function pulled(name: string, reference: string, options: pulumi.CustomResourceOptions): docker.RemoteImage {
  return new docker.RemoteImage(name, { name: reference, keepLocally: true }, { ...options, deleteBeforeReplace: false });
}
