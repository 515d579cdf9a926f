// One file of JavaScript from the pack's TypeScript, kept as long as nothing changes: stripping types and finding forty files at each
// preview takes 0.7 s of processor time, reading one file takes 0.1 s.
const { createHash } = require("node:crypto");
const { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } = require("node:fs");
const { dirname, join } = require("node:path");

// Below the project, so that the bundle finds the project's packages. It is ignored by git.
const CACHE = join(dirname(__dirname), ".drydock", "cache");

/** The bundle's path; nothing where it can't be made, and the sources are to be used. */
exports.bundled = function bundled() {
  try {
    const file = join(CACHE, `policies-${key()}.cjs`);
    if (!existsSync(file)) build(file);
    return file;
  } catch {
    return undefined;
  }
};

/** Names what the bundle is made of: every source as it is now, and the packages. */
function key() {
  const sum = createHash("sha256");
  for (const entry of readdirSync(__dirname, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const { size, mtimeMs } = statSync(path);
    sum.update(`${path} ${size} ${mtimeMs}\n`);
  }
  for (const name of ["zod", "esbuild", "@pulumi/policy"]) sum.update(readFileSync(require.resolve(`${name}/package.json`)));
  return sum.digest("hex").slice(0, 16);
}

function build(file) {
  const { buildSync } = require("esbuild");
  const draft = `${file}.${process.pid}`;
  mkdirSync(CACHE, { recursive: true });
  buildSync({ entryPoints: [join(__dirname, "pack.ts")], outfile: draft, bundle: true, platform: "node", target: "node20", format: "cjs", external: ["@pulumi/policy"], logLevel: "silent" });
  for (const old of readdirSync(CACHE)) if (old.startsWith("policies-") && old.endsWith(".cjs")) rmSync(join(CACHE, old), { force: true });
  renameSync(draft, file); // At once, whoever else builds it.
}
