import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import ts from "typescript";
import { Project, ROOT } from "./project.ts";

describe("the package with the component", function () {
  this.timeout(600_000);
  let project: Project;
  let files: readonly string[];
  before(async () => {
    project = await Project.create();
    files = readdirSync(project.installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(project.installed.length + 1))
      .sort();
  });
  after(() => project.remove());
  const read = (path: string) => readFileSync(join(project.installed, path), "utf8");

  it("has what a release needs, and nothing else", () => {
    const folders = ["commands", "runtime"];
    assert.deepEqual(
      files.filter((file) => !folders.includes(file.split("/")[0]!)),
      [
        "LICENSE",
        "PulumiPlugin.yaml",
        "README.md",
        "dist/index.cjs",
        "dist/plugin.cjs",
        "dist/types/components/laravelStack.d.ts",
        "dist/types/components/stackOutputs.d.ts",
        "dist/types/config/given.d.ts",
        "dist/types/package/index.d.ts",
        "package.json",
        "schema.json",
      ],
    );
    // What the command line alone needs stays out of it.
    for (const file of files)
      assert.doesNotMatch(file, /restore-|maintenance|migrations\.sh|doctor|reach|\.ts$(?<!d\.ts)/);
    assert.ok(files.length <= 80, `${files.length} files`);
  });

  it("has every script that one of its scripts names", () => {
    for (const file of files.filter((name) => name.endsWith(".sh")))
      for (const [named] of read(file).matchAll(/\bcommands\/[\w./-]+\.\w+\b/g))
        assert.ok(files.includes(named) || /README/.test(named), `${file} names ${named}`);
    assert.ok(files.includes("commands/switch.sh"));
  });

  it("depends on what it does not bring, and on no more", () => {
    const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(read("package.json"));
    assert.deepEqual(Object.keys(dependencies), ["@pulumi/command", "@pulumi/docker"]);
    assert.deepEqual(Object.keys(peerDependencies), ["@pulumi/pulumi", "@pulumi/aws"]);
    assert.deepEqual(peerDependenciesMeta, { "@pulumi/aws": { optional: true } });
    const known = new Set(["@pulumi/pulumi", ...Object.keys(dependencies), "@pulumi/aws"]);
    for (const [, name = ""] of read("dist/index.cjs").matchAll(/\brequire\("(@?[a-z][^"]*)"\)/g)) {
      const own = name.startsWith("@") ? name.split("/").slice(0, 2).join("/") : name.split("/")[0]!;
      assert.ok(known.has(own) || isBuiltin(own), `dist/index.cjs needs ${name}`);
    }
  });

  it("names no path of the machine that has made it", () => {
    for (const file of files) assert.ok(!read(file).includes(ROOT), file);
  });

  it("has types by which the example is right, and another one is not", () => {
    const errors = (program: string) => {
      const options = {
        ...{ target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.Node16, strict: true, noEmit: true },
        ...{ moduleResolution: ts.ModuleResolutionKind.Node16, skipLibCheck: true, types: [] },
      };
      const host = ts.createCompilerHost(options);
      const path = join(project.dir, "index.ts");
      const { getSourceFile } = host;
      host.getSourceFile = (name, ...rest) =>
        name === path ? ts.createSourceFile(name, program, rest[0]) : getSourceFile.call(host, name, ...rest);
      return ts
        .getPreEmitDiagnostics(ts.createProgram([path], options, host))
        .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "));
    };
    const example = readFileSync(join(project.dir, "index.ts"), "utf8");
    assert.deepEqual(errors(example), []);
    assert.match(errors(example.replace("replicas: 1", "replcas: 1")).join(), /'replcas' does not exist in type/);
  });

  it("says by its schema what the types say", () => {
    const { resources, types } = JSON.parse(read("schema.json"));
    const { inputProperties, properties } = resources["drydock:index:LaravelStack"];
    assert.deepEqual(Object.keys(inputProperties).slice(0, 3), ["docker", "app", "scheduler"]);
    assert.ok("label" in inputProperties && "url" in properties);
    assert.equal(types["drydock:index:DatabaseSettings"].properties.rootPassword.secret, true);
    assert.match(types["drydock:index:AppSettings"].properties.replicas.description, /Default: 3$/);
    const referred = [...JSON.stringify({ resources, types }).matchAll(/"#\/types\/([^"]+)"/g)].map(([, name]) => name);
    for (const name of referred) assert.ok(name! in types, name);
  });
});

function isBuiltin(name: string): boolean {
  return process.getBuiltinModule(name.replace(/^node:/, "")) !== undefined;
}
