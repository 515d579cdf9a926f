import { getStack } from "@pulumi/pulumi";
import { LaravelStack } from "./components/laravelStack.ts";
import { loadConfiguration } from "./config/load.ts";

// What lasts is made by components/infrastructure.ts, and one release after the other, in its order, by
// components/release.ts; docs/component.md says how another program uses the same.
const configuration = loadConfiguration();
const shop = new LaravelStack("drydock", { configuration, label: getStack(), prefix: "" });
await shop.registered();

export const stack = getStack();
export const { url, release, envHash, services, record, records, backupBucket } = shop;
export const dockerHost = configuration.settings.docker.host ?? null;
