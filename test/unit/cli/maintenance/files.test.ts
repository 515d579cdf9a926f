import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createTar } from "nanotar";
import { filesOf, generatedPage, PAGE } from "../../../../cli/maintenance/files.ts";
import { readShown, switchOn } from "../../../../cli/maintenance/proxy.ts";
import { reportOf } from "../../../../cli/maintenance/run.ts";
import type { Maintenance } from "../../../../cli/maintenance/state.ts";
import type { Docker } from "../../../../cli/shared/docker.ts";

const pass = { path: "a".repeat(32), cookie: "b".repeat(32) };
const state: Maintenance = {
  version: 1,
  since: "2026-01-31T10:00:00.000Z",
  by: "ann@ship",
  allow: ["10.0.0.0/8", "::1"],
  retryAfter: 60,
  message: "Soon.",
  page: null,
  pass,
};
const files = filesOf(state, "g-1");

describe("the files of maintenance mode", () => {
  it("let in the ranges, who has the cookie, the secret address, the probes of a release and the page itself", () => {
    assert.equal(
      files["http.conf"],
      `geo $drydock_allowed {
  default 0;
  10.0.0.0/8 1;
  ::1 1;
  include /tmp/host/geo.conf;
}
map $cookie_drydock_maintenance $drydock_guest {
  default 0;
  "~^${pass.cookie}$" 1;
}
map $drydock_scheme $drydock_secure { default ""; https "; Secure"; }
map "$server_port:$drydock_allowed$drydock_guest:$uri" $drydock_closed {
  volatile;
  default 1;
  "~^8091:" 0;
  "~^[0-9]+:[01]*1" 0;
  "~^[0-9]+:[01]+:/drydock-maintenance\\.html$" 0;
  "~^[0-9]+:[01]+:/${pass.path}$" 0;
}
`,
    );
  });

  it("know no secret where there is none", () => {
    const without = filesOf({ ...state, pass: null }, "g-1");
    assert.equal(without["server.conf"], `if ($drydock_closed) { return 503; }\nerror_page 503 /${PAGE};\n`);
    assert.ok(!without["http.conf"]!.includes(pass.cookie));
  });

  it("keep the secret address out of the access log", () =>
    assert.match(files["server.conf"]!, new RegExp(`location = /${pass.path} \\{\n  access_log off;`)));

  it("name a range once, even if it was given twice: nginx would complain", () => {
    const twice = filesOf({ ...state, allow: ["10.0.0.0/8", "10.0.0.0/8"] }, "g-1");
    assert.equal(twice["http.conf"]!.split("10.0.0.0/8").length, 2);
  });

  it("show the message as text, never as HTML", () => {
    assert.match(
      generatedPage({ message: `<script>"a" & 'b'</script>` }),
      /<p>&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;\/script&gt;<\/p>/,
    );
  });

  it("are one's own page, each byte", () => assert.equal(filesOf({ ...state, page: "<p>é" }, "g-1")[PAGE], "<p>é"));
});

describe("what the proxy says of it", () => {
  const shown = (
    content: Readonly<Record<string, string>>,
    head = "generation=g-1\nserving=yes\nnginx=accepts\nwritable=yes",
  ) => {
    const tar = createTar(Object.entries(content).map(([name, data]) => ({ name: `./${name}`, data })));
    return readShown(
      `${head}\nfiles\n${Buffer.from(tar)
        .toString("base64")
        .replace(/(.{76})/g, "$1\n")}\n`,
    );
  };

  it("is fine when it is as the state makes it", () =>
    assert.deepEqual(shown(files), { generation: "g-1", state, problems: [], aside: [] }));
  it("is off without a generation", () =>
    assert.deepEqual(readShown("generation=\nserving=no\nnginx=accepts\nwritable=yes\n"), { problems: [], aside: [] }));
  it("names the files that were changed, added or taken away by hand", () => {
    const { "page.conf": _, ...rest } = files;
    assert.deepEqual(shown({ ...rest, "server.conf": "return 500", "server2.conf": "" }).problems, [
      "changed by hand: page.conf, server.conf, server2.conf",
    ]);
  });
  it("says when its state can't be read, and shows nothing of it", () => {
    const { state: none, problems } = shown({ ...files, "state.json": "{" });
    assert.equal(none, undefined);
    assert.deepEqual(problems, ["its saved state is not JSON"]);
  });
  it("says what nginx would refuse, what it doesn't have in force, and what was set aside", () => {
    assert.deepEqual(
      shown(files, "generation=g-1\nserving=no\nnginx=[emerg] unknown directive\nwritable=no\naside=damaged-1"),
      {
        generation: "g-1",
        state,
        aside: ["damaged-1"],
        problems: [
          "nginx would refuse its configuration at the next reload: [emerg] unknown directive",
          "the proxy's user can't write to its volume",
          "it is switched on, but nginx doesn't have it in force",
        ],
      },
    );
  });
  it("never shows the secret in a report", () => {
    const text = JSON.stringify(reportOf("local", shown(files)));
    assert.ok(!text.includes(pass.path) && !text.includes(pass.cookie));
    assert.match(text, /"secret":true/);
  });
});

describe("switching it on", () => {
  it("hands the secret over on standard input only", async () => {
    const calls: { args: readonly string[]; input: string }[] = [];
    const docker: Docker = {
      env: {},
      run: (args, { input } = {}) => {
        calls.push({ args, input: Buffer.from(input ?? "").toString() });
        return Promise.resolve({ code: 0, stdout: "drained=yes\n", stderr: "" });
      },
    };
    assert.deepEqual(await switchOn({ docker, container: "proxy-1", stack: "local" }, state, "g-1", 75), {
      drained: true,
    });
    const [{ args, input } = { args: [], input: "" }] = calls;
    assert.deepEqual(
      [args.slice(0, 5), args.slice(6)],
      [
        ["exec", "--interactive", "proxy-1", "/bin/sh", "-c"],
        ["maintenance", "on", "g-1", "75"],
      ],
    );
    assert.ok(!args.join(" ").includes(pass.path) && input.includes(pass.path));
  });
  it("says what to do when the proxy doesn't run", async () => {
    const docker: Docker = {
      env: {},
      run: () =>
        Promise.resolve({ code: 1, stdout: "", stderr: "Error response from daemon: Container abc is not running" }),
    };
    await assert.rejects(switchOn({ docker, container: "proxy-1", stack: "prod" }, state, "g-1", 1), {
      what: "the proxy proxy-1 of stack prod does not run",
      remedy: "./drydock up -s prod",
    });
  });
});
