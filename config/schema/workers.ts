import { z } from "zod";
import { argv, cpus, flag, mebibytes, preset, seconds } from "../fields.ts";

/** Laravel's scheduler. */
export const scheduler = z.strictObject({
  enabled: preset(flag(), true, "Run the scheduler (`schedule:work`), exactly one"),
  memory: preset(mebibytes(32), 192, "Memory limit"),
  cpus: preset(cpus(), 1, "Processor limit"),
  stopTimeout: preset(seconds(), 70, "How long a running task may finish"),
});

/** The queue workers. */
export const horizon = z.strictObject({
  enabled: preset(flag(), true, "Run the queue workers"),
  command: preset(argv(), ["php", "artisan", "horizon"], "The command of the workers' container"),
  memory: preset(mebibytes(32), 256, "Memory limit"),
  cpus: preset(cpus(), 1, "Processor limit"),
  longestJob: preset(seconds(), 60, "The longest job; the old workers get 10 seconds more to finish"),
});
