import * as sdk from "@aws-sdk/client-iam";
import type { Resource } from "../plugin/resource.ts";
import { inPlace, required, str, withDefault } from "../plugin/schema.ts";
import type { Values } from "../plugin/values.ts";
import { allTags, ask, iam, TAGS, tagList, tell } from "./clients.ts";
import { retag, tagsOf } from "./tags.ts";
import { asWritten } from "./wire.ts";

const roleSchema = {
  name: required(str),
  path: withDefault(str, "/"),
  description: inPlace(str),
  assumeRolePolicy: inPlace(required(str)),
  tags: TAGS,
};
const decoded = (text: string | undefined): string => decodeURIComponent(text ?? "");

/** aws.iam.Role. The id is the name. */
export const role: Resource = {
  schema: roleSchema,
  autoname: true,
  importable: true,
  computed: ["arn", "uniqueId", "createDate", "tagsAll"],
  async create(inputs) {
    const RoleName = String(inputs.name);
    const { Role } = await tell(`creating role ${RoleName}`, () =>
      iam().send(
        new sdk.CreateRoleCommand({
          RoleName,
          Path: String(inputs.path),
          AssumeRolePolicyDocument: String(inputs.assumeRolePolicy),
          ...(inputs.description === undefined ? {} : { Description: String(inputs.description) }),
          ...(tagList(inputs).length > 0 ? { Tags: tagList(inputs) } : {}),
        }),
      ),
    );
    return { id: RoleName, outputs: roleOutputs(inputs, Role) };
  },
  async read(id, inputs) {
    const found = await ask(`reading role ${id}`, () => iam().send(new sdk.GetRoleCommand({ RoleName: id })));
    if (!found?.Role) return undefined;
    const { Path = "/", AssumeRolePolicyDocument, Description, Tags } = found.Role;
    const live = asWritten(roleSchema, inputs, {
      name: id,
      path: Path,
      assumeRolePolicy: decoded(AssumeRolePolicyDocument),
      ...(Description ? { description: Description } : {}),
      tags: tagsOf(Tags),
    });
    return { inputs: live, outputs: roleOutputs(live, found.Role) };
  },
  async update(id, state, inputs) {
    await tell(`changing role ${id}`, async () => {
      await iam().send(
        new sdk.UpdateAssumeRolePolicyCommand({ RoleName: id, PolicyDocument: String(inputs.assumeRolePolicy) }),
      );
      await iam().send(new sdk.UpdateRoleCommand({ RoleName: id, Description: String(inputs.description ?? "") }));
    });
    await retag(
      `role ${id}`,
      state,
      inputs,
      (Tags) => iam().send(new sdk.TagRoleCommand({ RoleName: id, Tags })),
      (TagKeys) => iam().send(new sdk.UntagRoleCommand({ RoleName: id, TagKeys })),
    );
    const { Role } = await tell(`reading role ${id}`, () => iam().send(new sdk.GetRoleCommand({ RoleName: id })));
    return roleOutputs(inputs, Role);
  },
  async delete(id) {
    await ask(`deleting role ${id}`, () => iam().send(new sdk.DeleteRoleCommand({ RoleName: id })));
  },
};

const roleOutputs = (inputs: Values, found: sdk.Role | undefined): Values => ({
  ...inputs,
  arn: found?.Arn ?? "",
  uniqueId: found?.RoleId ?? "",
  createDate: found?.CreateDate?.toISOString() ?? "",
  tagsAll: allTags(inputs),
});

const policySchema = {
  name: required(str),
  path: withDefault(str, "/"),
  description: str,
  policy: inPlace(required(str)),
  tags: TAGS,
};

/** aws.iam.Policy. The id is the ARN; a change is a new version, and the one before it goes. */
export const policy: Resource = {
  schema: policySchema,
  autoname: true,
  importable: true,
  computed: ["arn", "policyId", "tagsAll"],
  async create(inputs) {
    const PolicyName = String(inputs.name);
    const { Policy } = await tell(`creating policy ${PolicyName}`, () =>
      iam().send(
        new sdk.CreatePolicyCommand({
          PolicyName,
          Path: String(inputs.path),
          PolicyDocument: String(inputs.policy),
          ...(inputs.description === undefined ? {} : { Description: String(inputs.description) }),
          ...(tagList(inputs).length > 0 ? { Tags: tagList(inputs) } : {}),
        }),
      ),
    );
    return { id: Policy?.Arn ?? "", outputs: policyOutputs(inputs, Policy) };
  },
  async read(id, inputs) {
    const found = await ask(`reading policy ${id}`, () => iam().send(new sdk.GetPolicyCommand({ PolicyArn: id })));
    if (!found?.Policy) return undefined;
    const { PolicyName = "", Path = "/", Description, DefaultVersionId = "v1", Tags } = found.Policy;
    const version = await tell(`reading policy ${id}`, () =>
      iam().send(new sdk.GetPolicyVersionCommand({ PolicyArn: id, VersionId: DefaultVersionId })),
    );
    const live = asWritten(policySchema, inputs, {
      name: PolicyName,
      path: Path,
      ...(Description ? { description: Description } : {}),
      policy: decoded(version.PolicyVersion?.Document),
      tags: tagsOf(Tags),
    });
    return { inputs: live, outputs: policyOutputs(live, found.Policy) };
  },
  async update(id, state, inputs) {
    if (state.policy !== inputs.policy) {
      await tell(`changing policy ${id}`, async () => {
        const { Versions = [] } = await iam().send(new sdk.ListPolicyVersionsCommand({ PolicyArn: id }));
        await iam().send(
          new sdk.CreatePolicyVersionCommand({
            PolicyArn: id,
            PolicyDocument: String(inputs.policy),
            SetAsDefault: true,
          }),
        );
        // IAM keeps five and then refuses another.
        for (const { VersionId } of Versions)
          await iam().send(new sdk.DeletePolicyVersionCommand({ PolicyArn: id, VersionId }));
      });
    }
    await retag(
      `policy ${id}`,
      state,
      inputs,
      (Tags) => iam().send(new sdk.TagPolicyCommand({ PolicyArn: id, Tags })),
      (TagKeys) => iam().send(new sdk.UntagPolicyCommand({ PolicyArn: id, TagKeys })),
    );
    const { Policy } = await tell(`reading policy ${id}`, () =>
      iam().send(new sdk.GetPolicyCommand({ PolicyArn: id })),
    );
    return policyOutputs(inputs, Policy);
  },
  async delete(id) {
    await ask(`deleting policy ${id}`, () => iam().send(new sdk.DeletePolicyCommand({ PolicyArn: id })));
  },
};

const policyOutputs = (inputs: Values, found: sdk.Policy | undefined): Values => ({
  ...inputs,
  arn: found?.Arn ?? "",
  policyId: found?.PolicyId ?? "",
  tagsAll: allTags(inputs),
});
