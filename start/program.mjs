// What Pulumi runs (see package.json): index.ts with all that it imports, as one file. Without that file, the sources
// themselves.
import { pathToFileURL } from "node:url";
import { lowerPriority } from "../lib/priority.cjs";
import bundle from "./bundle.cjs";

lowerPriority();
// The stack of a machine's edge has a program of its own: its configuration has a group that says so.
const settings = JSON.parse(process.env.PULUMI_CONFIG ?? "{}");
const isEdge = Object.entries(settings).some(([key, value]) => key.endsWith(":edge") && value !== "{}");
const entry = isEdge ? "edge" : "index";
const file = await bundle.bundled(isEdge ? "edge" : "program", `${entry}.ts`, "esm");
if (file === undefined) (await import("tsx/esm/api")).register();
const outputs = await import(file === undefined ? `../${entry}.ts` : pathToFileURL(file).href);

export default { ...outputs };
