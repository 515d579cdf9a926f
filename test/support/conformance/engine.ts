import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

type Json = Record<string, any>;
interface Route {
  readonly match: RegExp;
  answer(found: RegExpExecArray, body: Json, named: (name: string) => boolean): [status: number, answer?: unknown];
}

/**
 * As much of a Docker engine as the plugins ask: it keeps what it is told and says it back as Docker does, with what
 * Docker fills in. Nothing runs. Every request is in `calls`, without the version of the API.
 */
export class FakeDocker {
  readonly calls: string[] = [];
  readonly containers = new Map<string, Json>();
  readonly networks = new Map<string, Json>();
  readonly volumes = new Map<string, Json>();
  /** What the next started container's health is. */
  health = "healthy";
  readonly #folder = mkdtempSync(join(tmpdir(), "drydock-docker-"));
  readonly #server: Server;

  private constructor(readonly api: string) {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** @param api version of its API, as "1.41" */
  static async start(api: string): Promise<FakeDocker> {
    const docker = new FakeDocker(api);
    await new Promise<void>((resolve) => docker.#server.listen(join(docker.#folder, "docker.sock"), resolve));
    return docker;
  }

  get host(): string {
    return `unix://${join(this.#folder, "docker.sock")}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The calls that changed something since the last time this was asked. */
  changes(): string[] {
    return this.calls.splice(0).filter((call) => !call.startsWith("GET") && !call.startsWith("HEAD"));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const path = new URL(request.url ?? "", "http://docker").pathname.replace(/^\/v\d+\.\d+/, "");
    const query = new URL(request.url ?? "", "http://docker").searchParams;
    const call = `${request.method} ${path}`;
    this.calls.push(call);
    response.setHeader("Api-Version", this.api).setHeader("Ostype", "linux");
    const json = /json/.test(request.headers["content-type"] ?? "") && parts.length > 0;
    const body = { ...(json ? (JSON.parse(Buffer.concat(parts).toString()) as Json) : {}), name: query.get("name") };
    const pattern = (JSON.parse(query.get("filters") ?? "{}") as { name?: string[] }).name?.[0];
    const named = (name: string): boolean => pattern === undefined || new RegExp(pattern).test(name);
    for (const { match, answer } of this.#routes) {
      const found = match.exec(call);
      if (found === null) continue;
      const [status, said] = answer(found, body, named);
      response.writeHead(status, said === undefined ? {} : { "content-type": "application/json" });
      return void response.end(said === undefined ? undefined : typeof said === "string" ? said : JSON.stringify(said));
    }
    response
      .writeHead(501, { "content-type": "application/json" })
      .end(JSON.stringify({ message: `the test's Docker doesn't know ${call}` }));
  }

  readonly #routes: readonly Route[] = [
    { match: /\/_ping$/, answer: () => [200, "OK"] },
    {
      match: /^GET \/version$/,
      answer: () => [200, { ApiVersion: this.api, Version: "0", Os: "linux", Arch: "amd64", MinAPIVersion: "1.12" }],
    },
    { match: /^GET \/info$/, answer: () => [200, { OSType: "linux", Architecture: "x86_64" }] },
    { match: /^GET \/events$/, answer: () => [200] },
    { match: /^GET \/images\/json$/, answer: () => [200, [{ Id: IMAGE, RepoTags: ["app:1"], RepoDigests: [] }]] },
    { match: /^GET \/images\/(.*)\/json$/, answer: () => [200, { Id: IMAGE, RepoTags: ["app:1"], RepoDigests: [] }] },
    { match: /^POST \/containers\/create$/, answer: (_, body) => [201, { Id: this.#create(body), Warnings: [] }] },
    {
      match: /^GET \/containers\/json$/,
      answer: (_, __, named) => [
        200,
        [...this.containers.values()]
          .filter(({ Name }) => named(Name))
          .map(({ Id, Name, State }) => ({ Id, Names: [Name], State: State.Status, Labels: {} })),
      ],
    },
    { match: /^GET \/containers\/(\w+)\/json$/, answer: ([, id]) => this.#one(this.containers, id!) },
    { match: /^PUT \/containers\/(\w+)\/archive$/, answer: () => [200] },
    { match: /^GET \/containers\/(\w+)\/logs$/, answer: () => [200, ""] },
    {
      match: /^POST \/containers\/(\w+)\/start$/,
      answer: ([, id]) => {
        const health = this.containers.get(id!)!.Config.Healthcheck ? { Health: { Status: this.health, Log: [] } } : {};
        this.containers.get(id!)!.State = { Running: true, Status: "running", ExitCode: 0, ...health };
        return [204];
      },
    },
    {
      match: /^POST \/containers\/(\w+)\/stop$/,
      answer: ([, id]) => {
        this.containers.get(id!)!.State = { Running: false, Status: "exited", ExitCode: 137 };
        return [204];
      },
    },
    {
      match: /^POST \/containers\/(\w+)\/update$/,
      answer: ([, id], { name, ...body }) => {
        Object.assign(this.containers.get(id!)!.HostConfig, defined(body));
        return [200, { Warnings: [] }];
      },
    },
    { match: /^POST \/containers\/(\w+)\/wait$/, answer: () => [200, { StatusCode: 0 }] },
    { match: /^DELETE \/containers\/(\w+)$/, answer: ([, id]) => [this.containers.delete(id!) ? 204 : 404, undefined] },
    { match: /^POST \/networks\/(create)$/, answer: (_, body) => [201, { Id: this.#network(body) }] },
    { match: /^POST \/networks\/([\w-]+)\/(?:dis)?connect$/, answer: () => [200] },
    {
      match: /^GET \/networks$/,
      answer: (_, __, named) => [200, [...this.networks.values()].filter(({ Name }) => named(Name))],
    },
    { match: /^GET \/networks\/(\w+)$/, answer: ([, id]) => this.#one(this.networks, id!) },
    { match: /^DELETE \/networks\/(\w+)$/, answer: ([, id]) => [this.networks.delete(id!) ? 204 : 404, undefined] },
    {
      match: /^POST \/volumes\/create$/,
      answer: (_, { Name, Labels, Driver, DriverOpts }) => {
        const volume = {
          Name,
          Labels: Labels ?? null,
          Driver: Driver ? Driver : "local",
          Options: DriverOpts ?? null,
          Mountpoint: `/volumes/${Name}`,
          Scope: "local",
        };
        this.volumes.set(Name, volume);
        return [201, volume];
      },
    },
    { match: /^GET \/volumes\/([\w-]+)$/, answer: ([, name]) => this.#one(this.volumes, name!) },
    {
      match: /^DELETE \/volumes\/([\w-]+)$/,
      answer: ([, name]) => [this.volumes.delete(name!) ? 204 : 404, undefined],
    },
  ];

  #one(from: Map<string, Json>, id: string): [number, unknown] {
    const found = from.get(id);
    return found === undefined ? [404, { message: `No such object: ${id}` }] : [200, found];
  }

  #create({ name, HostConfig = {}, NetworkingConfig, ...Config }: Json): string {
    const Id = randomBytes(32).toString("hex");
    const memory = HostConfig.Memory ?? 0;
    const swap = HostConfig.MemorySwap ? HostConfig.MemorySwap : memory > 0 ? 2 * memory : 0;
    const ports = Object.entries((HostConfig.PortBindings ?? {}) as Json);
    this.containers.set(Id, {
      Id,
      Name: `/${name}`,
      Image: IMAGE,
      Platform: "linux",
      State: { Running: false, Status: "created", ExitCode: 0 },
      Config: { Hostname: Id.slice(0, 12), WorkingDir: "/srv", Cmd: ["image"], Entrypoint: null, ...given(Config) },
      HostConfig: {
        IpcMode: "private",
        Runtime: "runc",
        ShmSize: 67108864,
        CpuShares: 0,
        NetworkMode: "bridge",
        LogConfig: { Type: "json-file", Config: {} },
        RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
        ...given(HostConfig),
        Memory: memory,
        MemorySwap: swap,
      },
      NetworkSettings: { Bridge: "", Ports: Object.fromEntries(ports), Networks: {} },
    });
    return Id;
  }

  #network({ name: _, Name, Labels, Driver, Internal, Attachable, Ingress, EnableIPv6, IPAM, Options }: Json): string {
    const Id = randomBytes(32).toString("hex");
    this.networks.set(Id, {
      Id,
      Name,
      Labels: Labels ?? {},
      Driver: Driver ? Driver : "bridge",
      Internal: Internal ?? false,
      Attachable: Attachable ?? false,
      Ingress: Ingress ?? false,
      EnableIPv6: EnableIPv6 ?? false,
      Scope: "local",
      Options: Options ?? {},
      IPAM: {
        Driver: IPAM?.Driver ? IPAM.Driver : "default",
        Options: IPAM?.Options ?? null,
        Config: [{ Subnet: "172.30.0.0/16", Gateway: "172.30.0.1" }],
      },
    });
    return Id;
  }
}

const IMAGE = `sha256:${"ab".repeat(32)}`;
const defined = (values: Json): Json =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== 0 && value !== ""));
/** What somebody has said: Docker takes empty for "not said". */
const given = (values: Json): Json =>
  Object.fromEntries(
    Object.entries(values).filter(
      ([, value]) => value !== null && value !== "" && value !== 0 && !(Array.isArray(value) && value.length === 0),
    ),
  );
