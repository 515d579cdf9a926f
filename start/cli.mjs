// What ./drydock runs: cli/main.ts with all that it imports, as one file. Without that file, the sources themselves.
import { pathToFileURL } from "node:url";
import bundle from "./bundle.cjs";

bundle.compileOnce();
const file = await bundle.bundled("cli", "cli/main.ts", "esm");
if (file === undefined) (await import("tsx/esm/api")).register();
const { run } = await import(file === undefined ? "../cli/main.ts" : pathToFileURL(file).href);
await run();
