// Loaded before the language host's runner (see Pulumi.yaml and PulumiPolicy.yaml): leaves out what no program and no
// pack here uses. Of the 1.3 s of processor time
// that an empty pack takes to start, 1 s is TypeScript, ts-node and npm's installer, which @pulumi/pulumi needs to
// serialize functions.
// Each of them is loaded after all when something is read from it. Without this file the pack only starts later.
const Module = require("node:module");

const load = Module._load;
const LATE = new Set(["typescript", "@npmcli/arborist", "normalize-package-data"]);

Module._load = function (request, parent, isMain) {
  // The pack's own TypeScript is stripped by tsx or bundled by esbuild.
  if (request === "ts-node" || /[\\/]vendor[\\/]ts-node@/.test(request)) return { VERSION: "", register() {} };
  // The SDK notes a stack for every promise; mapping those takes half a second of a preview. Node itself maps the
  // stacks that are shown.
  if (request === "source-map-support/register" && /[\\/]@pulumi[\\/]pulumi[\\/]/.test(parent?.filename ?? ""))
    return {};
  if (!LATE.has(request) || !/[\\/]@pulumi[\\/]pulumi[\\/]/.test(parent?.filename ?? ""))
    return load.call(this, request, parent, isMain);
  const real = () => load.call(this, request, parent, isMain);
  // Some are asked what they are as soon as they are imported; that is no use yet.
  const known = {
    __esModule: undefined,
    default: undefined,
    then: undefined,
    version: request === "typescript" ? "5.9.0" : undefined,
  };
  return new Proxy(() => {}, {
    get: (_, key) => (key in known ? known[key] : Reflect.get(real(), key)),
    apply: (_, self, args) => Reflect.apply(real(), self, args),
    construct: (_, args) => Reflect.construct(real(), args),
  });
};

// The SDK prints errors in colours wherever they go, to a file and under NO_COLOR too. Besides, stack traces are mapped
// to sources that
// lie outside its package ("node_modules/@pulumi/resource.ts:1:2"); on such a line the colouring of Node 20.20 runs for
// a minute.
const util = require("node:util");
util.inspect = new Proxy(util.inspect, {
  apply: (inspect, self, [value, options, ...rest]) =>
    Reflect.apply(inspect, self, [
      value,
      options?.colors && value instanceof Error ? { ...options, colors: false } : options,
      ...rest,
    ]),
});
