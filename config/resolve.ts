import { createHmac } from "node:crypto";
import { catalogue, type Context, type Variable } from "./environment.ts";
import { nearest, distance } from "./nearest.ts";
import { judgePasswords } from "./passwords.ts";
import { joinPath, removeCommand, secretCommand, setCommand, type Problem } from "./problems.ts";
import { secretValues } from "./secrets.ts";
import { hasCredentials, show } from "./show.ts";
import { stageByName, stageOf } from "./stage.ts";

/** The one block of variables that every role of a stack gets. */
export interface Environment {
  /** Container env, in the catalogue's order. */
  readonly plain: Readonly<Record<string, string>>;
  /** Only in Laravel's `.env` file: the catalogue's secrets, then the user's own variables by name. */
  readonly secret: Readonly<Record<string, string>>;
  /** Tells two blocks apart without telling what is in them: see `environmentHash`. */
  readonly hash: string;
}

/** The variables that a user may set, by name. */
const known = new Map(catalogue.filter(({ setBy }) => setBy === "user").map((variable) => [variable.name, variable]));
const path = (name: string) => joinPath(["env", name]);

/**
 * Applies the catalogue to what the user set in `drydock:env`: defaults, types, rules.
 * The environment is only to be used when there is no problem.
 */
export function resolveEnvironment(
  env: Readonly<Record<string, string>>,
  { stack, settings }: Pick<Context, "stack" | "settings">,
): { problems: Problem[]; environment: Environment } {
  const context: Context = { stack, settings, env, stage: stageOf(stack, env["APP_ENV"]) };
  const problems: Problem[] = [];
  const plain: Record<string, string> = {};
  const secret: Record<string, string> = {};

  for (const variable of known.values()) {
    const found = judge(variable, context);
    if (typeof found === "string") (variable.secret ? secret : plain)[variable.name] = found;
    else if (found !== undefined) problems.push(found);
  }
  const own = Object.keys(env).filter((name) => !known.has(name)).sort();
  for (const name of own) {
    const problem = judgeOwn(name, context);
    if (problem === undefined) secret[name] = env[name]!;
    else problems.push(problem);
  }
  problems.push(...judgeTogether({ ...plain, ...secret }, own, context));

  return { problems, environment: { plain, secret, hash: environmentHash({ ...plain, ...secret }) } };
}

/**
 * HMAC-SHA256, as 64 hex digits, over `NAME=value` and a NUL for each variable in the order of their names, with APP_KEY
 * as the key. The key makes it safe to publish, and `env -0 | LC_ALL=C sort -z` in a container has the same form.
 */
export function environmentHash(variables: Readonly<Record<string, string>>): string {
  const text = Object.keys(variables).sort().map((name) => `${name}=${variables[name]}\0`);
  return createHmac("sha256", variables["APP_KEY"] ?? "").update(text.join("")).digest("hex");
}

/** The value of a catalogue variable, what is wrong with it, or undefined where it has none. */
function judge(variable: Variable, context: Context): string | Problem | undefined {
  const { name, type, secret, required, check } = variable;
  const given = context.env[name];
  const value = given ?? (typeof variable.default === "function" ? variable.default(context) : variable.default);
  const problem = (message: string): Problem => ({ path: path(name), message, remedy: remedyFor(variable, context) });

  if (value === undefined) {
    if (!required) return undefined;
    const similar = Object.keys(context.env).find((other) => !known.has(other) && distance(other.toUpperCase(), name) <= 2);
    return problem(`is missing${similar === undefined ? "" : ` (${path(similar)} is set: is it meant?)`}: ${variable.description}`);
  }
  if (value === "" && !required && variable.default === undefined) return undefined;
  const parsed = type.safeParse(value);
  const expected = type.meta()?.expects ?? "another value";
  if (!parsed.success) return problem(secret ? `is not valid: expected ${expected}` : `is ${show(value, secretValues(context.env, context.settings))}, expected ${expected}`);
  if (!secret && hasCredentials(value)) return problem("holds a user name or password, but it is a plain variable");
  const broken = check?.(parsed.data, context);
  return broken === undefined ? parsed.data : problem(broken);
}

function remedyFor({ name, secret, generator, example, default: preset }: Variable, { stack, stage }: Context): string {
  if (secret) return secretCommand(path(name), generator, stack);
  const value = example ?? (name === "APP_ENV" ? stage : typeof preset === "string" ? preset : undefined);
  return value === undefined ? removeCommand(path(name), stack) : setCommand(path(name), value, stack);
}

/** What is wrong with a variable of the user's own. Its value is a secret. */
function judgeOwn(name: string, { env, stack }: Context): Problem | undefined {
  const problem = (message: string): Problem => ({ path: path(name), message, remedy: removeCommand(path(name), stack) });
  const value = env[name]!;
  const upper = name.toUpperCase();
  if (upper.startsWith("DRYDOCK_")) return problem("is not for you to set: names that begin with DRYDOCK_ are Drydock's own");
  if (upper !== name && (known.has(upper) || upper in env)) return problem(`is ${upper} in another case, and only one of them can be meant`);
  if (!/^[A-Z_][A-Z0-9_]*$/.test(name)) return problem("is no name for a variable: expected capital letters, digits and underscores, not beginning with a digit");
  const meant = nearest(name, [...known.keys()]);
  if (meant !== undefined && !/\d/.test(name) && distance(name, meant) === 1) return problem(`is unknown: is ${meant} meant?`);
  if (value.includes("\0")) return problem("holds a NUL character, which no environment can hold");
  if (/\p{Surrogate}/u.test(value)) return problem("is not valid Unicode");
  return undefined;
}

/** The rules that look at several variables. */
function judgeTogether(values: Readonly<Record<string, string>>, names: readonly string[], context: Context): Problem[] {
  const { stack, settings } = context;
  const managed = ["DB_PASSWORD", "REDIS_PASSWORD"].flatMap((name) => (values[name] === undefined ? [] : [{ path: path(name), value: values[name], ours: true }]));
  const own = (setting: string, value: string | undefined) => (value === undefined ? [] : [{ path: `drydock:${setting}`, value, ours: true }]);
  const { key, databasePassword, token } = settings.backup ?? {};
  const settingsOwn = [...own("database.rootPassword", settings.database?.rootPassword), ...own("backup.key", key), ...own("backup.databasePassword", databasePassword), ...own("backup.token", token)];
  const foreign = ["MAIL_PASSWORD", ...names].filter((name) => /PASSWORD$/.test(name) && values[name]).map((name) => ({ path: path(name), value: values[name]!, ours: false }));
  const problems = judgePasswords([...settingsOwn, ...managed, ...foreign], stack);

  const promised = stageByName(stack);
  if (promised === "production" && values["APP_ENV"] !== undefined && values["APP_ENV"] !== "production")
    problems.push({ path: path("APP_ENV"), message: `is "${values["APP_ENV"]}", but the stack is called ${stack}`, remedy: setCommand(path("APP_ENV"), "production", stack) });

  const needs = (when: boolean, why: string, names: readonly string[]) => {
    for (const name of names)
      if (when && values[name] === undefined && context.env[name] === undefined)
        problems.push({ path: path(name), message: `is missing: ${why} needs it`, remedy: remedyFor(known.get(name)!, context) });
  };
  needs(values["FILESYSTEM_DISK"] === "s3", "FILESYSTEM_DISK=s3", ["AWS_BUCKET", "AWS_DEFAULT_REGION"]);
  needs(values["MAIL_MAILER"] === "smtp", "MAIL_MAILER=smtp", ["MAIL_HOST", "MAIL_FROM_ADDRESS"]);
  return problems;
}
