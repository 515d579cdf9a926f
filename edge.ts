import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { Edge } from "./components/edge/edge.ts";
import { servicesOutput } from "./components/outputs.ts";
import { loadEdge } from "./config/load.ts";
import { defined } from "./lib/defined.ts";

// The program of a stack with drydock:edge: what takes visitors in for all stacks of a machine.
const settings = loadEdge();
const { host, registry } = settings.docker;
const on = {
  providers: {
    docker: new docker.Provider("docker", {
      ...defined({ host }),
      ...(registry === undefined
        ? {}
        : { registryAuth: [{ ...registry, password: pulumi.secret(registry.password) }] }),
    }),
    command: new command.Provider("command"),
  },
};
const made = new Edge("edge", { stack: pulumi.getStack(), settings }, on);

export const stack = pulumi.getStack();
export const url = "";
export const release = "";
export const dockerHost = host ?? null;
export const services = servicesOutput([made.container, made.certificates], "");
