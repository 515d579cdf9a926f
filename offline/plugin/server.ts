import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import * as engine from "@pulumi/pulumi/proto/engine_pb.js";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import * as empty from "google-protobuf/google/protobuf/empty_pb.js";
import { lowerPriority } from "../../lib/priority.cjs";
import { listen } from "./listen.ts";
import { autoname, checked, diffed, given, notReady, outputsOf, read, settings, unknown, write } from "./messages.ts";
import { type Call, NotReady, type Provider, type Resource } from "./resource.ts";
import { changes } from "./schema.ts";
import { type Properties, redactor } from "./values.ts";

/** Serves a provider to the engine that has started this process. */
export async function serve(provider: Provider): Promise<void> {
  lowerPriority();
  const cancelled = new AbortController();
  let log: EngineClient | undefined;
  let logged: Promise<void> = Promise.resolve();
  const attach = (address: string): void => {
    log ??= new EngineClient(address, grpc.credentials.createInsecure(), { "grpc.max_receive_message_length": -1 });
  };

  const resourceOf = (urn: string): Resource => {
    const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
    const resource = provider.resources[type];
    if (resource) return resource;
    throw new Error(
      `the offline stand-in for the ${provider.name} plugin does not implement the type ${type}; ` +
        `it has ${Object.keys(provider.resources).join(", ")}`,
    );
  };
  const callOf = (urn: string, secretsOf: readonly Properties[], timeout = 0): Call => {
    const redactors = secretsOf.map(redactor);
    const redact = (text: string): string => redactors.reduce((rest, one) => one(rest), text);
    return {
      urn,
      name: urn.split("::").slice(3).join("::"),
      redact,
      signal: timeout > 0 ? AbortSignal.any([cancelled.signal, AbortSignal.timeout(timeout * 1000)]) : cancelled.signal,
      log(severity, text, options) {
        const request = new engine.LogRequest();
        request.setSeverity({ debug: 0, info: 1, warning: 2 }[severity] as engine.LogSeverity);
        request.setMessage(redact(text));
        request.setUrn(urn);
        request.setEphemeral(options?.passing ?? false);
        // One after the other, so that lines keep their order; a lost one must not fail an operation.
        logged = logged.then(() => new Promise((done) => (log ? log.log(request, () => done()) : done())));
      },
    };
  };

  const handlers: { [method: string]: (request: any) => Promise<unknown> | unknown } = {
    handshake(request: pb.ProviderHandshakeRequest) {
      attach(request.getEngineAddress());
      const response = new pb.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    },
    attach(request: plugin.PluginAttach) {
      attach(request.getAddress());
      return new empty.Empty();
    },
    getPluginInfo() {
      const response = new plugin.PluginInfo();
      response.setVersion(provider.version);
      return response;
    },
    getSchema() {
      const response = new pb.GetSchemaResponse();
      response.setSchema(
        JSON.stringify({
          name: provider.name,
          version: provider.version,
          description: "offline stand-in",
          resources: {},
        }),
      );
      return response;
    },
    checkConfig(request: pb.CheckRequest) {
      const { response } = checked(
        { ...provider.config, version: { kind: "string" }, pluginDownloadURL: { kind: "string" } },
        settings(read(request.getNews())),
      );
      response.setInputs(request.getNews());
      return response;
    },
    diffConfig(request: pb.DiffRequest) {
      const [olds, news] = [read(request.getOldInputs()), read(request.getNews())];
      return diffed(
        changes(provider.config, olds.values, news.values).map((change) => ({ ...change, replace: false })),
        false,
      );
    },
    configure(request: pb.ConfigureRequest) {
      provider.configure(settings(read(request.getArgs())));
      const response = new pb.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    },

    async check(request: pb.CheckRequest) {
      const resource = resourceOf(request.getUrn());
      const [olds, news] = [read(request.getOlds()), read(request.getNews())];
      const call = callOf(request.getUrn(), [news]);
      if (resource.autoname && news.values.name === undefined) {
        const proposed = request.getAutonaming()?.getProposedName();
        const kept =
          typeof olds.values.name === "string" && olds.values.name.startsWith(call.name) ? olds.values.name : undefined;
        news.values.name = kept ?? (proposed ? proposed : autoname(call.name, request.getRandomseed_asU8()));
      }
      const { values, response, fail, ok } = checked(resource.schema, news);
      if (ok) (await resource.check?.(values, call))?.forEach(fail);
      response.setInputs(write({ values, secrets: news.secrets }));
      return response;
    },
    diff(request: pb.DiffRequest) {
      provider.settled?.(request.getUrn(), request.getId());
      const resource = resourceOf(request.getUrn());
      const inputs = read(request.getOldInputs()).values;
      const olds = resource.compared?.(read(request.getOlds()).values, inputs) ?? inputs;
      const ignored = request.getIgnorechangesList();
      const found = changes(resource.schema, olds, read(request.getNews()).values).filter(
        ({ key }) => !ignored.includes(key),
      );
      return diffed(found, resource.deleteBeforeReplace ?? false);
    },
    async create(request: pb.CreateRequest) {
      const resource = resourceOf(request.getUrn());
      const inputs = read(request.getProperties());
      const response = new pb.CreateResponse();
      if (request.getPreview()) {
        response.setProperties(write(outputsOf(resource, { ...unknown(resource), ...inputs.values }, inputs)));
        return response;
      }
      const call = callOf(request.getUrn(), [inputs], request.getTimeout());
      const created = await keepSecrets(resource, inputs, call, () => resource.create(inputs.values, call));
      response.setId(created.id);
      response.setProperties(write(outputsOf(resource, created.outputs, inputs)));
      return response;
    },
    async read(request: pb.ReadRequest) {
      provider.settled?.(request.getUrn(), request.getId());
      const resource = resourceOf(request.getUrn());
      const [inputs, state] = [read(request.getInputs()), read(request.getProperties())];
      const response = new pb.ReadResponse();
      const call = callOf(request.getUrn(), [inputs, state], request.getTimeout());
      if (Object.keys(inputs.values).length === 0 && !resource.importable)
        throw new Error(
          `the offline stand-in for the ${provider.name} plugin does not import or get existing resources ` +
            `(${request.getUrn()})`,
        );
      const live = resource.read
        ? await keepSecrets(resource, inputs, call, () =>
            resource.read!(request.getId(), inputs.values, state.values, call),
          )
        : { inputs: inputs.values, outputs: state.values };
      if (!live) return response; // an empty id says that it is gone
      const secrets = new Set([...inputs.secrets, ...state.secrets]);
      response.setId(request.getId());
      response.setInputs(write({ values: live.inputs, secrets: outputsOf(resource, live.inputs, inputs).secrets }));
      response.setProperties(write(outputsOf(resource, live.outputs, { values: inputs.values, secrets })));
      return response;
    },
    async update(request: pb.UpdateRequest) {
      const resource = resourceOf(request.getUrn());
      const [state, inputs] = [read(request.getOlds()), read(request.getNews())];
      const call = callOf(request.getUrn(), [inputs, given(resource, state)], request.getTimeout());
      const response = new pb.UpdateResponse();
      const outputs = request.getPreview()
        ? { ...state.values, ...unknown(resource), ...inputs.values }
        : await keepSecrets(resource, inputs, call, () =>
            resource.update(request.getId(), state.values, inputs.values, call),
          );
      response.setProperties(write(outputsOf(resource, outputs, inputs)));
      return response;
    },
    async delete(request: pb.DeleteRequest) {
      const resource = resourceOf(request.getUrn());
      const state = read(request.getProperties());
      const call = callOf(request.getUrn(), [state], request.getTimeout());
      await keepSecrets(resource, state, call, () => resource.delete(request.getId(), state.values, call));
      provider.settled?.(request.getUrn(), request.getId());
      return new empty.Empty();
    },
    cancel() {
      cancelled.abort(new Error("cancelled"));
      provider.settled?.();
      return new empty.Empty();
    },
  };

  /** Runs an operation; what it throws leaves without secrets, and an object that isn't ready with its state. */
  async function keepSecrets<T>(
    resource: Resource,
    inputs: Properties,
    call: Call,
    operation: () => Promise<T>,
  ): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      const message = call.redact(error instanceof Error ? error.message : String(error));
      throw error instanceof NotReady ? notReady(resource, inputs, error, message) : new Error(message);
    }
  }

  const service = Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => [
      name,
      (call: grpc.ServerUnaryCall<unknown, unknown>, done: grpc.sendUnaryData<unknown>) => {
        Promise.resolve()
          .then(() => handler(call.request))
          .then(
            (response) => done(null, response),
            (error: Error & { metadata?: grpc.Metadata }) =>
              done({ code: grpc.status.UNKNOWN, message: error.message, details: error.message }, null, error.metadata),
          );
      },
    ]),
  );
  const address = await listen(
    (server) => server.addService(ResourceProviderService as any, service),
    () => cancelled.abort(new Error("the engine is gone")),
  );
  if (address) attach(address);
}
