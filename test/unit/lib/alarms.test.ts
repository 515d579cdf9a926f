import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server } from "node:net";
import { createInterface } from "node:readline";
import { ADVICE } from "../../../agent/schedule/alarms.ts";
import { byMail, type MailServer, mailOf } from "../../../lib/alarms.ts";
import { day } from "../../support/agent/entries.ts";

describe("a mail about an alarm", () => {
  it("says what to do", () => {
    const message = "the newest verified backup is 30 hours old";
    const { subject, text } = mailOf({ kind: "alarm", stack: "prod", name: "old", message, at: day(1) }, ADVICE);
    assert.equal(subject, "[drydock prod] ALARM: old");
    assert.match(text, /^the newest verified backup is 30 hours old\n[\s\S]*\.\/drydock backup status/);
  });
});

/** A mail server without TLS: either it has none, or somebody on the way has taken the offer out of its answer. */
describe("a mail on its way", () => {
  let server: Server;
  let heard: string[];
  before((done) => {
    server = createServer((socket) => {
      socket.on("error", () => undefined).write("220 mail\r\n");
      let data = false;
      createInterface({ input: socket })
        .on("error", () => undefined)
        .on("line", (line) => {
          heard.push(line);
          if (data && line !== ".") return;
          data = /^DATA/i.test(line);
          socket.write(data ? "354 go on\r\n" : "250 mail\r\n");
        });
    }).listen(0, "127.0.0.1", done);
  });
  after(() => server.close());
  beforeEach(() => {
    heard = [];
  });

  const send = (security: MailServer["security"]): Promise<void> =>
    byMail(
      {
        to: "ops@example.com",
        from: "drydock@example.com",
        host: "127.0.0.1",
        port: (server.address() as AddressInfo).port,
        security,
      },
      () => undefined,
      ADVICE,
    ).send({
      kind: "alarm",
      stack: "shop",
      name: "old",
      message: "the newest verified backup is 30 hours old",
      at: "2026-11-01T02:00:00Z",
    });

  it("is not sent in plain text where it is to be encrypted", async () => {
    await assert.rejects(send("starttls"));
    await assert.rejects(send("tls"));
    assert.doesNotMatch(heard.join("\n"), /MAIL FROM|30 hours/i);
  });

  it("is sent in plain text where that is wanted", async () => {
    await send("none");
    assert.match(heard.join("\n"), /^Subject: \[drydock shop\] ALARM: old$/m);
    assert.match(heard.join("\n"), /30 hours old/);
  });
});
