// Runs bundled tests, one bundle after the other, with Mocha loaded once: the thread of mutants.ts. Answers how many
// failed.
import { pathToFileURL } from "node:url";
import { parentPort } from "node:worker_threads";
import Mocha from "mocha";

class Silent {}

parentPort.on("message", ({ bundle, grep }) => {
  const options = { reporter: process.env.MUTANTS_VERBOSE ? "spec" : Silent, timeout: 60_000, bail: true };
  const mocha = new Mocha({ ...options, ...(grep === undefined ? {} : { grep: new RegExp(grep) }) });
  // From here on, the describe and it that tests import are this one's.
  mocha.suite.emit("pre-require", globalThis, "", mocha);
  import(pathToFileURL(bundle).href).then(
    () => mocha.run((failures) => parentPort.postMessage(failures)),
    () => parentPort.postMessage(1),
  );
});
