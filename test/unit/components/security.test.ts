import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { before, describe, it } from "mocha";
import { configuration, type Registered, runProgram } from "../../support/components/program.ts";

const DOCUMENT = "docs/security.md";
/** Its number is known on the Docker host alone. */
const SOCKET = "the group of Docker's socket";

/** The engine's names end in seven hex digits; here they are those of the resources. */
const bare = (name: string): string => name.replace(/-abcdef0$/, "").replace(/^(network|volumes)-/, "");

/** A line of the document's table: what a container is given. */
function line({ name, inputs }: Registered): string {
  const { user, groupAdds = [], networksAdvanced, mounts, capabilities, memory, cpus, ports, readOnly, tmpfs } = inputs;
  const volumes = mounts.map(
    (one: { source: string; target: string; readOnly?: boolean }) =>
      `${bare(one.source)}${one.readOnly === true ? " (read-only)" : ""}`,
  );
  const memories = Object.values(tmpfs as Record<string, string>).map((one) => Number(/size=(\d+)m/.exec(one)?.[1]));
  return `| ${[
    name,
    `${user}${groupAdds.length > 0 ? `, and ${name === "monitoring-gate" ? SOCKET : groupAdds.join(", ")}` : ""}`,
    networksAdvanced.map((one: { name: string }) => bare(one.name)).join(", "),
    volumes.join(", ") || "none",
    [...(capabilities.adds ?? [])].join(", ") || "none",
    `${memory} MiB, ${cpus} processors`,
    `${readOnly === true ? "read-only" : "its own layer"}` +
      `${memories.length > 0 ? `; ${memories.reduce((sum, one) => sum + one, 0)} MiB of memory` : ""}`,
    ports.length > 0
      ? ports.map((one: { ip: string; external: number }) => `${one.ip}:${one.external}`).join(", ")
      : "none",
  ].join(" | ")} |`;
}

describe("the document on security", () => {
  let resources: Registered[];
  before(async function () {
    this.timeout(120_000);
    const workers = { mails: { command: ["php", "artisan", "queue:work"] } };
    const services = { search: { image: "search:1", uid: 1000, gid: 1000, health: ["true"], volume: "/data" } };
    const monitoring = { enabled: true, image: "monitoring:1" };
    ({ resources } = await runProgram(configuration({ workers, services, monitoring })));
  });

  it("says of every container what it is given", () => {
    const containers = resources.filter(
      ({ type, name }) => type === "docker:index/container:Container" && !/-[2-9]$/.test(name),
    );
    const wanted = containers.map(line);
    const found = readFileSync(DOCUMENT, "utf8")
      .split("\n")
      .filter((one) => /^\| [a-z0-9-]+ \| \d+:\d+/.test(one));
    assert.deepEqual(found.sort(), wanted.sort());
  });

  it("is right that every container has a limit of processes: a step gives it to each by its name", () => {
    const given = { limits: "CONTAINERS", switch: "REPLICAS", verify: "WORKERS" } as const;
    const limited = new Set(
      Object.entries(given).flatMap(([script, list]) =>
        resources
          .filter(({ inputs }) => inputs.create === `sh commands/${script}.sh`)
          .flatMap(({ inputs: { environment } }) => {
            assert.match(environment.PROCESSES, /^[1-9]\d*$/);
            return (environment[list] as string).split(" ");
          }),
      ),
    );
    const containers = resources.filter(({ type }) => type === "docker:index/container:Container");
    const names = containers.map(({ name, inputs }) => inputs.name ?? `${name}-abcdef0`);
    assert.ok(names.length > 18, String(names.length));
    assert.deepEqual(
      names.filter((name) => !limited.has(name)),
      [],
    );
  });

  it("says of every network who is on it and whether it leads out", () => {
    const text = readFileSync(DOCUMENT, "utf8");
    for (const network of resources.filter(({ type }) => type === "docker:index/network:Network")) {
      assert.match(
        text,
        new RegExp(
          `^- \`${bare(network.name)}\`${network.inputs.internal === true ? ", which has no way out" : ""}:`,
          "m",
        ),
        network.name,
      );
    }
  });

  it("names tests that there are", () => {
    const named = [...readFileSync(DOCUMENT, "utf8").matchAll(/`(test\/[\w/.-]+)`/g)].map(([, path]) => path!);
    assert.ok(named.length >= 10, String(named.length));
    for (const path of new Set(named)) assert.ok(existsSync(path), path);
    assert.ok(
      readdirSync("test/hostile").every((file) => !file.endsWith(".test.ts") || named.includes(`test/hostile/${file}`)),
      "each of the hostile ones is named",
    );
  });
});
