import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { bracketed } from "../config/hosts.ts";
import type { Settings } from "../config/settings.ts";
import { NETWORK } from "../contracts/edge.ts";
import { FOLDERS, HEALTH_URL, PORTS } from "../contracts/proxy.ts";
import { bootCheck, bootCommand } from "../servers/nginx/boot.ts";
import { labelWords, step } from "./command.ts";
import { container } from "./container.ts";
import type { PulledImage } from "./image.ts";
import type { Network } from "./network.ts";
import { present } from "./outputs.ts";
import { fingerprint, type StackIdentity } from "./stack.ts";
import type { Volumes } from "./volumes.ts";

export interface ProxyArgs {
  readonly stack: StackIdentity;
  readonly network: Network;
  readonly volumes: Volumes;
  readonly image: PulledImage;
  /** Where it listens, who it runs as and its limits in MiB and processors; all else is the site's (switch.ts). */
  readonly server: Pick<Settings["proxy"], "interface" | "port" | "uid" | "gid" | "memory" | "cpus">;
  /** The application's folder in its image. */
  readonly appPath: string;
  /** Whether visitors come through the machine's edge: then no port is published. @default false */
  readonly behindEdge?: boolean;
}

/**
 * nginx. It holds the published port, which two containers can't hold at once, so no release may replace it: what a
 * release changes is in a volume and is reloaded (see switch.ts); only what is here makes a new container.
 */
export class Proxy extends pulumi.ComponentResource {
  readonly container: docker.Container;

  constructor(name: string, args: ProxyArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Proxy", name, {}, options);
    const { stack, network, volumes, image, server, appPath, behindEdge = false } = args;
    const port = behindEdge ? undefined : this.#freePort(name, args);
    const check = step(
      stack,
      `${name}-check`,
      {
        script: "proxy-check",
        environment: {
          IMAGE: image.reference,
          RUN_AS: `${server.uid}:${server.gid}`,
          NETWORK: network.app.name,
          VOLUME: volumes.proxy.name,
          STATE: FOLDERS.state,
          LABELS: labelWords(stack),
        },
        stdin: bootCheck,
      },
      { parent: this, dependsOn: [image.resource, volumes.ownership] },
    );
    const readOnly = (volume: docker.Volume, target: string) => ({
      type: "volume",
      source: volume.name,
      target,
      readOnly: true,
    });
    this.container = container(
      stack,
      name,
      {
        role: "proxy",
        release: fingerprint({ image: image.reference, bootCommand }),
        image: image.reference,
        user: server,
        limits: server,
        networks: [
          { network: behindEdge ? { name: NETWORK } : network.public },
          { network: network.app, aliases: ["proxy"] },
        ],
        mounts: [
          { type: "volume", source: volumes.proxy.name, target: FOLDERS.state },
          readOnly(volumes.public, FOLDERS.public),
          // The link public/storage points to where the application has its files.
          readOnly(volumes.storage, `${appPath}/storage/app`),
          ...volumes.persistent
            .filter((one) => one.public)
            .map(({ path, volume }) => readOnly(volume, `${appPath}/${path}`)),
        ],
        tmpfs: { "/tmp": 16 },
        readOnly: true,
        entrypoint: ["/bin/sh", "-c"],
        command: [bootCommand],
        health: { test: ["CMD-SHELL", `curl -fsSo /dev/null ${HEALTH_URL} || wget -qO /dev/null ${HEALTH_URL}`] },
        stopSignal: "SIGQUIT",
        stopTimeout: 30,
        startTimeout: 60,
        ports: behindEdge ? [] : [{ internal: PORTS.site, external: server.port, ip: server.interface }],
      },
      // Behind an edge it holds no port: its successor serves before it goes.
      behindEdge ? "new-before-old" : "old-before-new",
      { parent: this, dependsOn: [check, ...present(port)] },
    );
    this.registerOutputs({ container: this.container.name });
  }

  /** Has run when the port that it publishes can be obtained. */
  #freePort(name: string, { stack, network, image, server }: ProxyArgs): command.local.Command {
    return step(
      stack,
      `${name}-port`,
      {
        script: "port",
        environment: {
          ADDRESS: `${bracketed(server.interface)}:${server.port}`,
          IMAGE: image.reference,
          NETWORK: network.public.name,
          LABELS: labelWords(stack),
        },
      },
      { parent: this, dependsOn: [image.resource] },
    );
  }
}
