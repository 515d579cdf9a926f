import assert from "node:assert/strict";
import type { IsEncrypted } from "../../../config/encrypted.ts";
import { type Problem, parseConfiguration, SettingsError } from "../../../config/settings.ts";

export const appKey = `base64:${Buffer.from("0123456789abcdefghijklmnopqrstuv").toString("base64")}`;
export const passwords = {
  root: "root-S2GhkMqNrzPuRf3TVwYbxE6c",
  db: "db-7dJmKp9nAqXhW4sLtZvC2yGf8e",
  redis: "redis-Q3wErT5yUiO7pAsD9fGhJk",
  key: "key-b7NxMqZ2kVtR9wLpE4sY",
  account: "account-H3jGfD8sAqW5zXcV",
  token: "token-U6yTrE1oIpLkMnB9",
};
const long = (password: string) => password.padEnd(40, "0aB1cD2eF3gH4i");

type Tree = Record<string, unknown>;

/** A local stack's configuration in which nothing is wrong; each test breaks it once. */
export function valid(): { [group: string]: Tree } {
  return {
    app: { image: "registry.example.com/shop/app:1.4" },
    database: { image: "registry.example.com/shop/mariadb:11.8", rootPassword: long(passwords.root) },
    redis: { image: "registry.example.com/shop/redis:8.0" },
    proxy: { image: "registry.example.com/shop/nginx:1.30" },
    backup: {
      image: "registry.example.com/shop/backup:1.0",
      key: long(passwords.key),
      databasePassword: long(passwords.account),
      token: long(passwords.token),
    },
    env: {
      APP_KEY: appKey,
      DB_CONNECTION: "mariadb",
      DB_DATABASE: "shop",
      DB_USERNAME: "shop",
      DB_PASSWORD: long(passwords.db),
      REDIS_PASSWORD: long(passwords.redis),
    },
  };
}

/** The same for production: digests and an https address. */
export function production(): { [group: string]: Tree } {
  const raw = valid();
  const digest = (name: string) => `registry.example.com/shop/${name}@sha256:${"ab".repeat(32)}`;
  for (const group of ["app", "database", "redis", "proxy", "backup"])
    raw[group] = { ...raw[group], image: digest(group) };
  return { ...raw, monitoring: { enabled: false }, env: { ...raw["env"], APP_URL: "https://shop.example.com" } };
}

/** Sets one value; undefined removes it. */
export function having(raw: { [group: string]: Tree }, path: string, value: unknown): { [group: string]: Tree } {
  const [group = "", ...rest] = path.split(".");
  const set = (tree: unknown, [key, ...more]: string[]): unknown => {
    if (key === undefined) return value;
    const { [key]: old, ...others } = (tree ?? {}) as Tree;
    const changed = set(old, more);
    return changed === undefined ? others : { ...others, [key]: changed };
  };
  return set(raw, [group, ...rest]) as { [group: string]: Tree };
}

/** As Pulumi hands it to a program: each group in JSON. */
export function asJson(raw: Tree): Tree {
  return Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, JSON.stringify(value)]));
}

/** The paths, such as env.OWN, that are not encrypted; all else is. */
export const keptOpen =
  (...paths: string[]): IsEncrypted =>
  (path) =>
    !paths.includes(path.join("."));

export function problemsOf(raw: Tree, stack = "local", isEncrypted?: IsEncrypted): readonly Problem[] {
  try {
    parseConfiguration(asJson(raw), stack, isEncrypted);
  } catch (error) {
    assert.ok(error instanceof SettingsError, String(error));
    return error.problems;
  }
  return [];
}
