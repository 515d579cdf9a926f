import * as sdk from "@aws-sdk/client-iam";
import type { Resource } from "../plugin/resource.ts";
import { inPlace, required, str } from "../plugin/schema.ts";
import type { Values } from "../plugin/values.ts";
import { ask, eventually, iam } from "./clients.ts";
import { asWritten } from "./wire.ts";

/** What IAM calls the same thing for the one and for the other. */
interface Calls {
  put(owner: string, name: string, document: string): Promise<unknown>;
  /** URL-encoded, as IAM answers it. */
  get(owner: string, name: string): Promise<{ readonly PolicyDocument?: string | undefined }>;
  remove(owner: string, name: string): Promise<unknown>;
}

/** A policy that is a part of a user or of a role. The id is OWNER:NAME. */
function inlinePolicy(kind: "user" | "role", { put, get, remove }: Calls): Resource {
  const schema = { name: required(str), [kind]: required(str), policy: inPlace(required(str)) };
  const set = (inputs: Values, signal: AbortSignal) =>
    eventually(`setting policy ${inputs.name} of ${kind} ${inputs[kind]}`, signal, () =>
      put(String(inputs[kind]), String(inputs.name), String(inputs.policy)),
    );
  return {
    schema,
    autoname: true,
    importable: true,
    computed: [],
    async create(inputs, call) {
      await set(inputs, call.signal);
      return { id: `${inputs[kind]}:${inputs.name}`, outputs: inputs };
    },
    async read(id, inputs) {
      const [owner = "", name = ""] = id.split(":");
      const found = await ask(`reading policy ${name} of ${kind} ${owner}`, () => get(owner, name));
      if (!found) return undefined;
      const live = asWritten(schema, inputs, {
        name,
        [kind]: owner,
        policy: decodeURIComponent(found.PolicyDocument ?? ""),
      });
      return { inputs: live, outputs: live };
    },
    async update(_id, _state, inputs, call) {
      await set(inputs, call.signal);
      return inputs;
    },
    async delete(id) {
      const [owner = "", name = ""] = id.split(":");
      await ask(`deleting policy ${name} of ${kind} ${owner}`, () => remove(owner, name));
    },
  };
}

/** aws.iam.UserPolicy. */
export const userPolicy = inlinePolicy("user", {
  put: (UserName, PolicyName, PolicyDocument) =>
    iam().send(new sdk.PutUserPolicyCommand({ UserName, PolicyName, PolicyDocument })),
  get: (UserName, PolicyName) => iam().send(new sdk.GetUserPolicyCommand({ UserName, PolicyName })),
  remove: (UserName, PolicyName) => iam().send(new sdk.DeleteUserPolicyCommand({ UserName, PolicyName })),
});

/** aws.iam.RolePolicy. */
export const rolePolicy = inlinePolicy("role", {
  put: (RoleName, PolicyName, PolicyDocument) =>
    iam().send(new sdk.PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument })),
  get: (RoleName, PolicyName) => iam().send(new sdk.GetRolePolicyCommand({ RoleName, PolicyName })),
  remove: (RoleName, PolicyName) => iam().send(new sdk.DeleteRolePolicyCommand({ RoleName, PolicyName })),
});
