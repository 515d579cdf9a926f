// Judges the pending migrations, before anything is changed. Part of backup.sh. Standard input: what
// runtime/pending.php printed. BREAKING: warn|refuse; STACK; SERVING: the last line of the records' releases.jsonl
// Prints {"hold": [names]}, then a line for each migration that runs, for migrations.jsonl. Exits with 3 where the
// release is refused.
import { readFileSync } from "node:fs";
import { type Breaking, describePlan, type Pending, planMigrations, refusal } from "../../migrations/plan.ts";
import { withoutValues } from "../../migrations/sql.ts";
import { parseLines } from "../../records/release.ts";

const { BREAKING, STACK = "", SERVING = "" } = process.env;
const pending = JSON.parse(readFileSync(0, "utf8")) as Pending;
const [serving] = parseLines<{ migrations?: { contained?: readonly string[] } }>(SERVING).slice(-1);
const plan = planMigrations(pending, BREAKING as Breaking, serving?.migrations?.contained ?? []);
for (const line of describePlan(plan, { first: pending.tables === 0 })) console.error(line);
if (plan.refused.length > 0) {
  console.error(refusal(plan.refused, STACK));
  process.exitCode = 3;
} else {
  const at = new Date().toISOString();
  console.log(JSON.stringify({ hold: plan.hold }));
  for (const migration of pending.migrations.filter(({ name }) => !plan.hold.includes(name))) {
    console.log(JSON.stringify({ ...migration, statements: migration.statements.map(withoutValues), at }));
  }
}
