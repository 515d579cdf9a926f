import { createRequire } from "node:module";
import * as grpc from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import pb from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";

const { ResourceProviderService } = createRequire(import.meta.url)("@pulumi/pulumi/proto/provider_grpc_pb") as {
  ResourceProviderService: grpc.ServiceDefinition;
};

const NAMED = /^docker:index\/(container|volume|network|service):/;

/**
 * A provider that says yes to everything and makes nothing: rules are about what a program asks for, so neither Docker
 * nor AWS is needed. The engine attaches to it by PULUMI_DEBUG_PROVIDERS. Like the official docker provider it makes
 * names up.
 */
export class YesProvider {
  readonly #server = new grpc.Server({ "grpc.max_receive_message_length": 1 << 28 });
  port = 0;

  async start(): Promise<this> {
    this.#server.addService(
      ResourceProviderService,
      Object.fromEntries(
        Object.entries(handlers).map(([name, handle]) => [
          name,
          (call: grpc.ServerUnaryCall<any, any>, done: grpc.sendUnaryData<any>) => {
            try {
              done(null, handle(call.request));
            } catch (error) {
              done(error as Error, null);
            }
          },
        ]),
      ) as grpc.UntypedServiceImplementation,
    );
    this.port = await new Promise((resolve, reject) =>
      this.#server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    );
    return this;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  /** For these packages. */
  env(...packages: readonly string[]): NodeJS.ProcessEnv {
    return { PULUMI_DEBUG_PROVIDERS: packages.map((name) => `${name}:${this.port}`).join(",") };
  }
}

const handlers: Record<string, (request: any) => unknown> = {
  handshake: () => {
    const response = new pb.ProviderHandshakeResponse();
    response.setAcceptSecrets(true);
    return response;
  },
  checkConfig: checked,
  diffConfig: () => new pb.DiffResponse(),
  configure() {
    const response = new pb.ConfigureResponse();
    response.setAcceptsecrets(true);
    response.setSupportspreview(true);
    return response;
  },
  check: checked,
  diff(request: pb.DiffRequest) {
    const response = new pb.DiffResponse();
    const [before, after] = [request.getOldInputs(), request.getNews()].map((value) =>
      JSON.stringify(value?.toJavaScript()),
    );
    response.setChanges(
      before === after ? pb.DiffResponse.DiffChanges.DIFF_NONE : pb.DiffResponse.DiffChanges.DIFF_SOME,
    );
    return response;
  },
  create(request: pb.CreateRequest) {
    const response = new pb.CreateResponse();
    response.setId(request.getPreview() ? "" : `id-${request.getUrn().split("::").pop()}`);
    response.setProperties(request.getProperties());
    return response;
  },
  update(request: pb.UpdateRequest) {
    const response = new pb.UpdateResponse();
    response.setProperties(request.getNews());
    return response;
  },
  delete: () => new empty.Empty(),
  cancel: () => new empty.Empty(),
  attach: () => new empty.Empty(),
  getSchema: () => new pb.GetSchemaResponse(),
  getPluginInfo() {
    const response = new plugin.PluginInfo();
    response.setVersion("99.0.0");
    return response;
  },
};

function checked(request: pb.CheckRequest): pb.CheckResponse {
  const [, , type = "", name = ""] = request.getUrn().split("::");
  const inputs = request.getNews()?.toJavaScript() ?? {};
  const old = request.getOlds()?.toJavaScript() as { name?: string } | undefined;
  if (NAMED.test(type) && inputs["name"] === undefined)
    inputs["name"] = old?.name ?? `${name}-${Buffer.from(name).toString("hex").padEnd(7, "0").slice(0, 7)}`;
  const response = new pb.CheckResponse();
  response.setInputs(struct.Struct.fromJavaScript(inputs));
  return response;
}
