// The entry of the policy pack. The language host requires it, so it is CommonJS; the pack itself is TypeScript.
// Constructing a PolicyPack starts a server, so nothing but pack.ts does it, and tests import the rules instead.
const { bundled } = require("../start/bundle.cjs");

module.exports = (async () => {
  const file = await bundled("policies", "policies/pack.ts", "cjs");
  if (file !== undefined) return require(file);
  const tsx = await import("tsx/esm/api");
  tsx.register();
  return import("./pack.ts");
})();
