import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { ask } from "../../../collector/fastcgi.ts";

/** Records as PHP-FPM sends them. */
function record(type: number, content: string, padding = 0): Buffer {
  const head = Buffer.from([1, type, 0, 1, 0, 0, padding, 0]);
  head.writeUInt16BE(Buffer.byteLength(content), 4);
  return Buffer.concat([head, Buffer.from(content), Buffer.alloc(padding)]);
}

describe("asking PHP-FPM", () => {
  let server: Server;
  let answer: (socket: Socket, asked: Buffer) => void;
  let address: string;
  before((done) => {
    server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", (asked) => answer(socket, asked));
    }).listen(0, "127.0.0.1", () => {
      const at = server.address();
      address = `127.0.0.1:${typeof at === "object" && at !== null ? at.port : 0}`;
      done();
    });
  });
  after(() => server.close());
  const asked = (more: object = {}) =>
    ask({ address, script: "/drydock/metrics.php", path: "/process", host: "shop.example.com", timeout: 300, ...more });

  it("takes the script's own answer, whatever else was printed, in however many parts it comes", async () => {
    answer = (socket) => {
      const all = Buffer.concat([
        record(7, "a notice"),
        record(6, 'Content-type: text/html\r\n\r\nDeprecated: x\n\x1e{"fpm":', 3),
        record(6, "null}\n"),
        record(3, "\0\0\0\0\0\0\0\0"),
      ]);
      for (const byte of all) socket.write(Buffer.from([byte]));
    };
    assert.deepEqual(await asked(), { fpm: null });
  });

  it("says which script, and sends what it is given", async () => {
    let got = "";
    answer = (socket, bytes) => {
      got = bytes.toString("latin1");
      socket.write(Buffer.concat([record(6, "\r\n\r\n\x1e1\n"), record(3, "\0\0\0\0\0\0\0\0")]));
    };
    assert.equal(await asked({ body: { queues: ["mail"] } }), 1);
    assert.match(got, /SCRIPT_FILENAME\/drydock\/metrics\.php/);
    assert.match(got, /REQUEST_METHODPOST/);
    assert.match(got, /CONTENT_LENGTH19/);
    assert.match(got, /\{"queues":\["mail"\]\}/);
  });

  it("fails where there is no answer in time, none of ours, or half of one", async () => {
    answer = () => undefined;
    await assert.rejects(asked(), /says nothing within 300 ms/);
    answer = (socket) =>
      socket.write(Buffer.concat([record(6, "\r\n\r\nFile not found."), record(3, "\0\0\0\0\0\0\0\0")]));
    await assert.rejects(asked(), /gives no answer for \/process/);
    answer = (socket) => socket.end(record(6, "\r\n\r\n\x1e1\n"));
    await assert.rejects(asked(), /no complete answer/);
    await assert.rejects(asked({ address: "127.0.0.1:1" }), /ECONNREFUSED/);
  });
});
