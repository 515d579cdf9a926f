// Says what is wrong, and what is hardly meant, in what runtime/preflight.php found. Part of preflight.sh.
// Standard input: its answer. STACK. Exits with 3 where the release is refused.
import { readFileSync } from "node:fs";
import { judgePreflight, type Preflight } from "./preflight.ts";

const found = JSON.parse(readFileSync(0, "utf8")) as Preflight;
const { problems, warnings } = judgePreflight(found, process.env.STACK ?? "");
for (const warning of warnings) console.error(`preflight: WARNING: ${warning}`);
for (const problem of problems) console.error(`preflight: ${problem}`);
if (problems.length > 0) process.exitCode = 3;
else console.log("the image reads this stack's variables");
