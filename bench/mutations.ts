import ts from "typescript";

/** One change of a file. */
export interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly what: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const OPPOSITE: Readonly<Record<string, string>> = {
  "===": "!==",
  "!==": "===",
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "&&": "||",
  "||": "&&",
  "+": "-",
  "-": "+",
  "??": "&&",
};
const METHODS: Readonly<Record<string, string>> = {
  some: "every",
  every: "some",
  startsWith: "endsWith",
  endsWith: "startsWith",
  max: "min",
  min: "max",
  find: "findLast",
  findLast: "find",
  toLowerCase: "toUpperCase",
  trim: "toString",
};

/** Every change that is made to a TypeScript file, one at a time. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const found: Mutant[] = [];
  const add = (node: { getStart(): number; end: number }, text: string) => {
    const start = node.getStart();
    const { line } = tree.getLineAndCharacterOfPosition(start);
    const before = source.slice(start, node.end);
    if (before !== text)
      found.push({ file, line: line + 1, what: `${short(before)} → ${short(text)}`, start, end: node.end, text });
  };
  const visit = (node: ts.Node): void => {
    if (
      ts.isImportDeclaration(node) ||
      ts.isTypeNode(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isTypeAliasDeclaration(node)
    )
      return;
    // What a rule is called and where it comes from is for its document.
    if (ts.isPropertyAssignment(node) && ["id", "name", "source"].includes(node.name.getText())) return;
    if (ts.isBinaryExpression(node)) {
      const other = OPPOSITE[node.operatorToken.getText()];
      const texts = [node.left, node.right].some((one) => ts.isStringLiteral(one) || ts.isTemplateLiteral(one));
      if (other !== undefined && !texts) add(node.operatorToken, other);
      else if (other?.includes("=")) add(node.operatorToken, other);
    }
    if (ts.isIfStatement(node)) for (const value of ["true", "false"]) add(node.expression, value);
    if (ts.isConditionalExpression(node)) for (const value of ["true", "false"]) add(node.condition, value);
    if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
      add(node, node.operand.getText());
    if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression)) add(node, ";");
    if (node.kind === ts.SyntaxKind.TrueKeyword) add(node, "false");
    if (node.kind === ts.SyntaxKind.FalseKeyword) add(node, "true");
    if (ts.isNumericLiteral(node)) add(node, `${Number(node.text.replaceAll("_", "")) + 1}`);
    if (ts.isStringLiteral(node) && node.text !== "" && !ts.isPropertyAssignment(node.parent)) add(node, '""');
    if (ts.isArrayLiteralExpression(node) && node.elements.length > 0) add(node, "[]");
    if (ts.isPropertyAccessExpression(node)) {
      const other = Object.hasOwn(METHODS, node.name.text) ? METHODS[node.name.text] : undefined;
      if (other !== undefined && ts.isCallExpression(node.parent)) add(node.name, other);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/** A shell script's: a line that is left out, a condition turned round, an exit code. */
export function shellMutantsOf(file: string, source: string): Mutant[] {
  let start = 0;
  return source.split("\n").flatMap((text, index): Mutant[] => {
    const from = start;
    start += text.length + 1;
    if (/^\s*(#|$)/.test(text)) return [];
    const swap = (pattern: RegExp, other: string): Mutant[] =>
      [...text.matchAll(pattern)].map((match) => {
        const at = from + match.index;
        return {
          file,
          line: index + 1,
          what: `${match[0]} → ${other} in: ${short(text)}`,
          start: at,
          end: at + match[0].length,
          text: other,
        };
      });
    const whole =
      /^\s*(if|then|else|fi|while|until|do|done|case|esac|for|\{|\}|\w+\(\)|.*\\$|.*[|&{(]$|.*;;$|\S+\)).*/.test(text)
        ? []
        : [
            {
              file,
              line: index + 1,
              what: `left out: ${short(text)}`,
              start: from,
              end: from + text.length,
              text: ":",
            },
          ];
    return [
      ...whole,
      ...swap(/\|\|/g, "&&"),
      ...swap(/&&/g, "||"),
      ...swap(/(?<=\] ?|\[ .*) != /g, " = "),
      ...swap(/ -(?:gt|lt) /g, " -eq "),
      ...swap(/\b(?:exit|return) [1-9]\d*/g, "exit 0"),
    ];
  });
}

const short = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 70 ? `${line.slice(0, 69)}…` : line;
};
