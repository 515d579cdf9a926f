import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { namesOf } from "../../config/domains.ts";
import type { Settings } from "../../config/settings.ts";
import { fileOf, filesOf } from "../../servers/nginx/route.ts";
import { step } from "../command.ts";
import { fingerprint, type StackIdentity } from "../stack.ts";
import { type FoundEdge, taken } from "./found.ts";

export interface JoinArgs {
  readonly stack: StackIdentity;
  readonly edge: FoundEdge;
  readonly domains: Settings["domains"];
  /** Its name names the stack on the machine. */
  readonly volume: docker.Volume;
  readonly proxy: docker.Container;
  /** What it waits for: the proof of the release. */
  readonly after: pulumi.Input<pulumi.Resource>[];
}

/** Has the machine's edge send a stack's names to its proxy, once the release has proven itself. */
export class Join extends pulumi.ComponentResource {
  readonly command: command.local.Command;
  /** Has run when nothing is sent to an earlier proxy any more. */
  readonly drained: command.local.Command;

  constructor(name: string, args: JoinArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Join", name, {}, options);
    const { stack, edge, domains } = args;
    if (pulumi.runtime.isDryRun()) refuseInPreview(args);
    const files = pulumi.all([args.volume.name, args.proxy.name]).apply(([id, proxy]) => {
      if (!pulumi.runtime.isDryRun()) refuseTaken(args, id);
      return { id, ...filesOf({ id, proxy, domains, edge: edge.traits }, stack.stack) };
    });
    const names = namesOf(domains).map((one) => fileOf(one.name));
    const plain = files.apply(({ plain }) => JSON.stringify(plain));
    this.command = step(
      stack,
      name,
      {
        script: "edge-join",
        undo: "edge-leave",
        environment: {
          ID: args.volume.name,
          STACK: stack.stack,
          NAMES: names.join(" "),
          GENERATION: edge.generation,
        },
        stdin: pulumi.secret(files).apply(({ plain, secret }) => archive([...plain, ...secret])),
      },
      { parent: this, dependsOn: args.after },
    );
    this.drained = step(
      stack,
      `${name}-drained`,
      { script: "edge-drain", environment: { TIMEOUT: "75", ROUTE: plain.apply(fingerprint) } },
      { parent: this, dependsOn: [this.command] },
    );
    this.registerOutputs({});
  }
}

/** Lines "PATH BASE64", as the scripts read them: a shell has no JSON. */
function archive(files: readonly { readonly path: string; readonly content: string }[]): string {
  return files.map(({ path, content }) => `${path} ${Buffer.from(content).toString("base64")}\n`).join("");
}

/**
 * Outside of every resource's inputs: there Pulumi would say which property it could not serialize, too. A stack that
 * is not there yet has no id: in its preview every name that is claimed is another stack's.
 */
function refuseInPreview(args: JoinArgs): void {
  const id = args.volume.name;
  // Not in the SDK's types.
  const { isKnown } = id as unknown as { readonly isKnown: Promise<boolean> };
  pulumi.output(isKnown).apply((known) => {
    if (!known) return refuseTaken(args, "");
    return id.apply((name) => refuseTaken(args, name));
  });
}

/** @throws pulumi.RunError where another stack has one of the names */
function refuseTaken({ stack, domains, edge }: JoinArgs, id: string): void {
  const others = taken(domains, edge, id);
  if (others.length === 0) return;
  const list = others.map(({ name, by }) => `${name} (of stack ${by})`).join(", ");
  throw new pulumi.RunError(
    `drydock:domains of stack ${stack.stack} has names that are another stack's on this machine: ${list}; ` +
      "nothing was changed.\n" +
      "  take them out here, or there and deploy that stack first; ./drydock edge status shows whose they are",
  );
}
