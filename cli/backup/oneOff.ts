import { confined } from "../shared/confined.ts";
import type { Inspection } from "./agent.ts";

export interface OnVolume {
  /** The container whose image and user it has. */
  readonly like: Pick<Inspection, "Config">;
  readonly stack: string;
  readonly volume: string;
  /** Where the volume is in it. */
  readonly at: string;
  /** For sh. */
  readonly script: string;
  readonly args: readonly string[];
}

/** The arguments of `docker` for a script in a container of its own on one volume, without a network. */
export const onVolume = ({ like: { Config }, stack, volume, at, script, args }: OnVolume): string[] => [
  "run",
  "--rm",
  "--interactive",
  "--log-driver",
  "none",
  ...confined({ user: Config.User, stack }),
  "--mount",
  `type=volume,source=${volume},target=${at},volume-nocopy`,
  "--entrypoint",
  "sh",
  Config.Image,
  "-c",
  script,
  "restore",
  ...args,
];
