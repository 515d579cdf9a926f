import { cpSync } from "node:fs";
import { join } from "node:path";
import { IMAGES_DIR } from "../../cli/setup/images-tags.ts";
import { debianImage } from "./debian.ts";
import { testImage } from "./image.ts";

/** A server of an earlier series than the agent's tools: MariaDB 10.11, of Debian 12. */
export async function earlierMariadb(): Promise<string> {
  const suite = "bookworm";
  const base = await debianImage(suite);
  return testImage({
    name: "drydock/test-mariadb:10.11",
    folder: join(import.meta.dirname, "mariadb"),
    suite,
    depends: base,
    args: { BASE: base },
    prepare: (context) =>
      cpSync(join(IMAGES_DIR, "database", "docker-entrypoint.sh"), join(context, "docker-entrypoint.sh")),
  });
}
