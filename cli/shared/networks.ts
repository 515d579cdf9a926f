/**
 * The network that database and Redis are on, where the stack runs them, and all Laravel containers in any case: the
 * one that tells stacks of the same name apart.
 *
 * @param names of the networks that containers of one stack are on, as components/network.ts makes them
 */
export const dataNetworkOf = (names: readonly string[]): string | undefined =>
  names.find((name) => /network-data(?!.*network-)/.test(name));
