// One file of JavaScript from the TypeScript of the program, of the policy pack, and of the command line, kept as long
// as nothing changes. tsx strips the
// types of every file at each run, and its hooks make loading all packages three times as slow: together 0.7 s of
// processor time of each preview.
const {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = require("node:fs");
const { createHash } = require("node:crypto");
const { enableCompileCache } = require("node:module");
const { dirname, join, relative } = require("node:path");
const { pathToFileURL } = require("node:url");

const ROOT = dirname(__dirname);
// Below the project, so that a bundle finds the project's packages. It is ignored by git.
const CACHE = join(ROOT, ".drydock", "cache");
/** What Node.js has compiled of the command line's: reading it takes half as long as compiling it again. */
const COMPILED = join(CACHE, "compiled");
/** How long a bundle stays that is no longer the newest, in ms: another process may be about to read it. */
const KEPT = 24 * 3_600_000;

/** Has Node.js keep what it compiles from now on, and take what it has kept. Where it can't, it compiles. */
exports.compileOnce = () => void enableCompileCache(COMPILED);

/**
 * The path of the bundle of `entry` (from the project's folder); nothing where it can't be made, and the sources are to
 * be used.
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

const sumOf = (content) => createHash("sha256").update(content).digest("hex");
/** Of a file as it is now. Its time says nothing: checkouts and copies keep times, or give all files the same one. */
const sum = (path) => sumOf(readFileSync(join(ROOT, path)));

/** The bundle, if everything that it was made of is unchanged and where it was. */
function current(list) {
  if (!existsSync(list)) return undefined;
  const { root, file, inputs } = JSON.parse(readFileSync(list, "utf8"));
  const bundle = join(CACHE, file);
  const same = ([path, was]) => existsSync(join(ROOT, path)) && sum(path) === was;
  return root === ROOT && existsSync(bundle) && Object.entries(inputs).every(same) ? bundle : undefined;
}

async function build(name, entry, format, list) {
  // Of what was read for this bundle: a source that is saved meanwhile is in it or isn't, and its sum says which.
  const inputs = {};
  const { outputFiles } = await require("esbuild").build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: "node",
    target: "node22",
    format,
    logLevel: "silent",
    ...(format === "esm"
      ? {
          banner: {
            js:
              'import { createRequire as requireFrom } from "node:module"; ' +
              "const require = requireFrom(import.meta.url);",
          },
        }
      : {}),
    plugins: [packages, sources(inputs)],
  });
  const [{ text }] = outputFiles;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
  const file = `${name}-${hash}.${format === "esm" ? "mjs" : "cjs"}`;
  // The packages change with their lock file; this file and esbuild say how a bundle is made.
  for (const path of ["package-lock.json", relative(ROOT, __filename)]) inputs[path] = sum(path);
  mkdirSync(CACHE, { recursive: true });
  // Nobody clears it but here: with each bundle there would be more of it. This process has its folder in use.
  if (existsSync(COMPILED))
    for (const old of readdirSync(COMPILED, { recursive: true, withFileTypes: true }))
      if (old.isFile()) rmSync(join(old.parentPath, old.name), { force: true });
  write(join(CACHE, file), text);
  write(list, JSON.stringify({ root: ROOT, file, inputs }));
  for (const old of readdirSync(CACHE))
    if (old.startsWith(`${name}-`) && Date.now() - statSync(join(CACHE, old)).mtimeMs > KEPT)
      rmSync(join(CACHE, old), { force: true });
  return join(CACHE, file);
}

/** At once, whoever else writes it. */
function write(path, text) {
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
}

/**
 * Pulumi's packages stay outside: the SDK must be the one that runs the program, and the others load what is used of
 * them when it is used. So does esbuild, a program.
 */
const packages = {
  name: "packages",
  setup(build) {
    build.onResolve({ filter: /^(@pulumi\/|esbuild$)/ }, ({ path, namespace }) =>
      namespace === "package" ? { path, external: true } : { path, namespace: "package" },
    );
    build.onLoad({ filter: /.*/, namespace: "package" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
      loader: "js",
      resolveDir: ROOT,
    }));
  },
};

/** Notes what each file of the project's own is; a module that reads a file beside it looks beside its source. */
const sources = (inputs) => ({
  name: "sources",
  setup(build) {
    build.onLoad({ filter: /\.(?:[cm]?[jt]s|json)$/, namespace: "file" }, ({ path }) => {
      const own = relative(ROOT, path);
      if (own.startsWith("..") || /(^|[\\/])node_modules[\\/]/.test(own)) return undefined;
      const content = readFileSync(path);
      inputs[own] = sumOf(content);
      if (!path.endsWith(".ts")) return { contents: content, loader: path.endsWith(".json") ? "json" : "js" };
      const where = { url: pathToFileURL(path).href, filename: path, dirname: dirname(path) };
      const text = content
        .toString()
        .replace(/\bimport\.meta\.(url|filename|dirname)\b/g, (_, name) => JSON.stringify(where[name]));
      return { contents: text, loader: "ts" };
    });
  },
});
