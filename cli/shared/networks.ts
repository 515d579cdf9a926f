// Networks as components/network.ts calls them tell stacks of the same name on one Docker host apart, whose labels are
// the same. A program may put something of its own before these names.

/**
 * The one that database and Redis are on, where the stack runs them, and all Laravel containers and the backup agent in
 * any case.
 *
 * @param names of the networks that containers of one stack are on
 */
export const dataNetworkOf = (names: readonly string[]): string | undefined =>
  names.find((name) => /network-data(?!.*network-)/.test(name));

/** Whether a network is one of some stack. */
export const isOfStack = (name: string): boolean =>
  /(^|-)network-(app|data|public|restore|monitoring)-[0-9a-f]{7}$/.test(name);
