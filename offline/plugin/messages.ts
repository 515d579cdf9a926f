import { createHash, randomBytes } from "node:crypto";
import * as grpc from "@grpc/grpc-js";
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import * as status from "@pulumi/pulumi/proto/status_pb.js";
import * as any from "google-protobuf/google/protobuf/any_pb.js";
import * as struct from "google-protobuf/google/protobuf/struct_pb.js";
import type { NotReady, Resource } from "./resource.ts";
import { type Change, check, type Schema } from "./schema.ts";
import { decode, encode, type Properties, top, UNKNOWN, type Values, widenSecrets } from "./values.ts";

const KIND = { add: 0, delete: 2, update: 4 } as const; // PropertyDiff.Kind; +1 is the same with a replacement

export const read = (message: struct.Struct | undefined): Properties => decode(message?.toJavaScript());
export const write = (properties: Properties): struct.Struct => struct.Struct.fromJavaScript(encode(properties));

/** The answer to a check, and what may still be added to it. */
export const checked = (schema: Schema, news: Properties) => {
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

/** The answer to a diff. */
export const diffed = (found: readonly Change[], deleteBeforeReplace: boolean): pb.DiffResponse => {
  const response = new pb.DiffResponse();
  response.setChanges(found.length > 0 ? pb.DiffResponse.DiffChanges.DIFF_SOME : pb.DiffResponse.DiffChanges.DIFF_NONE);
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

/** What is written into the state: what is derived from a secret is one, too. */
export const outputsOf = (resource: Resource, values: Values, inputs: Properties): Properties => {
  const derived = inputs.secrets.size > 0 ? (resource.derived ?? []) : [];
  const secrets = widenSecrets(
    inputs.secrets,
    Object.keys(inputs.values).filter((key) => JSON.stringify(values[key]) !== JSON.stringify(inputs.values[key])),
  );
  return {
    values,
    secrets: new Set([...secrets, ...[...derived, ...(resource.secret ?? [])].filter((key) => key in values).map(top)]),
  };
};

/** The error of an object that was made and isn't ready: with its state, so that the engine keeps it. */
export function notReady(resource: Resource, inputs: Properties, error: NotReady, message: string): Error {
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
  return Object.assign(new Error(message), { metadata });
}

/** The SDK sends nested settings of a provider as JSON text. */
export const settings = ({ values, secrets }: Properties): Properties => ({
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
export const given = ({ computed }: Resource, { values, secrets }: Properties): Properties => ({
  secrets,
  values: Object.fromEntries(Object.entries(values).filter(([key]) => !computed.includes(key))),
});

/** What a preview can't know. */
export const unknown = (resource: Resource): Values =>
  Object.fromEntries(resource.computed.map((key) => [key, UNKNOWN]));

/** A name as Pulumi makes it: the logical one and seven hex digits. */
export function autoname(name: string, seed: Uint8Array): string {
  const bytes = seed.length > 0 ? createHash("sha256").update(seed).digest() : randomBytes(4);
  return `${name}-${bytes.toString("hex").slice(0, 7)}`;
}
