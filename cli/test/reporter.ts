import { writeFileSync } from "node:fs";
import Mocha from "mocha";
import type { Counts } from "./suites.ts";

/**
 * Mocha's spec output, and the counts in the file that DRYDOCK_COUNTS names, kept up to date so that a crash loses
 * none.
 */
export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const file = process.env.DRYDOCK_COUNTS;
    if (file === undefined) return;
    let counts: Counts = { passed: 0, failed: 0, skipped: 0 };
    const count = (key: keyof Counts) => (): void => {
      counts = { ...counts, [key]: counts[key] + 1 };
      writeFileSync(file, JSON.stringify(counts));
    };
    runner.on(Mocha.Runner.constants.EVENT_TEST_PASS, count("passed"));
    runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, count("failed"));
    runner.on(Mocha.Runner.constants.EVENT_TEST_PENDING, count("skipped"));
  }
}
