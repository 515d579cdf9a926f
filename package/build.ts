import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type BuildOptions, build } from "esbuild";
import ts from "typescript";
import { packageSchema } from "./schema.ts";

// Makes the npm package, which is the Pulumi plugin as well: `npx tsx package/build.ts`; its folder is
// .drydock/package, unless another one is named. `npm pack` in it makes the archive.

const ROOT = dirname(import.meta.dirname);
const NAME = "@drydock/laravel";
const PLUGIN = "package/plugin.ts";
const DESCRIPTION = "Laravel in production on Docker, as a Pulumi component";

/** Those that stay packages of their own: Pulumi's must be the ones that the program uses. */
const EXTERNAL = /^@pulumi\//;

/** @param folder where it is made; what is there before goes */
export async function buildPackage(folder = join(ROOT, ".drydock", "package")): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  const own = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;

  await bundle("package/index.ts", join(folder, "dist/index.cjs"));
  await bundle(PLUGIN, join(folder, "dist/plugin.cjs"));
  for (const [path, text] of declarations()) write(`dist/types/${path}`, text);
  for (const path of scripts()) {
    const target = path.replace(/\.ts$/, ".mjs");
    if (target !== path) await bundle(path, join(folder, target));
    else write(path, readFileSync(join(ROOT, path), "utf8").replace(/node --import tsx (\S+)\.ts/g, "node $1.mjs"));
  }
  for (const name of readdirSync(join(ROOT, "runtime")).filter((name) => !/\.md$|^(doctor|reach)\.php$/.test(name)))
    write(`runtime/${name}`, readFileSync(join(ROOT, "runtime", name), "utf8"));
  write("package.json", `${JSON.stringify(manifest(own), null, 2)}\n`);
  write("schema.json", `${JSON.stringify(packageSchema(own.version, DESCRIPTION), null, 2)}\n`);
  for (const path of ["package/PulumiPlugin.yaml", "package/README.md", "LICENSE"])
    copyFileSync(join(ROOT, path), join(folder, basename(path)));
}

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly engines: object;
  readonly dependencies: Readonly<Record<string, string>>;
}

function manifest({ version, license, engines, dependencies }: Manifest) {
  const of = (...names: string[]) => Object.fromEntries(names.map((name) => [name, dependencies[name]]));
  const [aws, sdk] = ["@pulumi/aws", "@pulumi/pulumi"];
  return {
    name: NAME,
    version,
    description: DESCRIPTION,
    license,
    keywords: ["pulumi", "laravel", "docker"],
    engines,
    // What programs import. Pulumi starts a plugin by its folder, and so by `main`.
    exports: {
      ".": { types: "./dist/types/package/index.d.ts", default: "./dist/index.cjs" },
      "./package.json": "./package.json",
    },
    types: "dist/types/package/index.d.ts",
    main: "dist/plugin.cjs",
    dependencies: of("@pulumi/command", "@pulumi/docker"),
    // The program's own: two of them would not know each other's resources.
    peerDependencies: { [sdk]: `^${dependencies[sdk]}`, [aws]: `^${dependencies[aws]}` },
    // Only for the bucket that a stack makes for its backups.
    peerDependenciesMeta: { [aws]: { optional: true } },
    pulumi: { resource: false },
  };
}

const COMMONJS: BuildOptions = {
  format: "cjs",
  banner: { js: 'const sourceUrl = require("node:url").pathToFileURL(__filename).href;' },
  define: { "import.meta.url": "sourceUrl", "import.meta.dirname": "__dirname", "import.meta.filename": "__filename" },
};
const MODULE: BuildOptions = {
  format: "esm",
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
};

/** One file of an entry and of all that it imports. */
async function bundle(entry: string, outfile: string): Promise<void> {
  const options: BuildOptions = {
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    target: "node22",
    logLevel: "error",
    ...(outfile.endsWith(".mjs") ? MODULE : COMMONJS),
    plugins: [
      {
        name: "packages",
        setup: ({ onResolve }) => {
          onResolve({ filter: EXTERNAL }, ({ path }) => ({ path, external: true }));
          // The plugin has the components from beside it.
          if (entry === PLUGIN)
            onResolve({ filter: /components\/laravelStack\.ts$/ }, () => ({ path: "./index.cjs", external: true }));
        },
      },
    ],
  };
  await build(options);
}

/** The types of what the package exports, and of what these need. */
function declarations(): ReadonlyMap<string, string> {
  const entry = join(ROOT, "package/index.ts");
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), (path) => readFileSync(path, "utf8"));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const program = ts.createProgram([entry], {
    ...{ ...options, noEmit: false, declaration: true, emitDeclarationOnly: true, stripInternal: true },
    ...{ rootDir: ROOT, outDir: ROOT },
  });
  const all = new Map<string, string>();
  program.emit(undefined, (path, text) => all.set(resolve(path), text));
  const needed = new Map<string, string>();
  const visit = (path: string): void => {
    const text = all.get(path);
    if (text === undefined || needed.has(relative(ROOT, path))) return;
    needed.set(relative(ROOT, path), text.replace(/(["'])(\.[^"']*)\.ts\1/g, "$1$2.js$1"));
    for (const [, , to = ""] of text.matchAll(/from (["'])(\.[^"']*)\.ts\1/g)) visit(join(dirname(path), `${to}.d.ts`));
  };
  visit(entry.replace(/\.ts$/, ".d.ts"));
  return needed;
}

/** The scripts of the components' steps, and what those name. */
function scripts(): readonly string[] {
  const sources = readdirSync(join(ROOT, "components"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(ROOT, "components", name), "utf8"));
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    for (const [named] of readFileSync(join(ROOT, path), "utf8").matchAll(/\bcommands\/[\w./-]+\.(?:sh|ts)\b/g))
      visit(named);
  };
  for (const source of sources) {
    for (const [, name] of source.matchAll(/\b(?:script|undo): "([\w/-]+)"/g)) visit(`commands/${name}.sh`);
    for (const [, name] of source.matchAll(/\bscript\("([\w./-]+)"\)/g)) visit(`commands/inside/${name}`);
  }
  return [...found].sort();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await buildPackage(process.argv[2]);
