import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { docker } from "./clone.ts";
import { testImage } from "./image.ts";

const FOLDER = join(import.meta.dirname, "moto");

/** How this machine's pip reaches its packages: the index, if another one is set, and who signs for it. */
function writePipFiles(context: string): void {
  const setting = (name: string): string | undefined => {
    const own = process.env[`PIP_${name.toUpperCase().replace("-", "_")}`];
    if (own !== undefined) return own;
    try {
      return execFileSync("pip", ["config", "get", `global.${name}`], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim();
    } catch {
      return undefined;
    }
  };
  const [index, cert] = [setting("index-url"), setting("cert")];
  const lines = ["[global]", "timeout = 180"];
  if (index !== undefined) lines.push(`index-url = ${index}`);
  if (cert !== undefined && existsSync(cert)) {
    copyFileSync(cert, join(context, "ca.crt"));
    lines.push("cert = /build/ca.crt");
  }
  writeFileSync(join(context, "pip.conf"), `${lines.join("\n")}\n`);
}

const motoImage = (): Promise<string> =>
  testImage({ name: "drydock/moto:5.2.5", folder: FOLDER, prepare: writePipFiles });

export const MOTO_LABEL = "drydock.test.moto";

/** An S3 and IAM of one's own, in a container on a network of one's own; gone with `remove`. */
export class Moto {
  /** From this machine. */
  readonly url: string;
  /** From containers on a network that it was joined to. */
  readonly internal = "http://moto:5000";
  readonly container: string;
  readonly network: string;

  private constructor(container: string, network: string, url: string) {
    this.container = container;
    this.network = network;
    this.url = url;
  }

  /** @param env of moto; INITIAL_NO_AUTH_ACTION_COUNT=N has it enforce IAM's policies after the first N requests */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<Moto> {
    const image = await motoImage();
    const name = `drydock-moto-${randomBytes(4).toString("hex")}`;
    docker("network", "create", "--label", `${MOTO_LABEL}=${name}`, name);
    docker(
      "run",
      "--detach",
      "--name",
      name,
      "--label",
      `${MOTO_LABEL}=${name}`,
      "--network",
      name,
      "--network-alias",
      "moto",
      ...Object.entries(env).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
      image,
    );
    const address = docker("inspect", "--format", `{{ (index .NetworkSettings.Networks "${name}").IPAddress }}`, name);
    const moto = new Moto(name, name, `http://${address}:5000`);
    for (const end = Date.now() + 60_000; ; ) {
      try {
        await fetch(`${moto.url}/moto-api/`, { signal: AbortSignal.timeout(2_000) });
        return moto;
      } catch (error) {
        if (Date.now() > end) {
          const said = docker("logs", name);
          moto.remove();
          throw new Error(`moto does not answer at ${moto.url}: ${(error as Error).message}\n${said}`);
        }
        await new Promise((wake) => setTimeout(wake, 250));
      }
    }
  }

  /** Puts it on another network as well, under the name `moto`. */
  join(network: string): void {
    docker("network", "connect", "--alias", "moto", network, this.container);
  }

  /** What the AWS SDK, the stand-in plugin and restic read; moto takes any key unless it enforces policies. */
  get env(): Record<string, string> {
    return {
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_REGION: "eu-central-1",
      AWS_EC2_METADATA_DISABLED: "true",
    };
  }

  remove(): void {
    docker("rm", "--force", "--volumes", this.container);
    docker("network", "rm", this.network);
  }
}
