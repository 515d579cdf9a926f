import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import * as empty from "google-protobuf/google/protobuf/empty_pb.js";
import * as struct from "google-protobuf/google/protobuf/struct_pb.js";
import { decode, encode, type Values } from "../../../offline/plugin/values.ts";

/** One change that a plugin found, by the input that it is in. */
export type Found = Readonly<Record<string, "update" | "replace">>;
export interface Made {
  readonly id: string;
  readonly state: Values;
}
/** An operation that failed after its object was made. */
export class NotReady extends Error {}

/** Where a plugin is: on PATH, or in Pulumi's home. */
function find(name: string, version: string): string {
  const file = `pulumi-resource-${name}`;
  const home = process.env.PULUMI_HOME ?? join(homedir(), ".pulumi");
  const places = [join(home, "plugins", `resource-${name}-v${version}`), ...(process.env.PATH ?? "").split(delimiter)];
  const found = places.map((place) => join(place, file)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`no ${file} in ${places[0]} or on PATH: ./drydock test sets one up`);
  return found;
}

/** A resource plugin, spoken to as the engine does. */
export class Plugin {
  private constructor(
    readonly name: string,
    readonly path: string,
    private readonly child: ChildProcess,
    private readonly engine: grpc.Server,
    private readonly client: ResourceProviderClient,
    /** What it has printed beside resources. */
    readonly said: string[],
  ) {}

  static async start(name: string, version: string, config: Values = {}): Promise<Plugin> {
    const said: string[] = [];
    const engine = new grpc.Server();
    engine.addService(EngineService as any, {
      log: (call: any, done: any) => {
        said.push(call.request.getMessage());
        done(null, new empty.Empty());
      },
      getRootResource: (_: any, done: any) => done({ code: grpc.status.UNIMPLEMENTED }),
      setRootResource: (_: any, done: any) => done({ code: grpc.status.UNIMPLEMENTED }),
      startDebugging: (_: any, done: any) => done({ code: grpc.status.UNIMPLEMENTED }),
      requirePulumiVersion: (_: any, done: any) => done({ code: grpc.status.UNIMPLEMENTED }),
    });
    const port = await new Promise<number>((resolve, reject) =>
      engine.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    const path = find(name, version);
    const child = spawn(path, [`127.0.0.1:${port}`], { stdio: ["ignore", "pipe", "ignore"] });
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const client = new ResourceProviderClient(`127.0.0.1:${line.trim()}`, grpc.credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
    });
    const plugin = new Plugin(name, path, child, engine, client, said);
    const configure = new pb.ConfigureRequest();
    configure.setAcceptsecrets(true);
    configure.setAcceptresources(true);
    configure.setArgs(write(config));
    for (const [key, value] of Object.entries(config))
      configure.getVariablesMap().set(`${name}:config:${key}`, String(value));
    await plugin.#call("configure", configure);
    return plugin;
  }

  stop(): void {
    this.client.close();
    this.child.kill("SIGKILL");
    this.engine.forceShutdown();
  }

  /** What its schema says of resources, as `pulumi package get-schema` writes it; undefined where it says nothing. */
  async resources(): Promise<Record<string, unknown> | undefined> {
    const answer = await this.#call<pb.GetSchemaResponse>("getSchema", new pb.GetSchemaRequest());
    const { resources = {} } = JSON.parse(answer.getSchema()) as { resources?: Record<string, unknown> };
    return Object.keys(resources).length === 0 ? undefined : resources;
  }

  /** The inputs as the plugin takes them. @throws Error where it refuses them */
  async check(type: string, news: Values, olds: Values = {}): Promise<Values> {
    const request = new pb.CheckRequest();
    request.setUrn(urn(type));
    request.setOlds(write(olds));
    request.setNews(write(news));
    request.setRandomseed(new Uint8Array(32).fill(7));
    const response = await this.#call<pb.CheckResponse>("check", request);
    const failures = response.getFailuresList().map((failure) => failure.getReason());
    if (failures.length > 0) throw new Error(failures.join("\n"));
    return read(response.getInputs());
  }

  async diff(
    type: string,
    { id, state }: Made,
    inputs: Values,
    news: Values,
    ignored: readonly string[] = [],
  ): Promise<Found> {
    const request = new pb.DiffRequest();
    request.setId(id);
    request.setUrn(urn(type));
    request.setOlds(write(state));
    request.setOldInputs(write(inputs));
    request.setNews(write(news));
    request.setIgnorechangesList([...ignored]);
    const response = await this.#call<pb.DiffResponse>("diff", request);
    if (response.getChanges() === pb.DiffResponse.DiffChanges.DIFF_NONE) return {};
    const top = (path: string): string => path.split(/[.[]/)[0]!;
    const found = new Map<string, "update" | "replace">();
    for (const key of response.getDiffsList()) found.set(top(key), "update");
    // Of the kinds of a detail the odd ones replace.
    response.getDetaileddiffMap().forEach((detail: pb.PropertyDiff, path: string) => {
      if (found.get(top(path)) !== "replace") found.set(top(path), detail.getKind() % 2 === 1 ? "replace" : "update");
    });
    for (const key of response.getReplacesList()) found.set(top(key), "replace");
    return Object.fromEntries(found);
  }

  async create(type: string, inputs: Values): Promise<Made> {
    const request = new pb.CreateRequest();
    request.setUrn(urn(type));
    request.setName("box");
    request.setType(type);
    request.setProperties(write(inputs));
    const response = await this.#call<pb.CreateResponse>("create", request);
    return { id: response.getId(), state: read(response.getProperties()) };
  }

  /** What is there, and the inputs that it would be made with; undefined where nothing is. */
  async read(
    type: string,
    { id, state }: Made,
    inputs: Values,
  ): Promise<(Made & { readonly inputs: Values }) | undefined> {
    const request = new pb.ReadRequest();
    request.setId(id);
    request.setUrn(urn(type));
    request.setProperties(write(state));
    request.setInputs(write(inputs));
    const response = await this.#call<pb.ReadResponse>("read", request);
    if (response.getId() === "") return undefined;
    return { id: response.getId(), state: read(response.getProperties()), inputs: read(response.getInputs()) };
  }

  async update(type: string, { id, state }: Made, inputs: Values, news: Values): Promise<Made> {
    const request = new pb.UpdateRequest();
    request.setId(id);
    request.setUrn(urn(type));
    request.setOlds(write(state));
    request.setOldInputs(write(inputs));
    request.setNews(write(news));
    const response = await this.#call<pb.UpdateResponse>("update", request);
    return { id, state: read(response.getProperties()) };
  }

  async delete(type: string, { id, state }: Made, inputs: Values): Promise<void> {
    const request = new pb.DeleteRequest();
    request.setId(id);
    request.setUrn(urn(type));
    request.setProperties(write(state));
    request.setOldInputs(write(inputs));
    await this.#call("delete", request);
  }

  #call<T>(method: string, request: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      (this.client as any)[method](request, (error: grpc.ServiceError | null, response: T) => {
        if (error === null) return resolve(response);
        const details = Buffer.concat(
          error.metadata.get("grpc-status-details-bin").map((one) => Buffer.from(one)),
        ).toString("latin1");
        reject(details.includes("ErrorResourceInitFailed") ? new NotReady(error.details) : new Error(error.details));
      });
    });
  }
}

const urn = (type: string): string => `urn:pulumi:test::drydock::${type}::box`;
const write = (values: Values): struct.Struct => struct.Struct.fromJavaScript(encode({ values, secrets: new Set() }));
const read = (message: struct.Struct | undefined): Values => decode(message?.toJavaScript()).values;
