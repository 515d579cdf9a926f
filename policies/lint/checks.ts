import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Instruction } from "dockerfile-ast";
import { callsArtisan } from "../helpers/commands.ts";
import { isSecretName } from "../helpers/env.ts";
import { hasUrlWithPassword } from "../helpers/secrets.ts";

/** A Dockerfile as the checks see it. */
export interface Dockerfile {
  /** Path of the file, for messages and for what lies beside it. */
  readonly path: string;
  readonly instructions: readonly Instruction[];
  /** Instructions of the last stage, its FROM first. */
  readonly last: readonly Instruction[];
}

export interface Check {
  readonly name: string;
  readonly why: string;
  readonly remedy: string;
  /** Says what is wrong and where; an instruction stands for its line, nothing for the whole file. */
  run(file: Dockerfile, report: (what: string, at?: Instruction) => void): void;
}

const keyword = (instruction: Instruction): string => instruction.getKeyword();
const args = (instruction: Instruction): string => instruction.getArgumentsContent() ?? "";
const of = (list: readonly Instruction[], ...keywords: readonly string[]): Instruction[] =>
  list.filter((one) => keywords.includes(keyword(one)));
const lastOf = (list: readonly Instruction[], name: string): Instruction | undefined => of(list, name).at(-1);

/** What the image runs. */
function main({ last }: Dockerfile): string {
  return ["ENTRYPOINT", "CMD"]
    .map((name) => lastOf(last, name))
    .map((one) => (one === undefined ? "" : args(one)))
    .join(" ");
}

const noConfigCache: Check = {
  name: "no-config-cache-at-build",
  why: "config:cache freezes the variables of the build, which are not those of the stack (incident 10)",
  remedy: "delete the line; Drydock caches when a container starts",
  run({ instructions }, report) {
    for (const run of of(instructions, "RUN"))
      if (callsArtisan(args(run), "config:cache|optimize"))
        report("builds Laravel's configuration cache into the image", run);
  },
};

const stopSignal: Check = {
  name: "stop-signal",
  why: "PHP-FPM and nginx cut their requests on SIGTERM and finish them on SIGQUIT",
  remedy: "STOPSIGNAL SIGQUIT",
  run(file, report) {
    const server = /php-fpm|\bnginx\b/.exec(main(file))?.[0];
    const signal = lastOf(file.last, "STOPSIGNAL");
    if (server !== undefined && signal === undefined)
      report(`runs ${server} without a STOPSIGNAL`, lastOf(file.last, "CMD") ?? lastOf(file.last, "ENTRYPOINT"));
    else if (server !== undefined && signal !== undefined && !/^(SIG)?QUIT$|^3$/.test(args(signal)))
      report(`stops ${server} with another signal than SIGQUIT`, signal);
  },
};

const user: Check = {
  name: "user",
  why: "without USER the processes run as root (incident 9)",
  remedy: "USER 1000:1000 (the uid that owns the files), after the last RUN that needs root",
  run({ last }, report) {
    const instruction = lastOf(last, "USER");
    if (instruction === undefined) return report("sets no USER", last[0]);
    if (/^(root|0)(:|$)/.test(args(instruction))) report("runs as root", instruction);
  },
};

const noSecrets: Check = {
  name: "no-secrets",
  why:
    "everything in an image is read by everyone who may pull it, " +
    "its history included (docs/incidents.md#forty-eight-hours)",
  remedy: "RUN --mount=type=secret,id=NAME … at build; at run time Drydock delivers the .env file",
  run({ path, instructions }, report) {
    for (const one of of(instructions, "ENV", "ARG")) {
      for (const [, key = ""] of args(one).matchAll(/(?:^|\s)([A-Za-z_]\w*)(?==|\s|$)/g))
        if (isSecretName(key)) report(`${keyword(one)} ${key} is a secret by its name`, one);
    }
    for (const one of of(instructions, "COPY", "ADD")) {
      if (/(^|[\s/])\.env(\.(?!example|dist)\w+)?(\s|$)/.test(args(one)))
        report("copies a .env file into the image", one);
      const ignore = join(dirname(path), ".dockerignore");
      const ignored = existsSync(ignore) ? readFileSync(ignore, "utf8") : "";
      if (
        /^(--\S+\s+)*\.\/?\s/.test(args(one)) &&
        existsSync(join(dirname(path), "artisan")) &&
        !/^(\*\*\/)?\.env(\*|\.\*)?\s*$|^\*\s*$/m.test(ignored)
      )
        report("copies everything, and .dockerignore does not leave out .env", one);
    }
    for (const one of of(instructions, "RUN")) {
      for (const [, key = ""] of args(one).matchAll(/(?:^|[\s;&|])(?:export\s+)?([A-Za-z_]\w*)=["']?[^\s"'$;]+/g))
        if (isSecretName(key)) report(`RUN has the value of ${key}`, one);
      if (hasUrlWithPassword(args(one).replace(/\$\{?\w+\}?/g, ""))) report("RUN has a URL with a password", one);
    }
  },
};

const pinnedBase: Check = {
  name: "pinned-base",
  why:
    "latest is another image on each machine, and the one that worked can't be found again " +
    "(docs/incidents.md#forty-eight-hours)",
  remedy: "FROM debian:13.2-slim, better with its digest: FROM debian:13.2-slim@sha256:…",
  run({ instructions }, report) {
    const stages = new Set<string>();
    const defaults = new Map<string, string>();
    for (const one of of(instructions, "ARG", "FROM")) {
      if (keyword(one) === "ARG") {
        const [, name = "", value] = /^(\w+)(?:=(.*))?$/.exec(args(one).trim()) ?? [];
        if (value !== undefined) defaults.set(name, value.replace(/^["']|["']$/g, ""));
        continue;
      }
      const [, raw = "", stage] = /^(?:--\S+\s+)*(\S+)(?:\s+[Aa][Ss]\s+(\S+))?/.exec(args(one)) ?? [];
      const image = raw.replace(
        /\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)/g,
        (_, name: string | undefined, fallback: string | undefined, bare: string | undefined) =>
          defaults.get(name ?? bare ?? "") ?? fallback ?? "$",
      );
      // What the build gives is the build's to pin; another stage and `scratch` have no version.
      const isOpen = image.includes("$") || image === "scratch" || stages.has(image);
      const tag = /:([\w][\w.-]*)$/.exec(image.slice(image.lastIndexOf("/") + 1))?.[1];
      if (!isOpen && !image.includes("@sha256:") && (tag === undefined || tag === "latest"))
        report(tag === undefined ? "the base has no tag" : "the base's tag is latest", one);
      if (stage !== undefined) stages.add(stage);
    }
  },
};

const phpredis: Check = {
  name: "phpredis",
  why: 'Horizon needs PHP\'s extension, not the package predis: class "Redis" not found (incident 5)',
  remedy: "RUN pecl install redis && docker-php-ext-enable redis (Debian: apt-get install php8.4-redis)",
  run({ instructions, last }, report) {
    const text = of(instructions, "RUN").map(args).join("\n");
    const hasPhp =
      of(instructions, "FROM").some((one) => /(^|\/)php:/.test(args(one))) || /\bphp\d[\d.]*-(fpm|cli)\b/.test(text);
    const hasRedis = new RegExp(
      String.raw`\bphp[\d.]*-redis\b|pecl\s+install\s+[^\n;&]*\bredis\b|` +
        String.raw`install-php-extensions\s[^\n;&]*\bredis\b|docker-php-ext-(install|` +
        String.raw`enable)\s[^\n;&]*\bredis\b`,
    ).test(text);
    if (hasPhp && !hasRedis) report("has PHP, but not the extension redis", last[0]);
  },
};

/** In the order in which they are reported. */
export const checks: readonly Check[] = [noConfigCache, stopSignal, user, noSecrets, pinnedBase, phpredis];
