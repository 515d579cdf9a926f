import assert from "node:assert/strict";
import { admit, makeKeys } from "../../../../cli/dashboard/admission.ts";

const keys = { token: "right", folder: "/abc/" };
const HOST = { host: "127.0.0.1:4000" };
const COOKIE = { cookie: "other=1; drydock-dashboard=right" };
const ask = (url: string, headers: Record<string, string> = {}, method = "GET") =>
  admit({ method, url, headers: { ...HOST, ...headers } }, keys);
const statusOf = (verdict: ReturnType<typeof admit>) => ("status" in verdict ? verdict.status : "in");

describe("who may look at the dashboard", () => {
  it("has a token and a folder of its own at each start, which can't be guessed", () => {
    const [a, b] = [makeKeys(), makeKeys()];
    assert.match(a.token, /^[\w-]{32}$/);
    assert.match(a.folder, /^\/[\w-]{12}\/$/);
    assert.notEqual(a.token, b.token);
    assert.notEqual(a.folder, b.folder);
  });

  it("enters by the token, which a strict cookie of that folder keeps, and not by another one", () => {
    assert.deepEqual(ask("/abc/?token=right"), {
      enter: "/abc/",
      cookie: "drydock-dashboard=right; Path=/abc/; HttpOnly; SameSite=Strict",
      strange: false,
    });
    for (const url of ["/abc/?token=wrong", "/abc/?token=", "/abc/?token=righ", "/abc/?token=right2"])
      assert.equal(statusOf(ask(url)), 403, url);
    // With the right cookie, too: who gives a token is judged by it.
    assert.equal(statusOf(ask("/abc/?token=wrong", COOKIE)), 403);
    assert.equal(statusOf(ask("/other/?token=right")), 403);
  });

  it("is told apart where he comes from another site: the cookie is held back on such a way", () => {
    for (const [site, strange] of [
      ["none", false],
      ["same-origin", false],
      ["cross-site", true],
      ["same-site", true],
    ] as const) {
      const verdict = ask("/abc/?token=right", { "sec-fetch-site": site });
      assert.equal("strange" in verdict && verdict.strange, strange, site);
    }
  });

  it("is whoever has the cookie, for what is below the folder", () => {
    assert.equal(statusOf(ask("/abc/")), 403);
    assert.equal(statusOf(ask("/abc/", { cookie: "drydock-dashboard=wrong" })), 403);
    assert.equal(statusOf(ask("/abc/", { cookie: "xdrydock-dashboard=right" })), 403);
    const verdict = ask("/abc/events?last=day", COOKIE);
    assert.deepEqual("admitted" in verdict && [verdict.path, verdict.query.get("last")], ["events", "day"]);
    for (const url of ["/", "/abc", "/abcd/", "/abc/../../etc/passwd"])
      assert.equal(statusOf(ask(url, COOKIE)), 404, url);
    for (const url of ["//evil.test/abc/", "http://evil.test/abc/", "*", "", "/\\[", "/\\evil.test/abc/"])
      assert.equal(statusOf(ask(url, COOKIE)), 400, url);
  });

  it("is nobody by another name than this machine's, whatever leads here", () => {
    for (const host of [
      "evil.test",
      "evil.test:4000",
      "127.0.0.1.evil.test:4000",
      "localhost.evil.test",
      "10.0.0.1:4000",
      "",
      "127.0.0.1:4000@evil.test",
    ])
      assert.equal(statusOf(ask("/abc/?token=right", { host })), 403, host);
    assert.equal(statusOf(admit({ method: "GET", url: "/abc/?token=right", headers: {} }, keys)), 403);
    // A tunnel (ssh -L) may have another port.
    for (const host of ["localhost", "localhost:9000", "[::1]:4000", "127.0.0.1"])
      assert.equal(statusOf(ask("/abc/", { host, ...COOKIE })), "in", host);
  });

  it("changes nothing: every method but GET is refused, with the cookie too", () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", ""])
      assert.equal(statusOf(ask("/abc/", COOKIE, method)), 405, method);
  });

  it("is no other page of this machine, which sends the cookie along whatever its port", () => {
    for (const site of ["same-site", "cross-site"])
      assert.equal(statusOf(ask("/abc/findings/doctor", { ...COOKIE, "sec-fetch-site": site })), 403, site);
    for (const site of ["same-origin", "none"])
      assert.equal(statusOf(ask("/abc/findings/doctor", { ...COOKIE, "sec-fetch-site": site })), "in", site);
  });
});
