import { join } from "node:path";
import { bundleAgent } from "../../cli/setup/images.ts";
import { IMAGES_DIR, imageTags } from "../../cli/setup/images-tags.ts";
import { testImage } from "./image.ts";

/** MySQL's own server, and a backup agent with MySQL's tools. Debian has them in unstable only. */
export async function mysqlImages(): Promise<{ readonly database: string; readonly backup: string }> {
  const suite = "sid";
  return {
    database: await testImage({ name: "drydock/mysql:9", folder: join(import.meta.dirname, "mysql"), suite }),
    // Its content is what the one for MariaDB is made of.
    backup: await testImage({
      name: "drydock/backup-mysql:9",
      folder: join(IMAGES_DIR, "backup"),
      depends: imageTags().backup,
      args: { ENGINE: "mysql" },
      suite,
      prepare: (context) => bundleAgent(join(context, "agent.cjs")),
    }),
  };
}
