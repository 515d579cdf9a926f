import { createHmac } from "node:crypto";
import type { IsEncrypted } from "./encrypted.ts";
import { type Context, VARIABLES, type Variable } from "./environment.ts";
import { distance, nearest } from "./nearest.ts";
import { judgeOwn } from "./own.ts";
import { judgePasswords } from "./passwords.ts";
import { joinPath, type Problem, removeCommand, secretCommand, setCommand } from "./problems.ts";
import { expandAll } from "./references.ts";
import { secretValues } from "./secrets.ts";
import { hasCredentials, show } from "./show.ts";
import { stageByName, stageOf, stages } from "./stage.ts";

/** The one block of variables that every role of a stack gets. */
export interface Environment {
  /** Container env: the plain ones of environment.ts in its order, then the user's own that are no secret, by name. */
  readonly plain: Readonly<Record<string, string>>;
  /** Only in Laravel's `.env` file: the secrets of environment.ts, then the user's own by name. */
  readonly secret: Readonly<Record<string, string>>;
  /** Tells two blocks apart without telling what is in them: see `environmentHash`. */
  readonly hash: string;
}

/** What is found in a stack's variables. */
export interface Resolved {
  readonly problems: readonly Problem[];
  /** What is possible, but hardly meant. */
  readonly warnings: readonly Problem[];
  /** Only to be used when there is no problem. */
  readonly environment: Environment;
}

/** The variables that a user may set, by name. */
const known = new Map(VARIABLES.filter(({ setBy }) => setBy === "user").map((variable) => [variable.name, variable]));
const path = (name: string) => joinPath(["env", name]);

/**
 * Applies environment.ts to what the user set in `drydock:env`: references to others, defaults, types, rules.
 *
 * @param isEncrypted which of them the stack's file keeps encrypted: those are secrets. Where nobody can say, all of
 * the user's own are
 */
export function resolveEnvironment(
  given: Readonly<Record<string, string>>,
  { stack, settings }: Pick<Context, "stack" | "settings">,
  isEncrypted: IsEncrypted = () => undefined,
): Resolved {
  const stage = stageOf(stack, given["APP_ENV"]);
  const expanded = expand(given, { stack, settings, env: given, stage }, isEncrypted);
  const context: Context = { stack, settings, env: expanded.env, stage };
  const problems: Problem[] = [...expanded.problems];
  const warnings: Problem[] = [];
  const plain: Record<string, string> = {};
  const secret: Record<string, string> = {};

  for (const variable of known.values()) {
    const found = judge(variable, context);
    if (found === undefined) continue;
    if (typeof found !== "string") problems.push(found);
    else {
      (variable.secret ? secret : plain)[variable.name] = found;
      warnings.push(...warn(variable, found, context));
    }
  }
  const own = Object.keys(given)
    .filter((name) => !known.has(name))
    .sort();
  for (const name of own) {
    const kept = isEncrypted(["env", name]);
    const judged = judgeOwn(
      name,
      { value: context.env[name]!, raw: given[name]!, kept, borrows: expanded.secrets.has(name) },
      context,
    );
    problems.push(...judged.problems);
    warnings.push(...judged.warnings);
    if (judged.problems.length === 0) (judged.secret ? secret : plain)[name] = context.env[name]!;
  }
  for (const name of expanded.secrets)
    if (plain[name] !== undefined)
      problems.push({
        path: path(name),
        message: "refers to a secret, but is a plain variable",
        remedy: removeCommand(path(name), stack),
      });
  const together = judgeTogether({ ...plain, ...secret }, own, context);
  problems.push(...together.problems);
  warnings.push(...together.warnings);

  return { problems, warnings, environment: { plain, secret, hash: environmentHash({ ...plain, ...secret }) } };
}

/**
 * HMAC-SHA256, as 64 hex digits, over `NAME=value` and a NUL for each variable in the order of their names, with
 * APP_KEY as the key. The key makes it safe to publish, and `env -0 | LC_ALL=C sort -z` in a container has the same
 * form.
 */
export function environmentHash(variables: Readonly<Record<string, string>>): string {
  const text = Object.keys(variables)
    .sort()
    .map((name) => `${name}=${variables[name]}\0`);
  return createHmac("sha256", variables["APP_KEY"] ?? "")
    .update(text.join(""))
    .digest("hex");
}

/** The values with what they refer to, and the names of those that refer to a secret. */
function expand(given: Readonly<Record<string, string>>, context: Context, isEncrypted: IsEncrypted) {
  const isSecret = (name: string) => known.get(name)?.secret ?? isEncrypted(["env", name]) !== false;
  const env: Record<string, string> = {};
  const secrets = new Set<string>();
  const problems: Problem[] = [];
  for (const [name, found] of expandAll(given, (other) => defaultOf(known.get(other), context))) {
    env[name] = "value" in found ? found.value : given[name]!;
    if ("value" in found) {
      if ([...found.names].some(isSecret)) secrets.add(name);
      continue;
    }
    const literally = "to have these characters in the value, write \\${ for ${";
    const what = isSecret(name)
      ? // A part of a secret could be what looks like a name.
        "has ${…} in it, as a reference to a variable that is not set"
      : "missing" in found
        ? `refers to \${${found.missing}}, which is not set`
        : "circle" in found
          ? `refers to itself (${found.circle.join(" → ")})`
          : `has ${found.foreign} in it, which Laravel does not expand`;
    const remedy =
      "missing" in found && !isSecret(name)
        ? setCommand(path(found.missing), "VALUE", context.stack)
        : isSecret(name)
          ? secretCommand(path(name), undefined, context.stack)
          : removeCommand(path(name), context.stack);
    problems.push({ path: path(name), message: `${what}; ${literally}`, remedy });
  }
  return { env, secrets, problems };
}

function defaultOf(variable: Variable | undefined, context: Context): string | undefined {
  return typeof variable?.default === "function" ? variable.default(context) : variable?.default;
}

/** What Laravel's `env()` reads as null or an empty text. */
const NOTHING = /^\(?(null|empty)\)?$/i;

/** The value of a variable of environment.ts, what is wrong with it, or undefined where it has none. */
function judge(variable: Variable, context: Context): string | Problem | undefined {
  const { name, type, secret, required, check } = variable;
  const value = context.env[name] ?? defaultOf(variable, context);
  const problem = (message: string): Problem => ({ path: path(name), message, remedy: remedyFor(variable, context) });

  if (value === undefined) {
    if (!required) return undefined;
    const similar = Object.keys(context.env).find(
      (other) => !known.has(other) && distance(other.toUpperCase(), name) <= 2,
    );
    return problem(
      `is missing${similar === undefined ? "" : ` (${path(similar)} is set: is it meant?)`}: ${variable.description}`,
    );
  }
  const optional = !required && variable.default === undefined;
  if (value === "" && optional) return undefined;
  if (NOTHING.test(value) && optional) return value;
  const parsed = type.safeParse(value);
  const expected = type.meta()?.expects ?? "another value";
  if (!parsed.success)
    return problem(
      secret
        ? `is not valid: expected ${expected}`
        : `is ${show(value, secretValues(context.env, context.settings))}, expected ${expected}`,
    );
  if (!secret && hasCredentials(value)) return problem("holds a user name or password, but it is a plain variable");
  const broken = check?.(parsed.data, context);
  return broken === undefined ? parsed.data : problem(broken);
}

/** What is hardly meant by a value that is possible. */
function warn(variable: Variable, value: string, context: Context): Problem[] {
  const said = variable.warn?.(value, context);
  if (said !== undefined) return [{ path: path(variable.name), message: said }];
  const names = variable.type.meta()?.known ?? [];
  const meant = names.includes(value) || NOTHING.test(value) ? undefined : nearest(value, names);
  if (meant === undefined) return [];
  const message = `is ${JSON.stringify(
    value,
  )}: is ${meant} meant? Where the application has something of that name, nothing is wrong`;
  return [{ path: path(variable.name), message, remedy: setCommand(path(variable.name), meant, context.stack) }];
}

function remedyFor(variable: Variable, { stack, stage }: Context): string {
  const { name, secret, generator, example, default: preset } = variable;
  if (secret) return secretCommand(path(name), generator, stack);
  const value = example ?? (name === "APP_ENV" ? stage : typeof preset === "string" ? preset : undefined);
  return value === undefined ? removeCommand(path(name), stack) : setCommand(path(name), value, stack);
}

/** The rules that look at several variables. */
function judgeTogether(values: Readonly<Record<string, string>>, names: readonly string[], context: Context) {
  const { stack, settings } = context;
  const given = (place: string, value: string | undefined, whose: "ours" | "existing" | "foreign") =>
    value === undefined || value === "" ? [] : [{ path: place, value, whose }];
  const { key, databasePassword, token } = settings.backup ?? {};
  const { problems, warnings } = judgePasswords(
    [
      ...given("drydock:database.rootPassword", settings.database?.rootPassword, "ours"),
      ...given("drydock:backup.key", key, "ours"),
      ...given("drydock:backup.databasePassword", databasePassword, "ours"),
      ...given("drydock:backup.token", token, "ours"),
      ...["DB_PASSWORD", "REDIS_PASSWORD"].flatMap((name) => given(path(name), values[name], "existing")),
      ...["MAIL_PASSWORD", ...names]
        .filter((name) => /PASSWORD$/.test(name))
        .flatMap((name) => given(path(name), values[name], "foreign")),
    ],
    context,
  );

  const stage = stages.find((one) => one === values["APP_ENV"]);
  if (stageByName(stack) === "production" && stage !== undefined && stage !== "production")
    problems.push({
      path: path("APP_ENV"),
      message: `is "${stage}", but the stack is called ${stack}`,
      remedy: setCommand(path("APP_ENV"), "production", stack),
    });

  const needs = (when: boolean, why: string, required: readonly string[]) => {
    for (const name of required)
      if (when && values[name] === undefined && context.env[name] === undefined)
        problems.push({
          path: path(name),
          message: `is missing: ${why} needs it`,
          remedy: remedyFor(known.get(name)!, context),
        });
  };
  needs(values["FILESYSTEM_DISK"] === "s3", "FILESYSTEM_DISK=s3", ["AWS_BUCKET", "AWS_DEFAULT_REGION"]);
  needs(values["MAIL_MAILER"] === "smtp", "MAIL_MAILER=smtp", ["MAIL_HOST", "MAIL_FROM_ADDRESS"]);
  return { problems, warnings };
}
