import { createHash, randomBytes } from "node:crypto";
import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import * as engine from "@pulumi/pulumi/proto/engine_pb.js";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import * as status from "@pulumi/pulumi/proto/status_pb.js";
import * as any from "google-protobuf/google/protobuf/any_pb.js";
import * as empty from "google-protobuf/google/protobuf/empty_pb.js";
import * as struct from "google-protobuf/google/protobuf/struct_pb.js";
import { lowerPriority } from "../../lib/priority.cjs";
import { listen } from "./listen.ts";
import type { Call, Provider, Resource } from "./resource.ts";
import { NotReady } from "./resource.ts";
import type { Change, Schema } from "./schema.ts";
import { changes, check } from "./schema.ts";
import type { Properties, Values } from "./values.ts";
import { decode, encode, redactor, top, UNKNOWN, widenSecrets } from "./values.ts";

const KIND = { add: 0, delete: 2, update: 4 } as const; // PropertyDiff.Kind; +1 is the same with a replacement

/** Serves a provider to the engine that has started this process. */
export async function serve(provider: Provider): Promise<void> {
  lowerPriority();
  const cancelled = new AbortController();
  let log: EngineClient | undefined;
  let logged: Promise<void> = Promise.resolve();
  const attach = (address: string): void => {
    log ??= new EngineClient(address, grpc.credentials.createInsecure(), { "grpc.max_receive_message_length": -1 });
  };

  const read = (message: struct.Struct | undefined): Properties => decode(message?.toJavaScript());
  const write = (properties: Properties): struct.Struct => struct.Struct.fromJavaScript(encode(properties));
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

  const checked = (schema: Schema, news: Properties) => {
    const { values, failures } = check(schema, news.values);
    const response = new pb.CheckResponse();
    const fail = ({ property, reason }: { property: string; reason: string }): void => {
      const failure = new pb.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      response.addFailures(failure);
    };
    failures.forEach(fail);
    return { values, response, fail, ok: failures.length === 0 };
  };
  const diffed = (found: readonly Change[], deleteBeforeReplace: boolean): pb.DiffResponse => {
    const response = new pb.DiffResponse();
    response.setChanges(
      found.length > 0 ? pb.DiffResponse.DiffChanges.DIFF_SOME : pb.DiffResponse.DiffChanges.DIFF_NONE,
    );
    response.setHasdetaileddiff(true);
    for (const { key, kind, replace } of found) {
      const detail = new pb.PropertyDiff();
      detail.setKind((KIND[kind] + (replace ? 1 : 0)) as pb.PropertyDiff.Kind);
      detail.setInputdiff(true);
      response.getDetaileddiffMap().set(key, detail);
      response.addDiffs(key);
      if (replace) response.addReplaces(key);
    }
    response.setDeletebeforereplace(deleteBeforeReplace);
    return response;
  };
  const outputsOf = (resource: Resource, values: Values, inputs: Properties): Properties => {
    const derived = inputs.secrets.size > 0 ? (resource.derived ?? []) : [];
    const secrets = widenSecrets(
      inputs.secrets,
      Object.keys(inputs.values).filter((key) => JSON.stringify(values[key]) !== JSON.stringify(inputs.values[key])),
    );
    return {
      values,
      secrets: new Set([
        ...secrets,
        ...[...derived, ...(resource.secret ?? [])].filter((key) => key in values).map(top),
      ]),
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
      if (!(error instanceof NotReady)) throw new Error(message);
      const detail = new pb.ErrorResourceInitFailed();
      detail.setId(error.id);
      detail.setProperties(write(outputsOf(resource, error.outputs, inputs)));
      detail.setInputs(write(inputs));
      detail.setReasonsList([message]);
      const packed = new any.Any();
      packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
      const rich = new status.Status();
      rich.setCode(grpc.status.UNKNOWN);
      rich.setMessage(message);
      rich.addDetails(packed);
      const metadata = new grpc.Metadata();
      metadata.add("grpc-status-details-bin", Buffer.from(rich.serializeBinary()));
      throw Object.assign(new Error(message), { metadata });
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

/** The SDK sends nested settings of a provider as JSON text. */
const settings = ({ values, secrets }: Properties): Properties => ({
  secrets,
  values: Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      typeof value === "string" && /^[[{]/.test(value) ? JSON.parse(value) : value,
    ]),
  ),
});

/**
 * What the program has given of a state. What the last run printed counts as a secret there when the input has one; the
 * same text is none now.
 */
const given = ({ computed }: Resource, { values, secrets }: Properties): Properties => ({
  secrets,
  values: Object.fromEntries(Object.entries(values).filter(([key]) => !computed.includes(key))),
});

const unknown = (resource: Resource): Values => Object.fromEntries(resource.computed.map((key) => [key, UNKNOWN]));

function autoname(name: string, seed: Uint8Array): string {
  const bytes = seed.length > 0 ? createHash("sha256").update(seed).digest() : randomBytes(4);
  return `${name}-${bytes.toString("hex").slice(0, 7)}`;
}
