import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { defined } from "../../lib/defined.ts";
import { refuseDuringRestore } from "../backup/resume.ts";
import { audited } from "../shared/audit.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { select } from "../shared/project.ts";
import { type Deployed, deployed } from "../shared/services.ts";
import { openSession, type Session } from "../shared/session.ts";
import { settingAt, stackConfig } from "../shared/stack.ts";
import { painter, step } from "../shared/ui.ts";
import { type ProxyHost, type Shown, show, switchOff, switchOn } from "./proxy.ts";
import { closedReferences, type Maintenance, RESTORING, readState, wanted } from "./state.ts";

export interface OnOptions {
  readonly stack?: string;
  readonly allow?: readonly string[] | false;
  readonly secret?: boolean;
  readonly retryAfter?: string;
  readonly page?: string;
  readonly message?: string;
  readonly json?: true;
}

/** The proxy, where the site is reached, and how long its requests may take. */
interface Site extends ProxyHost {
  readonly session: Session;
  readonly deployed: Deployed;
  readonly url: string;
  readonly timeout: number;
}

async function siteOf(stack: string | undefined): Promise<Site> {
  const session = await openSession({ stack });
  const target = await deployed(session);
  const { outputs, docker } = target;
  const proxy = outputs.services.find(({ role }) => role === "proxy");
  if (proxy === undefined) throw new CliError({ what: `stack ${session.stack} has no proxy`, remedy: "./drydock up" });
  const timeout = settingAt(stackConfig(session.paths, session.stack), "proxy.timeout");
  return {
    session,
    deployed: target,
    docker,
    container: proxy.container,
    stack: session.stack,
    url: outputs.url,
    timeout: (typeof timeout === "number" ? timeout : 60) + 15,
  };
}

const json = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
};
const warn = (text: string): void => {
  process.stderr.write(`${painter(process.stderr)("yellow", "!")} ${text}\n`);
};
const hex32 = (): string => randomBytes(16).toString("hex");
const newGeneration = (): string => `g-${randomBytes(6).toString("hex")}`;

/** Closes the site, or changes how it is closed. Returns the exit code. */
export async function on(options: OnOptions): Promise<number> {
  const { allow, page } = options;
  const wish = {
    ...(allow === undefined ? {} : { allow: allow === false ? [] : allow }),
    ...defined({ retryAfter: options.retryAfter, message: options.message }),
    ...(page === undefined ? {} : { page: readPage(page) }),
    ...defined({ secret: options.secret }),
  };
  const who = { by: `${userInfo().username}@${hostname()}`, now: new Date(), random: hex32 };
  wanted(wish, undefined, who); // What is wrong is said before anything is asked.
  const site = await siteOf(options.stack);
  return await audited(
    site.session,
    "maintenance",
    ["on", ...Object.keys(wish).map((name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`)],
    () => close(site, wish, who, options.json === true),
  );
}

/**
 * Answers how the site is.
 * @throws CliError (refused) while a restore or an import has it closed, which opens it as it was before
 */
export async function mayChange(site: ProxyHost & Pick<Site, "deployed">): Promise<Shown> {
  const shown = await show(site);
  if (shown.state?.message === RESTORING) await refuseDuringRestore(site.docker, site.deployed);
  return shown;
}

async function close(
  site: Site,
  wish: Parameters<typeof wanted>[0],
  who: Parameters<typeof wanted>[2],
  asJson: boolean,
): Promise<number> {
  const before = await mayChange(site);
  const state = wanted(wish, before.state, who);
  const { drained } = await apply(site, state);
  for (const reference of closedReferences(state.page ?? ""))
    warn(`the page asks for ${reference} of the site, which is closed too: put it into the page (a data: URL)`);
  if (state.allow.some((range) => range === "::1" || range.startsWith("127."))) {
    warn(
      "requests from the Docker host itself reach the proxy from its network's gateway, not from 127.0.0.1: " +
        `docker inspect -f '{{range .NetworkSettings.Networks}}{{.Gateway}} {{end}}' ${site.container}`,
    );
  }
  const isNew = state.pass !== null && state.pass.path !== before.state?.pass?.path;
  // The one place where the secret is shown.
  const entry = isNew && state.pass !== null ? new URL(`/${state.pass.path}`, site.url).href : undefined;
  if (asJson) json({ stack: site.stack, on: true, drained, ...described(state), ...defined({ entry }) });
  else {
    process.stdout.write(
      [
        `Maintenance mode is on: visitors of ${site.url} get the page, with status 503 and Retry-After ` +
          `${state.retryAfter}.`,
        ...(drained ? ["No request that began before is left."] : ["Requests that began before still run."]),
        ...(state.allow.length === 0 ? [] : [`Let in: ${state.allow.join(", ")}`]),
        ...(entry === undefined
          ? state.pass === null
            ? []
            : ["The secret is the same as before."]
          : [`Who opens this address once is let in for a day; it is not shown again:\n  ${entry}`]),
        `Open the site again: ./drydock maintenance off${select(site.stack)}`,
        "",
      ].join("\n"),
    );
  }
  return Exit.ok;
}

const apply = (site: Site, state: Maintenance): Promise<{ readonly drained: boolean }> =>
  step("maintenance", async ({ log }) => {
    log("closing the site, waiting for requests that have started");
    return switchOn(site, state, newGeneration(), site.timeout);
  });

function readPage(file: string): Uint8Array {
  try {
    return readFileSync(file === "-" ? 0 : file);
  } catch (error) {
    throw new CliError({
      what: `--page ${file} can't be read: ${(error as Error).message}`,
      remedy: "./drydock maintenance on --page FILE.html",
      code: Exit.usage,
    });
  }
}

export async function off({ stack, json: asJson }: { readonly stack?: string; readonly json?: true }): Promise<number> {
  const site = await siteOf(stack);
  return await audited(site.session, "maintenance", ["off"], async () => {
    const { generation } = await mayChange(site);
    if (generation !== undefined) await switchOff(site, 0);
    if (asJson) json({ stack: site.stack, on: false, changed: generation !== undefined });
    else
      process.stdout.write(
        generation === undefined ? "Maintenance mode was off.\n" : `Maintenance mode is off: ${site.url} is open.\n`,
      );
    return Exit.ok;
  });
}

export async function status({
  stack,
  json: asJson,
}: {
  readonly stack?: string;
  readonly json?: true;
}): Promise<number> {
  const site = await siteOf(stack);
  const shown = await show(site);
  if (asJson) json(reportOf(site.stack, shown));
  else process.stdout.write(`${statusLines(site, shown).join("\n")}\n`);
  return shown.problems.length === 0 ? Exit.ok : Exit.failed;
}

/** What may be shown of a state: never the secret. */
function described({
  since,
  by,
  allow,
  retryAfter,
  message,
  page,
  pass,
}: Maintenance): Readonly<Record<string, unknown>> {
  return {
    since,
    by,
    allow,
    retryAfter,
    message: page === null ? message : null,
    page: page === null ? "generated" : "own",
    secret: pass !== null,
  };
}

export function reportOf(
  stack: string,
  { generation, state, problems, aside }: Shown,
): Readonly<Record<string, unknown>> {
  return { stack, on: generation !== undefined, ...(state === undefined ? {} : described(state)), problems, aside };
}

function statusLines(site: Site, { generation, state, problems, aside }: Shown): readonly string[] {
  return [
    `Maintenance mode of stack ${site.stack} is ${generation === undefined ? "off" : "on"}.`,
    ...(state === undefined
      ? []
      : [
          `since    ${state.since}, by ${state.by}`,
          "page     " +
            `${state.page === null ? `generated: ${state.message}` : `own, ${Buffer.byteLength(state.page)} bytes`}`,
          `retry    after ${state.retryAfter} s`,
          `let in   ${[...state.allow, ...(state.pass === null ? [] : ["who has the secret"])].join(", ") || "nobody"}`,
        ]),
    ...problems.map((problem) => `problem  ${problem}`),
    ...(problems.length === 0
      ? []
      : [
          "remedy   ./drydock maintenance " +
            (generation === undefined
              ? `off${select(site.stack)}`
              : `on${select(site.stack)} (writes all of it anew), or: ./drydock maintenance off${select(site.stack)}`),
        ]),
    ...aside.map((name) => `aside    ${name}: was damaged, and a release or a restart of the proxy opened the site`),
  ];
}

/** Writes all of it, the secret too, so that `import` has the same one in force. */
export async function exportState(file: string | undefined, { stack }: { readonly stack?: string }): Promise<number> {
  const { generation, state, problems } = await show(await siteOf(stack));
  if (generation !== undefined && state === undefined)
    throw new CliError({
      what: `maintenance mode is on, but ${problems.join("; ")}`,
      remedy: "./drydock maintenance on",
    });
  const text = `${JSON.stringify(state === undefined ? { version: 1, on: false } : { on: true, ...state }, null, 2)}\n`;
  if (file === undefined || file === "-") process.stdout.write(text);
  else {
    writeFileSync(file, text, { mode: 0o600 });
    process.stderr.write(
      `${file}: ` +
        "maintenance mode is " +
        `${state === undefined ? "off" : `on${state.pass === null ? "" : "; the file holds its secret"}`}` +
        "\n",
    );
  }
  return Exit.ok;
}

export async function importState(file: string, { stack }: { readonly stack?: string }): Promise<number> {
  const state = readExport(readPage(file), file);
  const site = await siteOf(stack);
  return await audited(site.session, "maintenance", ["import", file], async () => {
    await mayChange(site);
    if (state !== undefined) await apply(site, state);
    else await switchOff(site, 0);
    process.stdout.write(`Maintenance mode is ${state === undefined ? "off" : "on"}, as ${file} says.\n`);
    return Exit.ok;
  });
}

/** Undefined where the export says that it was off. */
export function readExport(bytes: Uint8Array, file: string): Maintenance | undefined {
  let value: { on?: unknown } & Record<string, unknown>;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8")) as typeof value;
  } catch {
    throw new CliError({
      what: `${file} is not JSON; nothing was changed`,
      remedy: "./drydock maintenance export FILE writes one",
      code: Exit.usage,
    });
  }
  const { on: isOn, ...state } = value ?? {};
  if (isOn === false && state.version === 1) return undefined;
  try {
    if (isOn === true) return readState(JSON.stringify(state), file);
  } catch (error) {
    throw new CliError({
      what: `${(error as Error).message}; nothing was changed`,
      remedy: "./drydock maintenance export FILE writes one",
      code: Exit.usage,
    });
  }
  throw new CliError({
    what: `${file} is no export of maintenance mode; nothing was changed`,
    remedy: "./drydock maintenance export FILE writes one",
    code: Exit.usage,
  });
}
