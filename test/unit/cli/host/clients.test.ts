import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "mocha";

describe("the clients that Drydock puts on PATH", () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-clients-"));
  after(() => rmSync(folder, { recursive: true }));

  it("call the real ones, also where those of two clones are on it", () => {
    const clones = ["one", "two"].map((name) => join(folder, name));
    for (const clone of clones) cpSync("cli/host/bin", clone, { recursive: true });
    const real = join(folder, "real");
    mkdirSync(real);
    for (const name of ["docker", "ssh"])
      writeFileSync(join(real, name), `#!/bin/sh\necho the real ${name}: "$@"\n`, { mode: 0o755 });
    const env = { PATH: [...clones, real, "/usr/bin", "/bin"].join(":") };
    for (const clone of clones) {
      for (const name of ["docker", "ssh"]) {
        const { status, stdout } = spawnSync(join(clone, name), ["-V"], { env, encoding: "utf8", timeout: 10_000 });
        assert.deepEqual([status, stdout], [0, `the real ${name}: -V\n`]);
      }
    }
  });

  /** A connection that is there, whose ssh shows the command that the host's shell would get, and standard input. */
  const asked = (
    args: readonly string[],
    { shell, input = "" }: { readonly shell?: string; readonly input?: string } = {},
  ) => {
    const [real, base] = [join(folder, "host"), `/tmp/drydock-${process.getuid!()}`];
    mkdirSync(real, { recursive: true });
    const url = `ssh://me@${randomBytes(6).toString("hex")}`;
    const sum = spawnSync("cksum", { input: url, encoding: "utf8" }).stdout.trim().split(" ");
    const place = join(base, `${sum[0]}-${sum[1]}`);
    mkdirSync(join(place, "users"), { recursive: true, mode: 0o700 });
    const sockets = ["docker.sock", "control"].map((name) => createServer().listen(join(place, name)));
    writeFileSync(join(place, "pid"), `${process.pid}\n`);
    writeFileSync(join(place, "client"), "");
    if (shell !== undefined) writeFileSync(join(place, "shell"), "");
    // The last word is the command.
    const run =
      'for word in "$@"; do :; done; printf "%s\\n" "$@" >&2; PATH="${0%/*}:/usr/bin:/bin" exec "$RUN" -c "$word"';
    writeFileSync(join(real, "ssh"), `#!/bin/sh\n${run}\n`, { mode: 0o755 });
    writeFileSync(join(real, "docker"), '#!/bin/sh\nprintf "[%s]" "$@"; cat\n', { mode: 0o755 });
    const env = {
      PATH: `${join(process.cwd(), "cli/host/bin")}:${real}:/usr/bin:/bin`,
      DOCKER_HOST: url,
      RUN: shell ?? "sh",
    };
    try {
      return spawnSync("docker", args, { env, encoding: "utf8", timeout: 10_000, input });
    } finally {
      for (const socket of sockets) socket.close();
      rmSync(place, { recursive: true });
    }
  };
  const WORDS = ["it's", 'a "b" $HOME `x` \\ \\\\ *', "two\nlines\n", "", "!!", "ü"];

  for (const shell of ["sh", "bash", "fish", "tcsh", "csh", "zsh"]) {
    it(`give the host's client each word as it is, by a login shell that is ${shell}`, function () {
      if (spawnSync(shell, ["-c", "true"]).status !== 0) return this.skip();
      const other = /fish|csh/.test(shell) ? { shell } : {};
      const { stdout } = asked(["exec", "box", ...WORDS], other);
      assert.equal(stdout, ["exec", "box", ...WORDS].map((word) => `[${word}]`).join(""));
    });
  }

  it("need nothing of the user's own configuration for a call, and give standard input to calls that read it", () => {
    assert.match(asked(["ps"]).stderr, /^-F\nnone\n-S\n/);
    for (const [args, reads] of [
      [["start", "--attach", "--interactive", "box"], true],
      [["start", "-ai", "box"], true],
      [["start", "--attach", "box"], false],
      [["run", "--rm", "-i", "image"], true],
      [["exec", "box", "grep", "-i", "x"], false],
      [["stop", "-t", "5", "box"], false],
    ] as const) {
      const { stdout } = asked(args, { input: "given" });
      assert.equal(stdout, `${args.map((word) => `[${word}]`).join("")}${reads ? "given" : ""}`);
    }
  });

  it("have the host's client asked by every call of a release, which is two round trips and not eight", () => {
    const words: Record<string, readonly string[]> = {
      create: ["--name", "box", "image"],
      network: ["connect", "net", "box"],
      logs: ["--tail", "5000", "box"],
      cp: ["-", "box:/"],
      image: ["inspect", "image"],
      container: ["inspect", "box"],
    };
    const folders = ["commands", "commands/functions"];
    const scripts = folders.flatMap((folder) =>
      readdirSync(folder).flatMap((name) => (name.endsWith(".sh") ? [readFileSync(join(folder, name), "utf8")] : [])),
    );
    const verbs = new Set(
      scripts
        .flatMap((text) =>
          text.split("\n").flatMap((line) => (/^\s*#/.test(line) ? [] : [...line.matchAll(/\bdocker ([a-z]+) /g)])),
        )
        .map(([, verb = ""]) => verb),
    );
    for (const text of ["passes", "its"]) verbs.delete(text);
    assert.ok(verbs.size > 12);
    for (const verb of verbs) {
      const { stderr } = asked([verb, ...(words[verb] ?? ["box"])]);
      assert.match(stderr, /^-F\nnone\n-S\n/, verb);
    }
    // One that is followed ends with this process alone if its client is here.
    for (const follow of ["-f", "--follow", "-tf"]) assert.equal(asked(["logs", follow, "box"]).stderr, "");
  });
});
