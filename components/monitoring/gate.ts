import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { HOSTS, PORTS } from "../../contracts/monitoring.ts";
import { GATE_SOCKET, gateCommand } from "../../lib/socketGate.ts";
import { healthOf } from "../../servers/monitoring/exporters.ts";
import { labelWords, step } from "../command.ts";
import { container } from "../container.ts";
import { fingerprint } from "../stack.ts";
import { common, type PartArgs } from "./part.ts";

export interface GateArgs extends PartArgs {
  /** Docker's, on its host. */
  readonly socket: string;
}

/**
 * The one container that reaches Docker's socket: nginx, which lets four questions pass. It is on the network of
 * monitoring alone.
 */
export class Gate extends pulumi.ComponentResource {
  readonly container: docker.Container;

  /** @param args its image is the proxy's */
  constructor(name: string, args: GateArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:monitoring:Gate", name, {}, options);
    const { stack, network, image, settings, socket, after } = args;
    const { entrypoint, command } = gateCommand(PORTS.gate);
    const group = step(
      stack,
      `${name}-group`,
      {
        script: "socket-group",
        environment: { IMAGE: image.reference, SOCKET: socket, LABELS: labelWords(stack) },
      },
      { parent: this, dependsOn: [image.resource, ...after] },
    );
    this.container = container(
      stack,
      name,
      {
        ...common(args, settings.memory.gate),
        role: "gate",
        release: fingerprint({ image: image.reference, command }),
        groups: [group.stdout.apply((printed) => Number(printed.trim()))],
        networks: [{ network: network.monitoring, aliases: [HOSTS.gate] }],
        mounts: [{ type: "bind", source: socket, target: GATE_SOCKET, readOnly: true }],
        tmpfs: { "/tmp": 4 },
        readOnly: true,
        entrypoint,
        command,
        health: {
          ...healthOf("gate", "/healthz"),
          test: ["CMD-SHELL", gateAnswers(`http://127.0.0.1:${PORTS.gate}/healthz`)],
        },
        stopSignal: "SIGQUIT",
      },
      "old-before-new",
      { parent: this, dependsOn: [image.resource, ...after] },
    );
    this.registerOutputs({ container: this.container.name });
  }
}

/** Images of nginx have one or the other. */
const gateAnswers = (url: string): string => `curl -fsSo /dev/null ${url} || wget -qO /dev/null ${url}`;
