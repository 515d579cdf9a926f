// Draws what a command prints as an SVG, for the documents:
//   script -qec './drydock status' /dev/null | npx tsx docs/pictures/draw.ts './drydock status' >
// docs/pictures/status.svg
//   script -qec './drydock preview' /dev/null |
//     grep -aE 'index:Container|local:Command|Policies|policies|Resources|to create|Migrations' |
//     npx tsx docs/pictures/draw.ts './drydock preview (its containers and steps)' > docs/pictures/preview.svg
import { text } from "node:stream/consumers";
import { defined } from "../../lib/defined.ts";

/** Size of a cell of the terminal, and the margin around all of them, in pixels. */
const CELL = { width: 8.4, height: 19 };
const MARGIN = 18;
const FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
/** The foreground colours 30 to 37, and 90 to 97, on the background below. */
const COLOURS = ["#6e7681", "#ff7b72", "#7ee787", "#e3b341", "#79c0ff", "#d2a8ff", "#76e3ea", "#e6edf3"];
const BACKGROUND = "#0d1117";
const FOREGROUND = "#e6edf3";

interface Pen {
  readonly colour?: string;
  readonly bold?: true;
  readonly dim?: true;
}

interface Piece extends Pen {
  readonly column: number;
  readonly text: string;
}

/** A line of a terminal as pieces that look alike. Of the codes for a terminal, those for colour and weight count. */
export function pieces(line: string): readonly Piece[] {
  const found: Piece[] = [];
  let pen: Pen = {};
  let column = 0;
  for (const part of line.split(/(\x1b\[[0-9;?]*[A-Za-z])/)) {
    const codes = /^\x1b\[([0-9;]*)m$/.exec(part)?.[1];
    if (codes !== undefined) for (const code of basic(codes).split(";")) pen = after(pen, Number(code));
    else if (!part.startsWith("\x1b") && part !== "") {
      found.push({ ...pen, column, text: part });
      column += [...part].length;
    }
  }
  return found;
}

/** A colour of the 256 that is one of the first sixteen, as the code that it has among these. */
const basic = (codes: string): string =>
  codes.replace(/^38;5;(\d+)$/, (_, number: string) =>
    String(Number(number) < 8 ? 30 + Number(number) : 82 + Number(number)),
  );

function after(pen: Pen, code: number): Pen {
  if (code === 0) return {};
  if (code === 1) return { ...pen, bold: true };
  if (code === 2) return { ...pen, dim: true };
  if (code === 22) return defined({ colour: pen.colour });
  if (code === 39) return defined({ bold: pen.bold, dim: pen.dim });
  const colour = (code >= 30 && code <= 37) || (code >= 90 && code <= 97) ? COLOURS[code % 10] : undefined;
  return colour === undefined ? pen : { ...pen, colour };
}

const escaped = (value: string): string =>
  value.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]!);

/** @param title what the picture shows, for those who don't see it */
export function draw(title: string, output: string): string {
  // What a terminal has taken back (a spinner) was never on the picture.
  const lines = output
    .replace(/\r|[^\n]*\x08/g, "")
    .replace(/\n+$/, "")
    .split("\n")
    .map(pieces);
  const columns = Math.max(
    ...lines.map((line) => line.reduce((end, { column, text }) => Math.max(end, column + text.length), 0)),
  );
  const [width, height] = [Math.ceil(columns * CELL.width + 2 * MARGIN), lines.length * CELL.height + 2 * MARGIN];
  const drawn = lines.flatMap((line, row) =>
    line.map(({ column, text, colour = FOREGROUND, bold, dim }) => {
      const x = (MARGIN + column * CELL.width).toFixed(1);
      const weight = `${bold ? ' font-weight="bold"' : ""}${dim ? ' opacity="0.6"' : ""}`;
      const length = `textLength="${([...text].length * CELL.width).toFixed(1)}"`;
      const y = MARGIN + row * CELL.height + 14;
      return `<text x="${x}" y="${y}" fill="${colour}"${weight} ${length}>${escaped(text)}</text>`;
    }),
  );
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>
<g font-family="${FONT}" font-size="14" xml:space="preserve">
${drawn.join("\n")}
</g>
</svg>
`;
}

if (import.meta.main ?? process.argv[1] === import.meta.filename)
  process.stdout.write(draw(process.argv[2] ?? "", await text(process.stdin)));
