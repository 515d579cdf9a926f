import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { bracketed } from "../config/hosts.ts";
import { bootCommand } from "./bootConfiguration.ts";
import { step } from "./command.ts";
import { container } from "./container.ts";
import { type Context, fingerprint } from "./context.ts";
import type { Network } from "./network.ts";
import type { Volumes } from "./volumes.ts";

/**
 * nginx. It holds the published port, which two containers can't hold at once, so no release may replace it: what a
 * release changes is in a
 * volume and is reloaded (see switch.ts); only what is here makes a new container.
 */
export class Proxy extends pulumi.ComponentResource {
  readonly container: docker.Container;

  constructor(
    name: string,
    context: Context,
    args: { network: Network; volumes: Volumes; image: docker.RemoteImage },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Proxy", name, {}, options);
    const { app, proxy } = context.settings;
    const port = step(
      context,
      `${name}-port`,
      {
        script: "port",
        environment: {
          ADDRESS: `${bracketed(proxy.interface)}:${proxy.port}`,
          IMAGE: proxy.image,
          NETWORK: args.network.public.name,
          LABELS: `--label drydock.stack=${context.stack}`,
        },
      },
      { parent: this, dependsOn: [args.image] },
    );
    const health = "http://127.0.0.1:8089/healthz";
    this.container = container(
      context,
      name,
      {
        role: "proxy",
        release: fingerprint({ image: proxy.image, bootCommand }),
        image: proxy.image,
        user: proxy,
        limits: proxy,
        networks: [{ network: args.network.public }, { network: args.network.app, aliases: ["proxy"] }],
        mounts: [
          { type: "volume", source: args.volumes.proxy.name, target: "/var/lib/drydock" },
          { type: "volume", source: args.volumes.public.name, target: "/srv/public", readOnly: true },
          // The link public/storage points to where the application has its files.
          { type: "volume", source: args.volumes.storage.name, target: `${app.path}/storage/app`, readOnly: true },
          ...args.volumes.persistent
            .filter((one) => one.public)
            .map(({ path, volume }) => ({
              type: "volume",
              source: volume.name,
              target: `${app.path}/${path}`,
              readOnly: true,
            })),
        ],
        tmpfs: { "/tmp": 16 },
        readOnly: true,
        entrypoint: ["/bin/sh", "-c"],
        command: [bootCommand],
        health: { test: ["CMD-SHELL", `curl -fsSo /dev/null ${health} || wget -qO /dev/null ${health}`] },
        stopSignal: "SIGQUIT",
        stopTimeout: 30,
        startTimeout: 60,
        ports: [{ internal: 8080, external: proxy.port, ip: proxy.interface }],
      },
      "old-before-new",
      { parent: this, dependsOn: [args.image, args.volumes.ownership, port] },
    );
    this.registerOutputs({ container: this.container.name });
  }
}
