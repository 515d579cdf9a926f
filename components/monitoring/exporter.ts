import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { HOSTS } from "../../contracts/monitoring.ts";
import { COMMANDS, healthOf } from "../../servers/monitoring/exporters.ts";
import { type ContainerFile, type ContainerSpec, container } from "../container.ts";
import { fingerprint } from "../stack.ts";
import { common, type PartArgs } from "./part.ts";

export interface ExporterArgs extends PartArgs {
  /** Of what it says how it is. */
  readonly of: keyof typeof COMMANDS;
  /** Whether it asks servers of the stack. @default false: the machine alone */
  readonly asks?: boolean;
  /** Its password. @default none */
  readonly file?: ContainerFile;
  readonly mounts?: ContainerSpec["mounts"];
}

/** A program that says how a server is in Prometheus' words. */
export class Exporter extends pulumi.ComponentResource {
  readonly container: docker.Container;

  constructor(name: string, args: ExporterArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:monitoring:Exporter", name, {}, options);
    const { stack, network, image, settings, of, asks = false, file, mounts = [], after } = args;
    const { entrypoint, command } = COMMANDS[of];
    this.container = container(
      stack,
      name,
      {
        ...common(args, settings.memory.exporters),
        role: "exporter",
        release: fingerprint({ image: image.reference, command }),
        networks: [{ network: network.monitoring, aliases: [HOSTS[of]] }, ...(asks ? [{ network: network.data }] : [])],
        // Docker delivers no file into a root that is read-only.
        ...(file === undefined ? { readOnly: true } : { files: [file] }),
        mounts,
        tmpfs: { "/tmp": 4 },
        entrypoint,
        command,
        health: healthOf(of, "/"),
      },
      "old-before-new",
      { parent: this, dependsOn: [image.resource, ...after] },
    );
    this.registerOutputs({ container: this.container.name });
  }
}
