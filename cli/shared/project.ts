import { join } from "node:path";

/** The project's name in Pulumi.yaml; the namespace of its configuration as well. */
export const PROJECT = "drydock";

/** The stack that needs nothing: its file is generated, its images are built here, it never asks. */
export const LOCAL = "local";

/** What names a stack in a command that a message gives: nothing for the one that is meant by itself. */
export const select = (stack: string): string => (stack === LOCAL ? "" : ` -s ${stack}`);

/** The folder of the clone, wherever the command was started from. */
export const ROOT = join(import.meta.dirname, "../..");

/** Where things are in one clone. All that is generated is under `.drydock/`, but for the local stack's own file. */
export interface Paths {
  readonly root: string;
  readonly folder: string;
  /** Pulumi's file backend. */
  readonly state: string;
  readonly passphrase: string;
  stackFile(stack: string): string;
  /** Who is running `up` or `destroy` on a stack. */
  lock(stack: string): string;
}

export function pathsOf(root: string = ROOT): Paths {
  const folder = join(root, ".drydock");
  return {
    root,
    folder,
    state: join(folder, "state"),
    passphrase: join(folder, "passphrase"),
    stackFile: (stack) => join(root, `Pulumi.${stack}.yaml`),
    lock: (stack) => join(folder, `${stack}.lock`),
  };
}
