import { createHash } from "node:crypto";
import { escaped, html } from "./page/h.ts";
import { page, titleOf } from "./page/page.ts";
import type { Findings, State } from "./page/state.ts";
import type { Reader } from "./page/views/common.ts";

/** What the browser gets beside the document. */
export interface PageFiles {
  readonly script: string;
  readonly style: string;
}
export interface PageContent extends PageFiles {
  readonly findings: readonly Findings[];
}

const REST = "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** What the page may load and do: its own files, and of what is written into the document its styles alone. */
export const policyOf = ({ style }: PageFiles): string =>
  `default-src 'none'; script-src 'self'; style-src ${hashOf(style)}; connect-src 'self'; img-src data:; ` +
  `frame-ancestors 'none'; ${REST}`;

/** A small dock, so that browsers ask for no icon. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E" +
  "%3Cpath d='M1 4h3v6h8V4h3v9H1z' fill='%231f6feb'/%3E%3C/svg%3E";

function reader(connection: Reader["connection"], findings: readonly Findings[]): Reader {
  return {
    range: "hour",
    connection,
    findings: Object.fromEntries(findings.map((one) => [one.of, one])),
    now: Date.now(),
  };
}

function documentOf(state: State, reading: Reader, head: string, end: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${escaped(titleOf(state))}</title>
<link rel="icon" href="${ICON}">
${head}
</head>
<body>
<div id="page">${page(state, reading).map(html).join("")}</div>
${end}</body>
</html>
`;
}

/** The page as it is served. */
export function pageOf(state: State, { style, findings }: PageContent): string {
  // One request less before something is seen.
  const head = `<style>${style}</style>\n<script defer src="page.js"></script>`;
  // What was found before somebody came is part of the page; what he asks for he is told.
  const found = `<script type="application/json" id="findings">${asData(findings)}</script>\n`;
  return documentOf(state, reader("live", findings), head, found);
}

/** The page as one file that asks nobody for anything: how it was at that moment. */
export function exportOf(state: State, { script, style, findings }: PageContent): string {
  const policy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; img-src data:; ${REST}`;
  const head = `<meta http-equiv="content-security-policy" content="${policy}">\n<style>${style}</style>`;
  const data = `<script type="application/json" id="state">${asData(state)}</script>
<script type="application/json" id="findings">${asData(findings)}</script>
<script>${script}</script>
`;
  return documentOf(state, reader("file", findings), head, data);
}

/** JSON in a document: no sign in it begins a tag or ends the script. */
const asData = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");
