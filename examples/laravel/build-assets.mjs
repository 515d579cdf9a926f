// Puts the assets into public/build under names that carry a hash of their content, with the manifest that Laravel's
// @vite reads.
// Does for this example what Vite does for a real application:   node build-assets.mjs
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL(".", import.meta.url));
const build = join(root, "public/build");
rmSync(build, { recursive: true, force: true });
mkdirSync(join(build, "assets"), { recursive: true });

const manifest = {};
for (const src of ["resources/css/app.css", "resources/js/app.js"]) {
  const content = readFileSync(join(root, src));
  const extension = extname(src);
  const file =
    `assets/${basename(src, extension)}-${createHash("sha256").update(content).digest("hex").slice(0, 8)}` +
    `${extension}`;
  writeFileSync(join(build, file), content);
  manifest[src] = { file, src, isEntry: true };
}
writeFileSync(join(build, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
