// Loaded before the program. @pulumi/pulumi prints errors in colours, and its stack traces are mapped to sources that lie
// outside its package ("node_modules/@pulumi/resource.ts:1:2"). On such a line the colouring of Node 20.20 runs for a
// minute before it gives up, so every error of a program would take that long. Errors are printed without colours instead.
const util = require("node:util");
util.inspect = new Proxy(util.inspect, {
  apply: (inspect, self, [value, options, ...rest]) =>
    inspect.call(self, value, options?.colors && value instanceof Error ? { ...options, colors: false } : options, ...rest),
});
