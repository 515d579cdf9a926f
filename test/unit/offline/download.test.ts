import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import type { IncomingMessage, Server } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { download } from "../../../offline/download.ts";
import { serve } from "../../support/offline/servers.ts";

const ROOT = join(import.meta.dirname, "../../..");
const sha256 = (data: Buffer): string => createHash("sha256").update(data).digest("hex");

describe("a download", () => {
  const data = Buffer.alloc(300_000, "pulumi");
  const servers: Server[] = [];
  let folder: string;
  let said: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-download-"));
    said = [];
  });
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(folder, { recursive: true });
  });
  const fetchFrom = async (
    urls: readonly string[],
    more: { readonly sum?: string; readonly patience?: number } = {},
  ): Promise<Buffer> => {
    const target = join(folder, "file");
    await download({
      urls,
      sha256: more.sum ?? sha256(data),
      target,
      log: (line) => said.push(line),
      ...(more.patience === undefined ? {} : { patience: more.patience }),
    }).catch((error: unknown) => {
      assert.deepEqual(readdirSync(folder), [], "something was left");
      throw error;
    });
    return readFileSync(target);
  };

  it("arrives whole, over redirects, without sending what was meant for another host", async () => {
    const asked: string[] = [];
    const last = await serve((request, response) => {
      asked.push(String(request.headers.authorization));
      response.end(data);
    }, servers);
    const first = await serve(
      (request, response) =>
        response
          .writeHead(request.url === "/a" ? 302 : 307, { location: request.url === "/a" ? "/b" : `${last}/c` })
          .end(),
      servers,
    );
    assert.deepEqual(await fetchFrom([`${first}/a`]), data);
    assert.deepEqual(asked, ["undefined"]);
  });

  it("is asked of the next server where one does not have it", async () => {
    const none = await serve((_, response) => response.writeHead(404).end("nothing"), servers);
    const has = await serve((_, response) => response.end(data), servers);
    assert.deepEqual(await fetchFrom([`${none}/x`, `${has}/x`]), data);
    assert.deepEqual(said, [`${none}/x answered 404`]);
  });

  it("is started again where it breaks off, and where a server is at its limit", async () => {
    let times = 0;
    const url = await serve((_, response) => {
      times++;
      if (times === 1) response.writeHead(503).end();
      else if (times === 2) {
        response.writeHead(200, { "content-length": data.length });
        response.write(data.subarray(0, 1000), () => response.destroy());
      } else response.end(data);
    }, servers);
    assert.deepEqual(await fetchFrom([`${url}/x`]), data);
    assert.equal(times, 3);
    assert.match(said.join("\n"), /answered 503; trying again\n.*broke off after 0\.0 MB \(.*\); trying again/);
  });

  it("goes on where it broke off, if the server has the same file still, whoever it sends to", async () => {
    const asked: (string | undefined)[] = [];
    const last = await serve((request, response) => {
      const { range, "if-range": mark } = request.headers;
      asked.push(range);
      const from = range !== undefined && mark === '"a"' ? Number(/=(\d+)-/.exec(range)?.[1]) : 0;
      const headers = { etag: '"a"', "content-length": data.length - from };
      const content = `bytes ${from}-${data.length - 1}/${data.length}`;
      response.writeHead(from > 0 ? 206 : 200, from > 0 ? { ...headers, "content-range": content } : headers);
      if (asked.length > 2) response.end(data.subarray(from));
      else response.write(data.subarray(from, from + 100_000), () => setTimeout(() => response.destroy(), 50));
    }, servers);
    const first = await serve((_, response) => response.writeHead(302, { location: `${last}/x` }).end(), servers);
    assert.deepEqual(await fetchFrom([`${first}/x`]), data);
    assert.deepEqual(asked, [undefined, "bytes=100000-", "bytes=200000-"]);
  });

  it("is started again where the file has changed, and where the server gives another part", async () => {
    let times = 0;
    const url = await serve((request, response) => {
      times++;
      const { range } = request.headers;
      if (times === 1) {
        response.writeHead(200, { etag: '"a"', "content-length": data.length });
        response.write(Buffer.alloc(100_000, "old"), () => setTimeout(() => response.destroy(), 50));
      } else if (times === 2) {
        assert.equal(range, "bytes=100000-");
        response.writeHead(206, { etag: '"a"', "content-range": `bytes 0-9/${data.length}` }).end("0123456789");
      } else {
        assert.equal(range, undefined);
        response.end(data);
      }
    }, servers);
    assert.deepEqual(await fetchFrom([`${url}/x`]), data);
    assert.match(said.join("\n"), /another part than was asked for \(bytes 0-9\/300000\); trying again/);
    times = 0;
    const changed = await serve((_, response) => {
      times++;
      response.writeHead(200, { etag: `"${times}"`, "content-length": data.length });
      if (times > 1) response.end(data);
      else response.write(Buffer.alloc(100_000, "old"), () => setTimeout(() => response.destroy(), 50));
    }, servers);
    assert.deepEqual(await fetchFrom([`${changed}/x`]), data);
  });

  it("that finds the disk full says so, and asks nobody again", async () => {
    let times = 0;
    const url = await serve((_, response) => {
      times++;
      response.end(data);
    }, servers);
    symlinkSync("/dev/full", join(folder, "file"));
    await assert.rejects(fetchFrom([`${url}/x`, `${url}/y`]), {
      name: "NoRoom",
      message: new RegExp(`^the disk of ${folder} is full: make room there`),
    });
    assert.equal(times, 1);
  });

  it("fails where it breaks off each time, or comes to a halt", async () => {
    let times = 0;
    const cut = await serve((_, response) => {
      times++;
      response.writeHead(200, { "content-length": data.length });
      response.write(data.subarray(0, 1000), () => response.destroy());
    }, servers);
    await assert.rejects(fetchFrom([`${cut}/x`]), /broke off after 0\.0 MB/);
    assert.equal(times, 3);
    const halts = await serve((_, response) => {
      response.write(data.subarray(0, 1000));
    }, servers);
    await assert.rejects(
      fetchFrom([`${halts}/x`], { patience: 100 }),
      /broke off after 0\.0 MB \(nothing came for 0\.1 s\)/,
    );
  });

  it("goes on while something comes, however slowly, and says how far it is", async () => {
    const url = await serve((_, response) => {
      let at = 0;
      response.writeHead(200, { "content-length": data.length });
      const timer = setInterval(() => {
        response.write(data.subarray(at, (at += 60_000)));
        if (at >= data.length) {
          clearInterval(timer);
          response.end();
        }
      }, 800);
    }, servers);
    assert.deepEqual(await fetchFrom([`${url}/x`], { patience: 2_000 }), data);
    assert.match(said.join("\n"), /^0\.\d of 0\.3 MB of x$/);
  });

  it("with another checksum is not used, nor asked for again", async () => {
    let times = 0;
    const url = await serve((_, response) => {
      times++;
      response.end(Buffer.concat([data, Buffer.from("!")]));
    }, servers);
    await assert.rejects(
      fetchFrom([`${url}/x`, `${url}/y`]),
      new RegExp(
        `/x is not what was published: its SHA-256 is [0-9a-f]{64}, expected ${sha256(data)}\\. Nothing of it`,
      ),
    );
    assert.equal(times, 1);
  });

  it("ends where one address leads to another without end, or away from https", async () => {
    const loop: string = await serve((_, response) => response.writeHead(302, { location: "/again" }).end(), servers);
    await assert.rejects(fetchFrom([`${loop}/x`]), /leads on and on/);
    const away = await serve(
      (_, response) => response.writeHead(302, { location: "ftp://127.0.0.1/x" }).end(),
      servers,
    );
    await assert.rejects(fetchFrom([`${away}/x`]), /leads to ftp:\/\/127\.0\.0\.1, which is not https/);
  });

  it("says who can't be reached", async () => {
    const url = await serve(() => undefined, servers);
    servers.pop()!.close();
    await assert.rejects(fetchFrom([`${url}/x`]), /127\.0\.0\.1:\d+ can't be reached \(ECONNREFUSED/);
  });

  describe("over TLS", () => {
    let secure: { key: string; cert: string };
    let certificate: string;
    before(function () {
      const made = mkdtempSync(join(tmpdir(), "drydock-tls-"));
      certificate = join(made, "cert.pem");
      const { status } = spawnSync("openssl", [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        join(made, "key.pem"),
        "-out",
        certificate,
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
      ]);
      if (status !== 0) return this.skip();
      secure = { key: readFileSync(join(made, "key.pem"), "utf8"), cert: readFileSync(certificate, "utf8") };
    });
    after(() => rmSync(dirname(certificate), { recursive: true, force: true }));

    /** In a process of its own: what is trusted, and which proxy, is read once. */
    const fetchIn = (url: string, env: NodeJS.ProcessEnv): Promise<string> =>
      new Promise((done) => {
        const script = `import { download } from ${JSON.stringify(join(ROOT, "offline/download.ts"))};
        const wanted = ${JSON.stringify({ urls: [url], sha256: sha256(data), target: join(folder, "file") })};
        await download(wanted).then(() => console.log("whole"), (error) => console.log(error.message));`;
        execFile(
          process.execPath,
          ["--import", "tsx", "--input-type=module", "--eval", script],
          { cwd: ROOT, env: { ...process.env, ...env } },
          (_, stdout, stderr) => done(stdout + stderr),
        );
      });

    it("is refused from a host whose certificate nobody here trusts, and says how to trust it", async () => {
      const url = await serve((_, response) => response.end(data), servers, secure);
      assert.match(
        await fetchIn(`${url}/x`, {}),
        /the certificate of 127\.0\.0\.1:\d+ is not trusted here \(\w+\); .*: export NODE_EXTRA_CA_CERTS=FILE/,
      );
      assert.equal(await fetchIn(`${url}/x`, { NODE_EXTRA_CA_CERTS: certificate }), "whole\n");
    });

    /** A proxy: tells whom it was asked for, and lets in who has this name and password. */
    const tunnel = async (asked: string[], who?: string): Promise<string> => {
      const address = await serve((_, response) => response.writeHead(400).end(), servers);
      servers.at(-1)!.on("connect", (request: IncomingMessage, client: Socket) => {
        asked.push(request.url ?? "");
        const basic = `Basic ${Buffer.from(who ?? "").toString("base64")}`;
        if (who !== undefined && request.headers["proxy-authorization"] !== basic) {
          client.end("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n");
          return;
        }
        const [host = "", port] = (request.url ?? "").split(":");
        const upstream = connect(Number(port), host, () => {
          client.write("HTTP/1.1 200 OK\r\n\r\n");
          upstream.pipe(client).pipe(upstream);
        });
        for (const each of [upstream, client])
          each.on("error", () => {
            upstream.destroy();
            client.destroy();
          });
      });
      return address;
    };

    it("tells a proxy the name and the password of its address, and says what one wants that has none", async () => {
      const url = await serve((_, response) => response.end(data), servers, secure);
      const asked: string[] = [];
      const password = randomBytes(8).toString("hex");
      const proxy = new URL(await tunnel(asked, `me:${password}`));
      const env = { NODE_EXTRA_CA_CERTS: certificate, NO_PROXY: "", no_proxy: "" };
      const wanted =
        /the proxy wants a name and a password \(407\): export HTTPS_PROXY=http:\/\/NAME:PASSWORD@HOST:PORT/;
      assert.match(await fetchIn(`${url}/x`, { ...env, HTTPS_PROXY: proxy.href }), wanted);
      proxy.username = "me";
      proxy.password = "wrong";
      const refused = await fetchIn(`${url}/x`, { ...env, HTTPS_PROXY: proxy.href });
      assert.match(refused, wanted);
      assert.doesNotMatch(refused, /wrong/);
      proxy.password = password;
      assert.equal(await fetchIn(`${url}/x`, { ...env, HTTPS_PROXY: proxy.href }), "whole\n");
      assert.equal(asked.length, 3);
    });

    it("goes through the proxy that HTTPS_PROXY names, unless NO_PROXY has the host", async () => {
      const url = await serve((_, response) => response.end(data), servers, secure);
      const asked: string[] = [];
      const proxy = await tunnel(asked);
      const env = { HTTPS_PROXY: proxy, NODE_EXTRA_CA_CERTS: certificate, NO_PROXY: "", no_proxy: "" };
      assert.equal(await fetchIn(`${url}/x`, env), "whole\n");
      assert.deepEqual(asked, [new URL(url).host]);
      assert.equal(await fetchIn(`${url}/x`, { ...env, NO_PROXY: "127.0.0.1" }), "whole\n");
      assert.equal(asked.length, 1);
      assert.match(
        await fetchIn(`${url}/x`, { ...env, HTTPS_PROXY: "http://127.0.0.1:9" }),
        /can't be reached|ECONNREFUSED/,
      );
    });
  });
});
