import { FOLDERS } from "./proxy.ts";

/** The network between the edge and the stacks; by its name stacks find it, so it is the same on every machine. */
export const NETWORK = "drydock-edge";

/** Where things are in the edge's two containers. */
export const PLACES = {
  /** What stacks have put there: their routes, the names that they claim, certificates of their own. */
  state: FOLDERS.state,
  /** What is served: one file for each name with its chain and its key, and answers to an authority's challenges. */
  certificates: "/certs",
  /** The accounts with the authorities, and what these have signed. */
  accounts: "/accounts",
} as const;

/**
 * A network's addresses as Docker is told them: the gateway, which it would read back, and the half that it gives to
 * who says nothing, so that nobody gets the edge's own.
 */
export function addressing(subnet: string): {
  readonly subnet: string;
  readonly gateway: string;
  readonly ipRange: string;
} {
  return subnet.includes(":")
    ? { subnet, gateway: subnet.replace(/::\/\d+$/, "::1"), ipRange: subnet.replace(/::\/\d+$/, "::1:0/112") }
    : { subnet, gateway: subnet.replace(/0\/24$/, "1"), ipRange: subnet.replace(/0\/24$/, "128/25") };
}

/** The addresses of the edge itself in its network: stacks believe what it says of a visitor, and nobody else. */
export function edgeAddresses(subnets: readonly string[]): readonly string[] {
  return subnets
    .filter((subnet) => subnet !== "")
    .map((subnet) => (subnet.includes(":") ? subnet.replace(/::\/\d+$/, "::2") : subnet.replace(/\.0\/\d+$/, ".2")));
}
