import * as sdk from "@aws-sdk/client-iam";
import type { Resource } from "../plugin/resource.ts";
import { bool, inPlace, required, str, withDefault } from "../plugin/schema.ts";
import type { Values } from "../plugin/values.ts";
import { allTags, ask, eventually, iam, TAGS, tagList, tell } from "./clients.ts";
import { retag, tagsOf } from "./tags.ts";
import { asWritten } from "./wire.ts";

const userSchema = {
  name: inPlace(required(str)),
  path: withDefault(inPlace(str), "/"),
  forceDestroy: withDefault(inPlace(bool), false),
  tags: TAGS,
};

/** aws.iam.User. The id is the name; another name or path is a renaming. */
export const user: Resource = {
  schema: userSchema,
  autoname: true,
  importable: true,
  computed: ["arn", "uniqueId", "tagsAll"],
  async create(inputs) {
    const name = String(inputs.name);
    const { User } = await tell(`creating user ${name}`, () =>
      iam().send(
        new sdk.CreateUserCommand({
          UserName: name,
          Path: String(inputs.path),
          ...(tagList(inputs).length > 0 ? { Tags: tagList(inputs) } : {}),
        }),
      ),
    );
    return { id: name, outputs: userOutputs(inputs, User) };
  },
  async read(id, inputs) {
    const found = await ask(`reading user ${id}`, () => iam().send(new sdk.GetUserCommand({ UserName: id })));
    if (!found?.User) return undefined;
    const live = asWritten(userSchema, inputs, {
      name: id,
      path: found.User.Path ?? "/",
      forceDestroy: inputs.forceDestroy ?? false,
      tags: tagsOf(found.User.Tags),
    });
    return { inputs: live, outputs: userOutputs(live, found.User) };
  },
  async update(id, state, inputs) {
    if (state.name !== inputs.name || state.path !== inputs.path) {
      await tell(`renaming user ${id}`, () =>
        iam().send(
          new sdk.UpdateUserCommand({ UserName: id, NewUserName: String(inputs.name), NewPath: String(inputs.path) }),
        ),
      );
    }
    const UserName = String(inputs.name);
    await retag(
      `user ${UserName}`,
      state,
      inputs,
      (Tags) => iam().send(new sdk.TagUserCommand({ UserName, Tags })),
      (TagKeys) => iam().send(new sdk.UntagUserCommand({ UserName, TagKeys })),
    );
    const { User } = await tell(`reading user ${UserName}`, () => iam().send(new sdk.GetUserCommand({ UserName })));
    return userOutputs(inputs, User);
  },
  async delete(id) {
    await ask(`deleting user ${id}`, () => iam().send(new sdk.DeleteUserCommand({ UserName: id })));
  },
};

const userOutputs = (inputs: Values, found: sdk.User | undefined): Values => ({
  ...inputs,
  arn: found?.Arn ?? "",
  uniqueId: found?.UserId ?? "",
  tagsAll: allTags(inputs),
});

const keySchema = {
  user: required(str),
  status: { ...withDefault(inPlace(str), "Active"), oneOf: ["Active", "Inactive"] },
};

/** aws.iam.AccessKey. The id is the key's; the secret is answered once, at the creation, and is kept in the state. */
export const accessKey: Resource = {
  schema: keySchema,
  computed: ["createDate", "secret"],
  secret: ["secret"],
  async create(inputs, call) {
    const UserName = String(inputs.user);
    const { AccessKey } = await eventually(`creating a key of user ${UserName}`, call.signal, () =>
      iam().send(new sdk.CreateAccessKeyCommand({ UserName })),
    );
    const id = AccessKey?.AccessKeyId ?? "";
    if (inputs.status === "Inactive") await setStatus(id, inputs);
    return {
      id,
      outputs: {
        ...inputs,
        createDate: AccessKey?.CreateDate?.toISOString() ?? "",
        secret: AccessKey?.SecretAccessKey ?? "",
      },
    };
  },
  async read(id, inputs, state) {
    const UserName = String(inputs.user);
    const found = await ask(`reading the keys of user ${UserName}`, () =>
      iam().send(new sdk.ListAccessKeysCommand({ UserName })),
    );
    const key = found?.AccessKeyMetadata?.find(({ AccessKeyId }) => AccessKeyId === id);
    if (key === undefined) return undefined;
    const live = asWritten(keySchema, inputs, { user: UserName, status: key.Status ?? "Active" });
    return { inputs: live, outputs: { ...state, ...live } };
  },
  async update(id, state, inputs) {
    await setStatus(id, inputs);
    return { ...state, ...inputs };
  },
  async delete(id, state) {
    await ask(`deleting key ${id}`, () =>
      iam().send(new sdk.DeleteAccessKeyCommand({ UserName: String(state.user), AccessKeyId: id })),
    );
  },
};

const setStatus = (AccessKeyId: string, { user, status }: Values) =>
  tell(`changing key ${AccessKeyId}`, () =>
    iam().send(
      new sdk.UpdateAccessKeyCommand({ UserName: String(user), AccessKeyId, Status: status as sdk.StatusType }),
    ),
  );
