import { createRequire } from "node:module";
import type { Policies } from "@pulumi/policy";
import analyzer from "@pulumi/pulumi/proto/analyzer_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import type { Facts } from "../../../config/facts.ts";
import { policiesOf } from "../../../policies/adapter.ts";
import type { Rule } from "../../../policies/rule.ts";

/**
 * The SDK's own handlers of the engine's calls: rules are tested behind the proxies and secrets that they meet in life
 * (pulumi-policy#445).
 */
const require = createRequire(import.meta.url);
type Call = (call: { request: unknown }, callback: (error: Error | null, response?: unknown) => void) => void;
type Handler = (pack: string, version: string, level: string, policies: Policies) => Call;
const server = require("@pulumi/policy/server") as {
  makeAnalyzeRpcFun: Handler;
  makeAnalyzeStackRpcFun: Handler;
  makeRemediateRpcFun: Handler;
};
const sentinels = require("@pulumi/policy/proxy") as { unknownStringValue: string; unknownArrayValue: string };

/** A string, and a list, whose value is not known before the update. */
export const unknown = sentinels.unknownStringValue;
export const unknownList = sentinels.unknownArrayValue as unknown as never[];

/** Wraps a value as the engine sends a secret. */
export function secret<T>(value: T): T {
  return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value } as T;
}

export interface Res {
  readonly type: string;
  readonly name: string;
  readonly props: Record<string, unknown>;
  readonly protect?: boolean;
  readonly deleteBeforeReplace?: boolean;
  /** Names of resources. */
  readonly dependsOn?: readonly string[];
  /** Names of resources by property. */
  readonly from?: Readonly<Record<string, readonly string[]>>;
  readonly provider?: string;
  /** @default "staging" */
  readonly stack?: string;
}

export interface Diagnostic {
  readonly policy: string;
  readonly level: "advisory" | "mandatory" | "remediate" | "disabled";
  readonly urn: string;
  readonly message: string;
}

export function urnOf({ type, name, stack = "staging" }: Res): string {
  return `urn:pulumi:${stack}::shop::${type}::${name}`;
}

/** Runs rules over a stack as an update does: every resource by itself, then all of them. */
export async function analyze(rules: readonly Rule[], resources: readonly Res[], facts?: Facts): Promise<Diagnostic[]> {
  const policies = policiesOf(rules, () => facts);
  const [one, all] = [
    server.makeAnalyzeRpcFun("drydock", "0.1.0", "advisory", policies),
    server.makeAnalyzeStackRpcFun("drydock", "0.1.0", "advisory", policies),
  ];
  const responses = [];
  for (const resource of resources) responses.push(await call(one, request(new analyzer.AnalyzeRequest(), resource)));
  const request_ = new analyzer.AnalyzeStackRequest();
  request_.setResourcesList(resources.map((resource) => stackResource(resource, resources)));
  responses.push(await call(all, request_));
  return responses.flatMap((response) =>
    (response as analyzer.AnalyzeResponse).getDiagnosticsList().map((d) => ({
      policy: d.getPolicyname(),
      level: LEVELS[d.getEnforcementlevel()]!,
      urn: d.getUrn(),
      message: d.getMessage(),
    })),
  );
}

const LEVELS = ["advisory", "mandatory", "disabled", "remediate"] as const;

/** What the remediations make of a resource's properties, as the engine gets it, or nothing. */
export async function remediate(rules: readonly Rule[], resource: Res): Promise<unknown> {
  const response = await call(
    server.makeRemediateRpcFun("drydock", "0.1.0", "advisory", policiesOf(rules)),
    request(new analyzer.AnalyzeRequest(), resource),
  );
  return (response as analyzer.RemediateResponse).getRemediationsList().at(-1)?.getProperties()?.toJavaScript();
}

function call(handler: Call, request: unknown): Promise<unknown> {
  return new Promise((resolve, reject) =>
    handler({ request }, (error, response) => (error ? reject(error) : resolve(response))),
  );
}

function request<T extends analyzer.AnalyzeRequest | analyzer.AnalyzerResource>(message: T, resource: Res): T {
  const options = new analyzer.AnalyzerResourceOptions();
  options.setProtect(resource.protect ?? false);
  options.setDeletebeforereplacedefined(resource.deleteBeforeReplace !== undefined);
  options.setDeletebeforereplace(resource.deleteBeforeReplace ?? false);
  message.setType(resource.type);
  message.setName(resource.name);
  message.setUrn(urnOf(resource));
  message.setProperties(struct.Struct.fromJavaScript(resource.props as never));
  message.setOptions(options);
  if (resource.provider !== undefined) {
    const provider = new analyzer.AnalyzerProviderResource();
    provider.setUrn(resource.provider);
    provider.setProperties(struct.Struct.fromJavaScript({}));
    message.setProvider(provider);
  }
  return message;
}

function stackResource(resource: Res, all: readonly Res[]): analyzer.AnalyzerResource {
  const urn = (name: string) => {
    const found = all.find((other) => other.name === name);
    if (found === undefined) throw new Error(`the fixture names a resource that is not there: ${name}`);
    return urnOf(found);
  };
  const message = request(new analyzer.AnalyzerResource(), resource);
  message.setDependenciesList((resource.dependsOn ?? []).map(urn));
  for (const [property, names] of Object.entries(resource.from ?? {})) {
    const dependencies = new analyzer.AnalyzerPropertyDependencies();
    dependencies.setUrnsList(names.map(urn));
    message.getPropertydependenciesMap().set(property, dependencies);
  }
  return message;
}
