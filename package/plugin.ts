import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { Provider } from "./provider.ts";

// What Pulumi runs of the package (see PulumiPlugin.yaml).
const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const served = pulumi.provider.main(new Provider(root), process.argv.slice(2));
