import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { EdgeSettings } from "../../config/edge.ts";
import { bracketed } from "../../config/hosts.ts";
import { addressing, edgeAddresses, NETWORK, PLACES } from "../../contracts/edge.ts";
import { HEALTH_URL, PORTS } from "../../contracts/proxy.ts";
import { edgeConfiguration, edgeStart, traitsOf } from "../../servers/nginx/edge.ts";
import { labelWords, step } from "../command.ts";
import { container } from "../container.ts";
import { pulled } from "../image.ts";
import { fingerprint } from "../stack.ts";
import { keeperConfiguration, keeperSecrets } from "./keeper.ts";

/** What the components of an edge need to know. */
export interface EdgeContext {
  readonly stack: string;
  readonly settings: EdgeSettings;
}

/**
 * The edge of a machine: nginx, which takes visitors in for all stacks, and beside it what gets the certificates. No
 * release of a stack and no new certificate touches either.
 */
export class Edge extends pulumi.ComponentResource {
  readonly container: docker.Container;
  readonly certificates: docker.Container;

  constructor(name: string, context: EdgeContext, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Edge", name, {}, options);
    const { edge, docker: engine, logs } = context.settings;
    const stack = { stack: context.stack, dockerHost: engine.host, logs };
    const parent = { parent: this };
    const label = [{ label: "drydock.stack", value: context.stack }];
    const subnets = [edge.subnet, edge.subnet6].filter((subnet) => subnet !== "");
    const addresses = edgeAddresses(subnets);
    const network = new docker.Network(
      `${name}-network`,
      {
        name: NETWORK,
        driver: "bridge",
        internal: false,
        ipv6: edge.subnet6 !== "",
        ipamConfigs: subnets.map(addressing),
        labels: label,
      },
      { ...parent, ignoreChanges: ["labels"], deleteBeforeReplace: true },
    );
    // By one name for ever: an edge that is made anew has the routes and the certificates of the one before.
    const volume = (what: string) =>
      new docker.Volume(
        `${name}-${what}`,
        { name: `${NETWORK}-${what}`, labels: label },
        { ...parent, protect: true, retainOnDelete: true, ignoreChanges: ["labels"] },
      );
    const volumes = { state: volume("state"), certificates: volume("certificates"), accounts: volume("accounts") };
    const image = pulled(`${name}-image`, edge.image!, parent);
    const keeperImage = pulled(`${name}-certificates-image`, edge.certificatesImage!, parent);
    const user = { uid: edge.uid, gid: edge.gid };
    const owned = pulumi
      .all(Object.values(volumes).map(({ name }) => name))
      .apply((names) => names.map((one) => `${one} ${user.uid}:${user.gid} .drydock`).join("\n"));
    const ownership = step(
      stack,
      `${name}-ownership`,
      {
        script: "volumes",
        environment: { IMAGE: edge.image!, OWNERS: owned, LABELS: labelWords(stack) },
      },
      { ...parent, dependsOn: [image.resource] },
    );
    const mount = (one: docker.Volume, target: string, readOnly: boolean) => ({
      type: "volume",
      source: one.name,
      target,
      readOnly,
    });
    const settings = JSON.stringify(keeperConfiguration(context));
    this.certificates = container(
      stack,
      `${name}-certificates`,
      {
        role: "certificates",
        release: fingerprint({ image: edge.certificatesImage, settings }),
        image: edge.certificatesImage!,
        user,
        limits: { memory: edge.certificatesMemory, cpus: 0.5 },
        networks: [{ network }],
        files: [
          { path: "/run/drydock/settings.json", content: settings },
          ...Object.entries(keeperSecrets(edge)).map(([file, content]) => ({
            path: `/run/drydock/${file}`,
            content: pulumi.secret(content),
          })),
        ],
        mounts: [
          mount(volumes.state, PLACES.state, true),
          mount(volumes.certificates, PLACES.certificates, false),
          mount(volumes.accounts, PLACES.accounts, false),
        ],
        tmpfs: { "/tmp": 16 },
        init: true,
        health: { test: ["CMD", "healthy"] },
        stopSignal: "SIGTERM",
        stopTimeout: 30,
        startTimeout: 60,
      },
      "old-before-new",
      { ...parent, dependsOn: [keeperImage.resource, ownership] },
    );
    const command = edgeStart(context.settings);
    const traits = traitsOf(edge);
    const published = edge.interfaces.flatMap((ip) => [
      { internal: PORTS.site, external: edge.httpPort, ip },
      { internal: 8443, external: edge.httpsPort, ip },
      ...(edge.http3 ? [{ internal: 8443, external: edge.httpsPort, ip, protocol: "udp" as const }] : []),
    ]);
    const check = step(
      stack,
      `${name}-check`,
      {
        script: "edge-check",
        environment: {
          IMAGE: edge.image!,
          RUN_AS: `${user.uid}:${user.gid}`,
          NETWORK: network.name,
          STATE: volumes.state.name,
          CERTIFICATES: volumes.certificates.name,
          PLACES: `${PLACES.state} ${PLACES.certificates}`,
          PORTS: published
            .map(
              ({ ip, external, internal, protocol = "tcp" }) => `${bracketed(ip)}:${external}:${internal}/${protocol}`,
            )
            .join(" "),
          LABELS: labelWords(stack),
        },
        stdin: edgeConfiguration(context.settings),
      },
      { ...parent, dependsOn: [image.resource, ownership] },
    );
    this.container = container(
      stack,
      name,
      {
        role: "edge",
        release: fingerprint({ image: edge.image, command }),
        labels: Object.fromEntries(
          Object.entries(traits).map(([trait, value]) => [`drydock.edge.${trait}`, String(value)]),
        ),
        image: edge.image!,
        user,
        limits: edge,
        networks: [{ network, addresses }],
        mounts: [mount(volumes.state, PLACES.state, false), mount(volumes.certificates, PLACES.certificates, true)],
        tmpfs: { "/tmp": 32 },
        readOnly: true,
        entrypoint: ["/bin/sh", "-c"],
        command: [command],
        health: { test: ["CMD-SHELL", `curl -fsSo /dev/null ${HEALTH_URL} || wget -qO /dev/null ${HEALTH_URL}`] },
        // At once: one that finished what is open would keep everybody out that long, since its ports are closed first.
        stopSignal: "SIGTERM",
        stopTimeout: 5,
        startTimeout: 60,
        ports: published,
      },
      // It has the ports, which two containers can't have at once.
      "old-before-new",
      { ...parent, dependsOn: [check] },
    );
    this.registerOutputs({ container: this.container.name });
  }
}
