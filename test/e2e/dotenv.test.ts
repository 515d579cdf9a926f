import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, it } from "mocha";
import { dotenv } from "../../config/dotenv.ts";
import { readDotenv } from "../../config/dotenvFile.ts";

// Reads `.env` files from standard input, with a NUL between them, and prints what each holds.
const reader = `
  require "/usr/share/php/Dotenv/autoload.php";
  foreach (explode("\\0", stream_get_contents(STDIN)) as $file) {
    echo json_encode(Dotenv\\Dotenv::parse($file), JSON_THROW_ON_ERROR | JSON_FORCE_OBJECT), "\\n";
  }
`;

// The same, with what its parser says of each line: names, values, and where a reference begins (in characters).
const parser = `
  require "/usr/share/php/Dotenv/autoload.php";
  foreach (explode("\\0", stream_get_contents(STDIN)) as $file) {
    try {
      $entries = array_map(static function ($entry) {
        $value = $entry->getValue()->getOrElse(null);
        $vars = $value === null ? [] : $value->getVars();
        sort($vars);
        return [$entry->getName(), $value === null ? null : $value->getChars(), $vars];
      }, (new Dotenv\\Parser\\Parser())->parse($file));
    } catch (Dotenv\\Exception\\InvalidFileException) {
      $entries = "unreadable";
    }
    echo json_encode($entries, JSON_THROW_ON_ERROR), "\\n";
  }
`;

/** What vlucas/phpdotenv, as Laravel uses it, finds in these files. */
function readBack<T = Record<string, string>>(files: readonly string[], code = reader): T[] {
  const image = execFileSync("docker", ["images", "--format", "{{.Repository}}:{{.Tag}}", "drydock/php"], {
    encoding: "utf8",
  }).split("\n")[0];
  assert.ok(image, "no image drydock/php: `./drydock up` builds it");
  const argv = [
    "run",
    "--rm",
    "-i",
    "--network",
    "none",
    "--label",
    "drydock.test=dotenv",
    "--entrypoint",
    "php",
    image,
    "-r",
    code,
  ];
  const output = execFileSync("docker", argv, { encoding: "utf8", input: files.join("\0"), maxBuffer: 1 << 26 });
  return output
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}

describe("the .env file", function () {
  this.timeout(120_000);

  it("is read back by PHP exactly as it was written, whatever is in it", () => {
    // Characters that mean something to the reader come up far more often than by chance.
    const unit = fc.oneof(
      fc.constantFrom(
        ..."\"'\\$#={}()`! \n\r\t\f\vn0",
        "${A}",
        "\\n",
        '="',
        "$A",
        "é",
        "🐢",
        "\u2028",
        "\u0085",
        "\u00a0",
      ),
      fc.string({ unit: "grapheme", maxLength: 3 }),
    );
    const value = fc.array(unit, { maxLength: 25 }).map((parts) => parts.join("").replaceAll("\0", ""));
    const blocks = fc.sample(fc.array(value, { minLength: 1, maxLength: 4 }), { numRuns: 1000, seed: 20 });
    const variables = blocks.map((values) => Object.fromEntries(values.map((value, index) => [`V${index}`, value])));
    const found = readBack(variables.map((secret) => dotenv({ plain: { A: "1" }, secret, hash: "" })));
    assert.deepEqual(
      found,
      variables.map((secret) => ({ A: "1", ...secret })),
    );
  });

  it("that an application brings along is read as PHP reads it", () => {
    const line = fc.oneof(
      fc.constantFrom(
        "A=1",
        "export B=2",
        "'C'=3",
        'D="a b" # c',
        "E='x $y ${A} \\n'",
        'F="${A}/x \\${A} \\$A $A"',
        "G=a#b",
        "H= x y",
        "I",
        "=x",
        "J=",
        'K="a',
        'b"',
        "# L=1",
        'M="a\\nb\\t\\\\"',
        'N="\\q"',
        'O="multi',
        'line # ${A}"',
        'P="x" y',
        "Q=$A$B",
        "R='it''s'",
        "S=a\\b",
        "export\tT=1",
        "É=1",
        "U.V=1",
        "W-X=1",
        "\tY =\tz ",
        "Z=\u{1f422}${A}",
        'AA="\u{1f422}$A"',
        "AB=(a b)",
        "AC=null",
        "AD=a'b\"c",
        " ",
        "AE='multi",
        "AF=`x`",
      ),
      fc.array(fc.constantFrom(..."ab=\"'\\$#{}  \t\n()`Aé🐢nrt"), { maxLength: 20 }).map((parts) => parts.join("")),
      fc.array(fc.constantFrom(..."ab\"'\\$#{} \nA🐢n"), { maxLength: 16 }).map((parts) => `X=${parts.join("")}`),
    );
    const file = fc.tuple(fc.array(line, { minLength: 1, maxLength: 5 }), fc.constantFrom("\n", "\r\n", "\r"));
    const files = fc.sample(file, { numRuns: 4000, seed: 21 }).map(([lines, end]) => lines.join(end));
    const found = readBack<unknown>(files, parser);
    const ours = files.map((text) => {
      const entries = readDotenv(text);
      return entries.some((entry) => "why" in entry)
        ? "unreadable"
        : entries.map((entry) => ("why" in entry ? [] : [entry.name, entry.value ?? null, [...entry.references]]));
    });
    const differ = files.flatMap((text, index) => {
      const [theirs, mine] = [found[index], ours[index]].map((one) => JSON.stringify(one));
      return theirs === mine ? [] : [{ text, theirs, mine }];
    });
    assert.deepEqual(differ.slice(0, 5), []);
    const readable = found.filter((one) => one !== "unreadable").length;
    assert.ok(readable > 500 && readable < 3500, `${readable} of ${files.length} are readable`);
  });
});
