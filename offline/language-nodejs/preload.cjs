// Loaded before the program. @pulumi/pulumi maps its stack traces to sources that lie outside its package
// ("node_modules/@pulumi/resource.ts"), and on such a line util.inspect of Node 20.20 runs for a minute before it
// gives up: every error of a program would take that long. Traces without that mapping are as good.
const Module = require("node:module");
const load = Module._load;
Module._load = (request, ...rest) => {
  if (request !== "source-map-support/register") return load(request, ...rest);
  Module._load = load;
  return {};
};
