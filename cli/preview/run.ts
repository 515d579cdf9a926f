import { adoptImage } from "../setup/applicationImage.ts";
import { requireVersionOf } from "../setup/docker-version.ts";
import { ensureStack, policyArguments } from "../setup/stack.ts";
import { dockerFor } from "../shared/docker.ts";
import { gapsIn } from "../shared/gaps.ts";
import { LOCAL } from "../shared/project.ts";
import { openSession, succeeded } from "../shared/session.ts";
import { settingAt, stackConfig } from "../shared/stack.ts";
import { step } from "../shared/ui.ts";
import { showMigrations } from "../up/deploy.ts";

export interface PreviewOptions {
  readonly stack?: string;
  readonly diff?: true;
  readonly json?: true;
}

/** Shows what `up` would change, and which migrations it would run. */
export async function preview({ stack, diff, json }: PreviewOptions): Promise<void> {
  const session = await openSession({ stack });
  await step("stack", ({ log }) => ensureStack(session, log));
  const host = settingAt(stackConfig(session.paths, session.stack), "docker.host");
  const asked = typeof host === "string" ? host : undefined;
  await requireVersionOf(asked, session.env);
  const docker = dockerFor(asked, session.env);
  // As `up` would: where Docker can't be asked, it does so later.
  if (session.stack === LOCAL)
    await step("image", ({ log }) => adoptImage(session, docker, { pull: false, log }).catch(() => undefined));
  const flags = [...(diff ? ["--diff"] : []), ...(json ? ["--json"] : [])];
  const run = await session.pulumi.stream([
    "preview",
    "--stack",
    session.stack,
    ...flags,
    ...policyArguments(session.paths, session.stack),
  ]);
  succeeded("preview", run, session);
  const output = json ? process.stderr : process.stdout;
  for (const gap of gapsIn(run.events)) output.write(`${gap}\n`);
  await showMigrations(session, docker, run.events, false, output);
}
