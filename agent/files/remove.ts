import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";

/**
 * Removes a folder with all that is in it. What an application has denied itself is denied to whoever unpacks it, too:
 * a folder without the right to write keeps what it has. And a path may be longer below another folder than Linux takes
 * at once; these programs go from folder to folder.
 */
export function removeAll(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    execFileSync("chmod", ["--recursive", "u+rwX", "--", folder], { stdio: "pipe" });
    execFileSync("rm", ["--recursive", "--force", "--", folder], { stdio: "pipe" });
  }
}
