// One file of JavaScript from the TypeScript of the program, of the policy pack, and of the command line, kept as long as nothing changes. tsx strips the
// types of every file at each run, and its hooks make loading all packages three times as slow: together 0.7 s of processor time of each preview.
const { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } = require("node:fs");
const { createHash } = require("node:crypto");
const { dirname, join, relative } = require("node:path");
const { pathToFileURL } = require("node:url");

const ROOT = dirname(__dirname);
// Below the project, so that a bundle finds the project's packages. It is ignored by git.
const CACHE = join(ROOT, ".drydock", "cache");
/** How long a bundle stays that is no longer the newest, in ms: another process may be about to read it. */
const KEPT = 24 * 3_600_000;

/**
 * The path of the bundle of `entry` (from the project's folder); nothing where it can't be made, and the sources are to be used.
 * @param name of the files in the cache
 * @param format "esm" or "cjs"
 */
exports.bundled = async function bundled(name, entry, format) {
  // For who wants to see lines of the sources in a stack trace.
  if (process.env.DRYDOCK_BUNDLE === "0") return undefined;
  try {
    const list = join(CACHE, `${name}.json`);
    return current(list) ?? (await build(name, entry, format, list));
  } catch {
    return undefined;
  }
};

/** A file as it is now; its content is not read. */
function stamp(path) {
  const { size, mtimeMs } = statSync(join(ROOT, path));
  return `${size} ${mtimeMs}`;
}

/** The bundle, if everything that it was made of is unchanged and where it was. */
function current(list) {
  if (!existsSync(list)) return undefined;
  const { root, file, inputs } = JSON.parse(readFileSync(list, "utf8"));
  const bundle = join(CACHE, file);
  return root === ROOT && existsSync(bundle) && Object.entries(inputs).every(([path, was]) => existsSync(join(ROOT, path)) && stamp(path) === was) ? bundle : undefined;
}

async function build(name, entry, format, list) {
  const before = Date.now();
  const { outputFiles, metafile } = await require("esbuild").build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    target: "node22",
    format,
    logLevel: "silent",
    ...(format === "esm" ? { banner: { js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);' } } : {}),
    plugins: [packages, locations],
  });
  const [{ text }] = outputFiles;
  const file = `${name}-${createHash("sha256").update(text).digest("hex").slice(0, 12)}.${format === "esm" ? "mjs" : "cjs"}`;
  // The packages change with their lock file; this file and esbuild say how a bundle is made.
  const own = [...Object.keys(metafile.inputs).filter((path) => !/(^|\/)node_modules\/|^[\w-]+:/.test(path)), "package-lock.json", relative(ROOT, __filename)];
  const inputs = Object.fromEntries(own.map((path) => [path, stamp(path)]));
  mkdirSync(CACHE, { recursive: true });
  write(join(CACHE, file), text);
  // A source that was saved while the bundle was being made may be in it or not: the next run looks again.
  if (own.every((path) => statSync(join(ROOT, path)).mtimeMs < before)) write(list, JSON.stringify({ root: ROOT, file, inputs }));
  for (const old of readdirSync(CACHE)) if (old.startsWith(`${name}-`) && Date.now() - statSync(join(CACHE, old)).mtimeMs > KEPT) rmSync(join(CACHE, old), { force: true });
  return join(CACHE, file);
}

/** At once, whoever else writes it. */
function write(path, text) {
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
}

/** Pulumi's packages stay outside: the SDK must be the one that runs the program, and the others load what is used of them when it is used. So does esbuild, a program. */
const packages = {
  name: "packages",
  setup(build) {
    build.onResolve({ filter: /^(@pulumi\/|esbuild$)/ }, ({ path, namespace }) => (namespace === "package" ? { path, external: true } : { path, namespace: "package" }));
    build.onLoad({ filter: /.*/, namespace: "package" }, ({ path }) => ({ contents: `module.exports = require(${JSON.stringify(path)});`, loader: "js", resolveDir: ROOT }));
  },
};

/** A module that reads a file beside it looks beside its source. */
const locations = {
  name: "locations",
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (path.includes("node_modules")) return undefined;
      const where = { url: pathToFileURL(path).href, filename: path, dirname: dirname(path) };
      return { contents: readFileSync(path, "utf8").replace(/\bimport\.meta\.(url|filename|dirname)\b/g, (_, name) => JSON.stringify(where[name])), loader: "ts" };
    });
  },
};
