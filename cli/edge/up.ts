import { existsSync } from "node:fs";
import { stageOf } from "../../config/stage.ts";
import { ensureDocker } from "../setup/docker.ts";
import { ensureImages } from "../setup/images.ts";
import { isFree } from "../setup/port.ts";
import { type Entry, missing, outdatedImages, readStackFile, writeEntries } from "../setup/stackFile.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { openSession } from "../shared/session.ts";
import { settingAt, stackConfig } from "../shared/stack.ts";
import { ask, onTerminal, step } from "../shared/ui.ts";
import { up } from "../up/run.ts";
import { EDGE, EDGE_LOCAL } from "./target.ts";

export interface EdgeUpOptions {
  readonly stack?: string;
  readonly local?: true;
  readonly email?: string;
  readonly yes?: true;
  readonly diff?: true;
}

/** Makes the edge's stack file complete, and brings the edge to what it says. Returns the exit code. */
export async function edgeUp(options: EdgeUpOptions): Promise<number> {
  const { local } = options;
  const stack = options.stack ?? (local ? EDGE_LOCAL : EDGE);
  const session = await openSession({ stack });
  const file = session.paths.stackFile(stack);
  const config = stackConfig(session.paths, stack);
  const host = settingAt(config, "docker.host");
  if (!existsSync(file) && !local && options.email === undefined && !onTerminal())
    throw new CliError({
      what: `there is no Pulumi.${stack}.yaml yet, and no e-mail address for the certificate authority`,
      remedy: "./drydock edge up --email ops@example.com --yes\non your own machine: ./drydock edge up --local",
      code: Exit.usage,
    });
  const entries: Entry[] = [];
  const plain = (path: string, value: unknown) => entries.push({ path: `drydock:edge.${path}`, value, secret: false });
  if (local) {
    plain("ca", "local");
    plain("interfaces", ["127.0.0.1"]);
    if (!existsSync(file)) for (const [name, usual, other] of PORTS) plain(name, await chosen(usual, other));
  } else if (settingAt(config, "edge.email") === undefined && settingAt(config, "edge.ca") === undefined)
    plain("email", options.email ?? (await ask("E-mail address that the certificate authority may write to: ")).trim());
  // In production images come from a registry, and where Docker is another machine's.
  const built = typeof host !== "string" && (local || stageOf(stack) !== "production");
  if (built) {
    const engine = await step("docker", ({ log }) => ensureDocker({ log }));
    const images = await step("images", ({ log }) =>
      ensureImages({ log, host: engine.host, only: ["base", "proxy", "certificates"] }),
    );
    plain("image", images.proxy);
    plain("certificatesImage", images.certificates);
  }
  const document = readStackFile(file);
  const due = [...missing(document, entries), ...outdatedImages(document, entries)];
  for (const { path, value } of due)
    process.stderr.write(`→ Pulumi.${stack}.yaml: ${path} is ${JSON.stringify(value)}\n`);
  await writeEntries(session.pulumi, session.paths, stack, document, due);
  return await up({
    stack,
    ...(options.yes || local ? { yes: true as const } : {}),
    ...(options.diff ? { diff: true as const } : {}),
  });
}

const PORTS = [
  ["httpPort", 80, 8080],
  ["httpsPort", 443, 8443],
] as const;

/** The usual port, or the first free one from another on: on one's own machine something may have it. */
async function chosen(usual: number, other: number): Promise<number> {
  for (const port of [usual, ...Array.from({ length: 100 }, (_, index) => other + index)])
    if (await isFree(port, "127.0.0.1")) return port;
  return usual;
}
