// What lego's httpreq takes for a zone's provider: it has Pebble's name server say what it is told. Argument: the
// address of that one's management.
import { createServer } from "node:http";
import { json } from "node:stream/consumers";

const [, , management] = process.argv;

createServer(async (request, answer) => {
  const { fqdn, value } = (await json(request)) as { fqdn: string; value: string };
  const present = request.url === "/present";
  const { ok } = await fetch(`${management}/${present ? "set" : "clear"}-txt`, {
    method: "POST",
    body: JSON.stringify({ host: fqdn, ...(present ? { value } : {}) }),
  });
  process.stdout.write(`${request.url} ${fqdn}\n`);
  answer.writeHead(ok ? 200 : 500).end();
}).listen(9000, "0.0.0.0");
process.on("SIGTERM", () => process.exit(0));
