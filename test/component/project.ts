import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackage } from "../../package/build.ts";

export const ROOT = join(import.meta.dirname, "../..");
export const EXAMPLE = join(ROOT, "examples/component");

/** The packages that a registry would bring; this project's own stand in for them. */
const OTHERS = ["@pulumi", "@types", "tsx", "typescript"];

/** A project of somebody's own, with the package in its archive's form as npm unpacks it. */
export class Project {
  readonly dir = mkdtempSync(join(tmpdir(), "drydock-component-"));
  /** Where the package is in it. */
  readonly installed = join(this.dir, "node_modules/@drydock/laravel");

  /** Builds the package, packs it and unpacks it here, with the example's files beside it. */
  static async create(): Promise<Project> {
    const project = new Project();
    const built = join(project.dir, ".built");
    await buildPackage(built);
    const [archive] = execFileSync("npm", ["pack", "--silent", "--pack-destination", project.dir], {
      cwd: built,
      encoding: "utf8",
    })
      .trim()
      .split("\n");
    mkdirSync(project.installed, { recursive: true });
    execFileSync("tar", ["-xzf", join(project.dir, archive!), "--strip-components=1", "-C", project.installed]);
    for (const name of OTHERS) symlinkSync(join(ROOT, "node_modules", name), join(project.dir, "node_modules", name));
    for (const name of readdirSync(EXAMPLE)) cpSync(join(EXAMPLE, name), join(project.dir, name), { recursive: true });
    return project;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
