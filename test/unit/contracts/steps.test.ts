import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { before, describe, it } from "mocha";
import { ONE_OFF_FILES, STEPS, type StepContract } from "../../../contracts/steps.ts";
import { configuration, type Registered, runProgram } from "../../support/components/program.ts";
import { readBy, textsOf } from "../../support/contracts/scripts.ts";

const contracts: Readonly<Record<string, StepContract>> = STEPS;
/** What a script has from the shell, from whoever runs Pulumi, or from another script alone. */
const OTHERS: Readonly<Record<string, readonly string[]>> = { record: ["DRYDOCK_BEGAN"], "database-check": ["IFS"] };

describe("the contract of each step", () => {
  const steps = readdirSync("commands").filter((file) => file.endsWith(".sh"));
  let registered: readonly Registered[];
  before(async function () {
    this.timeout(120_000);
    const { resources } = await runProgram(configuration());
    registered = resources.filter(({ type }) => type === "command:local:Command");
  });

  it("is there for each script, and for nothing else", () =>
    assert.deepEqual(Object.keys(contracts).toSorted(), steps.map((file) => file.replace(/\.sh$/, "")).toSorted()));

  for (const [name, { env, optional = [], stdin }] of Object.entries(contracts)) {
    const path = `commands/${name}.sh`;
    const texts = existsSync(path) ? textsOf(path) : [];
    const known = [...env, ...optional];

    it(`of ${name} has every variable that its script reads`, () => {
      const unknown = [...readBy(texts)].filter((one) => !known.includes(one) && !(OTHERS[name] ?? []).includes(one));
      assert.deepEqual(unknown, []);
    });

    it(`of ${name} has none that its script does not name, and says what it reads`, () => {
      const whole = [...texts, readFileSync(path, "utf8")].join("\n");
      const unread = known.filter((one) => !new RegExp(`\\b${one}\\b`).test(whole));
      assert.deepEqual(unread, []);
      assert.equal(stdin !== undefined, /^# .*standard input/im.test(readFileSync(path, "utf8")), "standard input");
    });
  }

  it("is what the program tells each step", () => {
    for (const { name, inputs } of registered) {
      const script = /^sh commands\/(.*)\.sh$/.exec(inputs.create)?.[1] ?? "";
      const contract = contracts[script];
      assert.ok(contract !== undefined, `${name}: ${inputs.create}`);
      const { env, optional = [], stdin } = contract;
      const told = Object.keys(inputs.environment ?? {}).filter((one) => one !== "DOCKER_HOST");
      assert.deepEqual(
        env.filter((one) => !told.includes(one)),
        [],
        `${name} lacks`,
      );
      assert.deepEqual(
        told.filter((one) => ![...env, ...optional].includes(one)),
        [],
        `${name} has more than its contract`,
      );
      assert.equal(inputs.stdin !== undefined, stdin !== undefined, `${name}: standard input`);
    }
  });
});

describe("the files of a one-off container", () => {
  it("are there with all that they read", () => {
    const known: readonly string[] = ONE_OFF_FILES;
    for (const file of ONE_OFF_FILES)
      for (const [, read] of readFileSync(`runtime/${file}`, "utf8").matchAll(
        /require(?:_once)? __DIR__ \. '\/(.+?)'/g,
      ))
        assert.ok(known.includes(read!), `${file} reads ${read}`);
  });
});
