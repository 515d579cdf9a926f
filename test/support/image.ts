import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeReadable } from "../../cli/setup/images.ts";
import { readAptAccess, writeAptFiles } from "../../cli/setup/images-apt.ts";
import { contentHash, imageTags } from "../../cli/setup/images-tags.ts";
import { docker } from "./clone.ts";

export interface TestImage {
  /** Before the hash of its content: drydock/moto:5.2.5. */
  readonly name: string;
  /** With its Dockerfile, on the project's base. */
  readonly folder: string;
  /** What else its content depends on. */
  readonly depends?: string;
  readonly args?: Readonly<Record<string, string>>;
  /** Of Debian. @default the images' own */
  readonly suite?: string;
  /** Puts more into the context. */
  readonly prepare?: (context: string) => void | Promise<void>;
}

/** Builds an image that only tests run, unless it is there. */
export async function testImage({ name, folder, depends = "", args = {}, suite, prepare }: TestImage): Promise<string> {
  const { base } = imageTags();
  const reference = `${name}-${contentHash(folder, `${base}${depends}`)}`;
  if (docker("images", "-q", reference) !== "") return reference;
  const context = mkdtempSync(join(tmpdir(), "drydock-test-image-"));
  try {
    cpSync(folder, context, { recursive: true });
    const apt = await readAptAccess();
    writeAptFiles(context, apt, suite);
    await prepare?.(context);
    makeReadable(context);
    const given = Object.entries({ BASE: base, ...args }).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]);
    execFileSync(
      "docker",
      [
        "build",
        "--network",
        "host",
        "--force-rm",
        "--tag",
        reference,
        ...given,
        ...Object.keys(apt.buildArgs).flatMap((key) => ["--build-arg", key]),
        context,
      ],
      { env: { ...process.env, DOCKER_BUILDKIT: "0", ...apt.buildArgs }, stdio: ["ignore", "ignore", "inherit"] },
    );
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
  return reference;
}
