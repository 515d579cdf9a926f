import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { catalogue } from "../../../policies/catalogue.ts";
import { analyze, type Res } from "../../support/policies/engine.ts";

const CONTAINER = "docker:index/container:Container";
const network = (name: string): Res => ({ type: "docker:index/network:Network", name, props: { driver: "bridge" } });
const volume = (name: string): Res => ({ type: "docker:index/volume:Volume", name, props: {}, protect: true });
const container = (name: string, props: Record<string, unknown>, more: Partial<Res> = {}): Res => ({
  type: CONTAINER,
  name,
  deleteBeforeReplace: false,
  ...more,
  props: {
    restart: "unless-stopped",
    memory: 512,
    cpus: "1",
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges:true"],
    wait: true,
    logOpts: { "max-size": "10m" },
    ...props,
  },
});

/** Programs that are not Drydock's, as somebody who takes care writes them: no roles, images and users of their own. */
const PROGRAMS: Readonly<Record<string, readonly Res[]>> = {
  "a blog": [
    network("backend"),
    volume("pgdata"),
    container(
      "postgres",
      {
        image: "postgres:16.4",
        user: "999:999",
        envs: ["POSTGRES_PASSWORD_FILE=/run/secrets/db", "POSTGRES_DB=blog"],
        networksAdvanced: [{ name: "backend", aliases: ["db"] }],
        volumes: [{ volumeName: "pgdata", containerPath: "/var/lib/postgresql/data" }],
        healthcheck: { tests: ["CMD-SHELL", "pg_isready -U postgres"] },
      },
      { deleteBeforeReplace: true, protect: true },
    ),
    container("ghost", {
      image: "ghost:5.96-alpine",
      user: "node",
      networksAdvanced: [{ name: "backend" }],
      ports: [{ internal: 2368, external: 2368, ip: "127.0.0.1" }],
      envs: ["NODE_ENV=production", "url=https://blog.example.com", "database__connection__host=db"],
      healthcheck: { tests: ["CMD", "wget", "-q", "--spider", "http://127.0.0.1:2368/"] },
    }),
  ],
  monitoring: [
    network("monitoring"),
    volume("prometheus-data"),
    container("prometheus", {
      image: "prom/prometheus:v2.54.1",
      user: "65534:65534",
      command: ["--config.file=/etc/prometheus/prometheus.yml"],
      uploads: [{ file: "/etc/prometheus/prometheus.yml", content: "global: {}" }],
      networksAdvanced: [{ name: "monitoring" }],
      volumes: [{ volumeName: "prometheus-data", containerPath: "/prometheus" }],
      healthcheck: { tests: ["CMD", "wget", "-qO-", "http://127.0.0.1:9090/-/healthy"] },
    }),
    container("grafana", {
      image: "grafana/grafana:11.2.0",
      user: "472",
      networksAdvanced: [{ name: "monitoring" }],
      ports: [{ internal: 3000, external: 3000, ip: "127.0.0.1" }],
      healthcheck: { tests: ["CMD-SHELL", "curl -f http://127.0.0.1:3000/api/health || exit 1"] },
    }),
  ],
  "files by their name alone": [
    network("files"),
    volume("files-data"),
    container("minio", {
      image: "minio/minio:RELEASE.2024-09-13T20-26-02Z",
      user: "1001:1001",
      command: ["server", "/data"],
      networksAdvanced: [{ name: "files" }],
      volumes: [{ volumeName: "files-data", containerPath: "/data" }],
      healthcheck: { tests: ["CMD", "mc", "ready", "local"] },
    }),
  ],
};

describe("policies: programs of others", () => {
  for (const [what, resources] of Object.entries(PROGRAMS)) {
    const mandatory = async (stack: string) =>
      (
        await analyze(
          catalogue,
          resources.map((one) => ({ ...one, stack })),
        )
      )
        .filter(({ level }) => level === "mandatory")
        .map(({ policy, message }) => `${policy}: ${message.split("\n")[0]}`);

    it(`block nothing of ${what} while it is developed`, async () => assert.deepEqual(await mandatory("dev"), []));

    it(`demand of ${what} in production what is said, no more: digests, no core dumps, listed ports`, async () => {
      assert.deepEqual(
        [...new Set((await mandatory("prod")).map((line) => line.split(":")[0]))].filter(
          (rule) => !["image-pinned", "no-core-dumps", "published-ports"].includes(rule!),
        ),
        [],
      );
    });
  }
  it(
    "ask of another Laravel for one user in all roles, " +
      "whichever that is, and take any port and path of its health",
    async () => {
      const laravel = (role: string, user: string): Res =>
        container(`shop-${role}`, {
          image: "ghcr.io/acme/shop:2.3.1",
          user,
          networksAdvanced: [{ name: "web" }],
          healthcheck: { tests: ["CMD", "php", "/health.php", "127.0.0.1:9001", "/ping"] },
          labels: [{ label: "drydock.role", value: role }],
          stack: "dev",
        });
      const about = async (...all: Res[]) =>
        (
          await analyze(
            catalogue,
            all.map((one) => ({ ...one, stack: "dev" })),
          )
        )
          .map(({ policy }) => policy)
          .filter((policy) => ["non-root-uid", "laravel-uid-identical", "healthcheck-endpoint"].includes(policy));
      assert.deepEqual(await about(laravel("app", "82:82"), laravel("horizon", "82:82")), []);
      assert.deepEqual(await about(laravel("app", "82:82"), laravel("horizon", "33:33")), ["laravel-uid-identical"]);
      assert.deepEqual(await about(laravel("app", "0:0"), laravel("horizon", "0:0")), ["non-root-uid", "non-root-uid"]);
    },
  );
});
