import { homedir } from "node:os";
import { join } from "node:path";

/** What all clones of a user share: engines, base images, who has which port. */
export const cacheRoot = (): string =>
  join(process.env.XDG_CACHE_HOME ? process.env.XDG_CACHE_HOME : join(homedir(), ".cache"), "drydock");
