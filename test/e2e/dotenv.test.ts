import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, it } from "mocha";
import { dotenv } from "../../config/dotenv.ts";

// Reads `.env` files from standard input, with a NUL between them, and prints what each holds.
const reader = `
  require "/usr/share/php/Dotenv/autoload.php";
  foreach (explode("\\0", stream_get_contents(STDIN)) as $file) {
    echo json_encode(Dotenv\\Dotenv::parse($file), JSON_THROW_ON_ERROR | JSON_FORCE_OBJECT), "\\n";
  }
`;

/** What vlucas/phpdotenv, as Laravel uses it, finds in these files. */
function readBack(files: readonly string[]): Record<string, string>[] {
  const image = execFileSync("docker", ["images", "--format", "{{.Repository}}:{{.Tag}}", "drydock/php"], { encoding: "utf8" }).split("\n")[0];
  assert.ok(image, "no image drydock/php: `./drydock up` builds it");
  const argv = ["run", "--rm", "-i", "--network", "none", "--label", "drydock.test=dotenv", "--entrypoint", "php", image, "-r", reader];
  const output = execFileSync("docker", argv, { encoding: "utf8", input: files.join("\0"), maxBuffer: 1 << 26 });
  return output.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, string>);
}

describe("the .env file", function () {
  this.timeout(120_000);

  it("is read back by PHP exactly as it was written, whatever is in it", () => {
    // Characters that mean something to the reader come up far more often than by chance.
    const unit = fc.oneof(fc.constantFrom(..."\"'\\$#={}()`! \n\r\t\f\vn0", "${A}", "\\n", '="', "$A", "é", "🐢", "\u2028", "\u0085", "\u00a0"), fc.string({ unit: "grapheme", maxLength: 3 }));
    const value = fc.array(unit, { maxLength: 25 }).map((parts) => parts.join("").replaceAll("\0", ""));
    const blocks = fc.sample(fc.array(value, { minLength: 1, maxLength: 4 }), { numRuns: 1000, seed: 20 });
    const variables = blocks.map((values) => Object.fromEntries(values.map((value, index) => [`V${index}`, value])));
    const found = readBack(variables.map((secret) => dotenv({ plain: { A: "1" }, secret, hash: "" })));
    assert.deepEqual(found, variables.map((secret) => ({ A: "1", ...secret })));
  });
});
