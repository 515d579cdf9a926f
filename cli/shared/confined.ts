export interface Confinement {
  /** uid:gid, or as an image's USER names it. */
  readonly user: string;
  readonly stack: string;
  /** @default none */
  readonly network?: string;
  /** How many processes at most. @default 256 */
  readonly pids?: number;
}

/**
 * What each container has that a command starts for itself: options of `docker create` and `docker run`. Those of a
 * release's steps have the same (commands/functions/throwaway.sh).
 */
export const confined = ({ user, stack, network = "none", pids = 256 }: Confinement): readonly string[] => [
  "--user",
  user,
  "--network",
  network,
  "--cap-drop",
  "ALL",
  "--security-opt",
  "no-new-privileges",
  "--ulimit",
  "core=0",
  "--pids-limit",
  String(pids),
  "--label",
  `drydock.stack=${stack}`,
];
