// A server of websockets, as Reverb is one to the proxy: it says who it is to whoever connects, and echoes what it is
// told. Arguments: its port, its name.
import { createHash } from "node:crypto";
import { createServer } from "node:http";

const [, , port, name] = process.argv;

/** One short text as a frame. */
const frame = (text: string) => Buffer.concat([Buffer.from([0x81, Buffer.byteLength(text)]), Buffer.from(text)]);

const server = createServer((_, answer) => answer.end(name));
server.on("upgrade", (request, socket) => {
  const accept = createHash("sha1")
    .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.write(frame(`${name} ${request.headers["x-forwarded-for"]} ${request.headers["x-forwarded-proto"]}`));
  socket.on("error", () => socket.destroy());
  socket.on("data", (data: Buffer) => {
    // A client's frame of fewer than 126 bytes: two bytes, four of a mask, the text.
    if ((data[0]! & 0x0f) === 8) return socket.end(Buffer.from([0x88, 0]));
    const mask = data.subarray(2, 6);
    const text = data.subarray(6, 6 + (data[1]! & 0x7f)).map((byte, index) => byte ^ mask[index % 4]!);
    socket.write(frame(`${name}: ${Buffer.from(text)}`));
  });
});
server.listen(Number(port), "0.0.0.0");
// Those that are open end with it, as Reverb's do.
process.on("SIGTERM", () => process.exit(0));
