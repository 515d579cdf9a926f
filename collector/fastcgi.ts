import { connect } from "node:net";

/** Types of records that are sent and that come. */
const [BEGIN, END, PARAMETERS, BODY, OUT] = [1, 3, 4, 5, 6];
const LONGEST = 65_528;
/** What a script of ours puts before its answer (runtime/answer.php). */
const ANSWER = /^\x1e(.*)$/gm;

interface Question {
  /** HOST:PORT of PHP-FPM. */
  readonly address: string;
  /** The script's path in that container. */
  readonly script: string;
  /** What it is asked for. */
  readonly path: string;
  /** The name of the site. */
  readonly host: string;
  /** Sent as JSON. @default nothing */
  readonly body?: unknown;
  /** ms. */
  readonly timeout: number;
}

/** Has PHP-FPM run a script of ours, and answers what that says. @throws Error where there is no such answer in time */
export async function ask(question: Question): Promise<unknown> {
  const said = await exchange(question);
  const last = [...said.matchAll(ANSWER)].at(-1)?.[1];
  if (last === undefined) throw new Error(`${question.address} gives no answer for ${question.path}`);
  return JSON.parse(last) as unknown;
}

function exchange({ address, timeout, ...question }: Question): Promise<string> {
  const at = address.lastIndexOf(":");
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) });
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error(`${address} says nothing within ${timeout} ms`)), timeout);
    let [pending, out] = [Buffer.alloc(0), Buffer.alloc(0)];
    socket.once("connect", () => socket.write(requestOf(question)));
    socket.on("error", fail);
    socket.on("close", () => fail(new Error(`${address} gave no complete answer`)));
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 8) {
        const [type, length, padding] = [pending[1], pending.readUInt16BE(4), pending[6]!];
        const end = 8 + length + padding;
        if (pending.length < end) break;
        if (type === OUT) out = Buffer.concat([out, pending.subarray(8, 8 + length)]);
        pending = pending.subarray(end);
        if (type === END) {
          clearTimeout(timer);
          resolve(out.toString("utf8"));
          socket.destroy();
          return;
        }
      }
    });
  });
}

/** A request as nginx would send it. */
function requestOf({ script, path, host, body }: Omit<Question, "address" | "timeout">): Buffer {
  const content = Buffer.from(body === undefined ? "" : JSON.stringify(body));
  const parameters = {
    GATEWAY_INTERFACE: "FastCGI/1.0",
    REQUEST_METHOD: content.length === 0 ? "GET" : "POST",
    REQUEST_URI: path,
    QUERY_STRING: "",
    SCRIPT_NAME: "/index.php",
    SCRIPT_FILENAME: script,
    DOCUMENT_ROOT: "/drydock",
    SERVER_PROTOCOL: "HTTP/1.1",
    SERVER_NAME: host,
    SERVER_PORT: "80",
    HTTP_HOST: host,
    REMOTE_ADDR: "127.0.0.1",
    SERVER_SOFTWARE: "drydock",
    CONTENT_LENGTH: String(content.length),
    ...(content.length === 0 ? {} : { CONTENT_TYPE: "application/json" }),
  };
  const pairs = Object.entries(parameters).map(([name, value]) =>
    Buffer.concat([lengthOf(name), lengthOf(value), Buffer.from(name + value)]),
  );
  const parts = [];
  for (let at = 0; at < content.length; at += LONGEST) parts.push(record(BODY!, content.subarray(at, at + LONGEST)));
  return Buffer.concat([
    // A responder, which closes the connection when it is done.
    record(BEGIN!, Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])),
    record(PARAMETERS!, Buffer.concat(pairs)),
    record(PARAMETERS!, Buffer.alloc(0)),
    ...parts,
    record(BODY!, Buffer.alloc(0)),
  ]);
}

function lengthOf(text: string): Buffer {
  const length = Buffer.byteLength(text);
  if (length < 128) return Buffer.from([length]);
  const four = Buffer.alloc(4);
  four.writeUInt32BE((length | 0x80000000) >>> 0);
  return four;
}

function record(type: number, content: Buffer): Buffer {
  const head = Buffer.from([1, type, 0, 1, 0, 0, 0, 0]);
  head.writeUInt16BE(content.length, 4);
  return Buffer.concat([head, content]);
}
