// What Pulumi runs (see package.json): index.ts with all that it imports, as one file. Without that file, the sources
// themselves.
import { pathToFileURL } from "node:url";
import { lowerPriority } from "../lib/priority.cjs";
import bundle from "./bundle.cjs";

lowerPriority();
const file = await bundle.bundled("program", "index.ts", "esm");
if (file === undefined) (await import("tsx/esm/api")).register();
const outputs = await import(file === undefined ? "../index.ts" : pathToFileURL(file).href);

export default { ...outputs };
