// The entry of the policy pack. The language host requires it, so it is CommonJS; the pack itself is TypeScript that tsx strips on the fly.
// Constructing a PolicyPack starts a server, so nothing but pack.ts does it, and tests import the rules instead.
module.exports = import('tsx/esm/api').then((tsx) => {
  tsx.register();
  return import('./pack.ts');
});
