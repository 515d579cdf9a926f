import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Notice } from "../../../lib/alarms.ts";
import { byDiscord, bySlack, byTelegram } from "../../../lib/chats.ts";

describe("alarms in a chat", () => {
  const notice: Notice = {
    kind: "alarm",
    stack: "shop",
    name: "old",
    message: "<!channel> & more",
    at: "2026-11-29T10:00:00.000Z",
  };
  const got: { readonly url: string; readonly body: unknown }[] = [];
  let server: Server;
  let base: string;
  before(async () => {
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += chunk));
      request.on("end", () => {
        got.push({ url: request.url!, body: JSON.parse(body) });
        response.end();
      });
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());
  beforeEach(() => got.splice(0));

  it("reach Slack without mentioning anybody", async () => {
    await bySlack(() => `${base}/slack`).send(notice);
    assert.deepEqual(got, [
      { url: "/slack", body: { text: "[drydock shop] ALARM: old\n&lt;!channel&gt; &amp; more" } },
    ]);
  });

  it("reach Discord without mentioning anybody, at a length that it takes", async () => {
    await byDiscord(() => `${base}/discord`).send({ ...notice, kind: "over", message: "x".repeat(3000) });
    const { content, ...rest } = got[0]!.body as { content: string };
    assert.equal(content.length, 2000);
    assert.match(content, /^\[drydock shop\] over: old\nx/);
    assert.deepEqual(rest, { allowed_mentions: { parse: [] } });
  });

  it("reach Telegram's chat by its bot", async () => {
    await byTelegram("-100", () => "1:abc", base).send(notice);
    assert.deepEqual(got, [
      { url: "/bot1:abc/sendMessage", body: { chat_id: "-100", text: "[drydock shop] ALARM: old\n<!channel> & more" } },
    ]);
  });

  it("are sent nowhere without an address", async () => {
    await Promise.all([bySlack, byDiscord].map((way) => way(() => undefined).send(notice)));
    await byTelegram("-100", () => undefined, base).send(notice);
    assert.deepEqual(got, []);
  });
});
