import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PORTS } from "../../contracts/proxy.ts";
import { defined } from "../../lib/defined.ts";
import { show } from "../maintenance/proxy.ts";
import type { Docker } from "../shared/docker.ts";
import { ROOT } from "../shared/project.ts";
import { MEMORY, readInfo } from "../shared/redisMemory.ts";
import type { ContainerFacts, Facts, LaravelFacts } from "./facts.ts";

/** How long one question to a container may take, in ms. */
export const PATIENCE = 40_000;

/**
 * Runs in the container: the script on standard input is a file for the time of the look, for PHP-FPM too. OPcache
 * takes in no file that is younger than two seconds, so it leaves no trace there.
 */
const LOOK = `umask 077
f=/tmp/drydock-doctor-$$.php
trap 'rm -f "$f"' EXIT
cat > "$f"
php "$f"
[ -z "$1" ] || php -n /drydock/fcgi.php "127.0.0.1:$1" /drydock-doctor "$f" 15`;

export async function askLaravel(
  docker: Docker,
  { container, role }: ContainerFacts,
  plan: string,
  port: number | undefined,
): Promise<NonNullable<ContainerFacts["laravel"]>> {
  const script = readFileSync(join(ROOT, "runtime", "doctor.php"), "utf8").trimEnd();
  const fpm = role === "app" && port !== undefined;
  const { stdout, stderr, code } = await docker.run(
    ["exec", "--interactive", container, "/bin/sh", "-c", LOOK, "doctor", fpm ? String(port) : ""],
    { input: script + plan, timeout: PATIENCE },
  );
  const said = readLaravel(stdout);
  if (said.cli === undefined) return { silent: code === 124 ? `no answer in ${PATIENCE / 1000} s` : lastLine(stderr) };
  return {
    cli: said.cli,
    ...(said.fpm === undefined ? (fpm ? { fpmSilent: lastLine(stderr) } : {}) : { fpm: said.fpm }),
  };
}

/** One JSON object a process; PHP may write warnings between them. */
export function readLaravel(output: string): { readonly cli?: LaravelFacts; readonly fpm?: LaravelFacts } {
  const answers = output
    .split("\n")
    .map((line) => line.replace(/^\u001e/, ""))
    .filter((line) => line.startsWith('{"sapi":'))
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as LaravelFacts];
      } catch {
        return [];
      }
    });
  const cli = answers.find(({ sapi }) => sapi === "cli");
  const fpm = answers.find(({ sapi }) => sapi !== "cli");
  return { ...defined({ cli, fpm }) };
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1)?.slice(0, 200) || "it said nothing";

/** Of the passwords that Redis takes, only their number. */
const REDIS = `cli() { sh /run/drydock/redis-cli.sh "$@"; }
for key in save appendonly maxmemory-policy; do echo "$key:$(cli --raw config get "$key" | sed -n 2p)"; done
echo "passwords:$(cli acl list | grep '^user default ' | tr -cd '#' | wc -c)"
echo "others:$(cli acl users | grep -cvxE 'default|drydock')"
cli acl list | grep '^user default ' | grep -q -- ' -@admin' && echo admin:no || echo admin:yes
cli info persistence
${MEMORY}`;

export async function askRedis(docker: Docker, container: string | undefined): Promise<NonNullable<Facts["redis"]>> {
  if (container === undefined) return { silent: "it doesn't run" };
  const { stdout, stderr, code } = await docker.run(["exec", container, "/bin/sh", "-c", REDIS], { timeout: PATIENCE });
  const values = readInfo(stdout);
  return code === 0 && "aof_enabled" in values ? { values } : { silent: lastLine(stderr || stdout) };
}

export async function askSchedule(
  docker: Docker,
  {
    stack,
    scheduler,
    network,
  }: { readonly stack: string; readonly scheduler: string | undefined; readonly network: string | undefined },
): Promise<Facts["schedule"]> {
  const filters = [
    "--filter",
    "label=drydock.role=scheduler",
    // Another stack has another label, and one of the same name another network.
    "--filter",
    `label=drydock.stack=${stack}`,
    "--filter",
    "status=running",
    ...(network === undefined ? [] : ["--filter", `network=${network}`]),
  ];
  const [listed, logs] = await Promise.all([
    docker.run(["ps", "--quiet", ...filters], { timeout: PATIENCE }),
    scheduler === undefined
      ? undefined
      : docker.run(["logs", "--timestamps", "--tail", "200", scheduler], { timeout: PATIENCE }),
  ]);
  const last = logs === undefined ? undefined : lastRun(`${logs.stdout}\n${logs.stderr}`);
  return { running: listed.stdout.split("\n").filter((id) => id !== "").length, ...defined({ last }) };
}

/** When `schedule:run` last wrote what it found due: it does so each minute, due or not. In ms since 1970. */
export function lastRun(logs: string): number | undefined {
  const times = logs
    .split("\n")
    .filter((line) => /Running \[|No scheduled commands are ready|Skipping \[/.test(line))
    .map((line) => Date.parse(line.split(" ")[0] ?? ""));
  const known = times.filter((time) => !Number.isNaN(time));
  return known.length === 0 ? undefined : Math.max(...known);
}

export async function askSite(
  docker: Docker,
  replica: string | undefined,
  proxy: string | undefined,
  site: { readonly path: string; readonly host: string; readonly timeout: number },
): Promise<Facts["site"]> {
  if (replica === undefined || proxy === undefined)
    return {
      silent: `${replica === undefined ? "no replica" : "the proxy doesn't"} run${replica === undefined ? "s" : ""}`,
    };
  const { code, stderr, stdout } = await docker.run(
    ["exec", "--interactive", replica, "php", "-n", "--", `http://proxy:${PORTS.proof}${site.path}`, site.host, "3"],
    {
      input: readFileSync(join(ROOT, "runtime", "probe.php"), "utf8"),
      timeout: PATIENCE,
    },
  );
  return code === 0 ? {} : { error: lastLine(stderr || stdout) };
}

export async function askMaintenance(
  docker: Docker,
  container: string | undefined,
  stack: string,
): Promise<Facts["maintenance"]> {
  if (container === undefined) return { silent: "it doesn't run" };
  try {
    return await show({ docker, container, stack });
  } catch (error) {
    return { silent: (error as Error).message };
  }
}
