import { harmlessLines } from "../../../lib/harmless.ts";

/**
 * What a page is made of, as plain values: the server writes them as HTML, the browser as nodes of its document. Texts
 * and attributes are data in both; nothing here takes markup.
 */
export interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Node[];
}
export type Node = Element | string;

/** What may be given for a child: nothing is left out, lists are flattened, numbers are texts. */
type Child = Node | number | false | null | undefined | readonly Child[];
/** What may be given for an attribute: true is an empty one, and false and undefined are none. */
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An element with its attributes and children. @param attributes null for none */
export function h(tag: string, attributes?: Attributes | null, ...children: readonly Child[]): Element {
  const given = Object.entries(attributes ?? {}).flatMap(([name, value]) =>
    value === undefined || value === false ? [] : [[name, value === true ? "" : String(value)] as const],
  );
  return { tag, attributes: Object.fromEntries(given), children: flat(children) };
}

/** Texts that follow each other are one, as a browser reads them. */
function flat(children: readonly Child[]): Node[] {
  const found: Node[] = [];
  const add = (child: Child): void => {
    if (child === undefined || child === null || child === false || child === "") return;
    if (Array.isArray(child)) return child.forEach(add);
    // What turns a text's direction would turn all that stands behind it.
    const node =
      typeof child === "number" ? String(child) : typeof child === "string" ? harmlessLines(child) : (child as Node);
    const last = found.at(-1);
    if (typeof node === "string" && typeof last === "string") found[found.length - 1] = last + node;
    else found.push(node);
  };
  children.forEach(add);
  return found;
}

const SIGNS: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** A text, in an attribute too: nothing in it is markup. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => SIGNS[sign]!);

/** Elements of HTML that have no end tag. */
const VOID = new Set(["br", "hr", "img", "input", "link", "meta"]);

/** As HTML. @throws Error where a tag's or an attribute's name is none: those are never data */
export function html(node: Node): string {
  if (typeof node === "string") return escaped(node);
  const { tag, attributes, children } = node;
  const names = [tag, ...Object.keys(attributes)];
  const wrong = names.find((name) => !/^[a-zA-Z][\w:-]*$/.test(name));
  if (wrong !== undefined) throw new Error(`${wrong} is not a name`);
  const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`);
  const open = `<${tag}${written.join("")}>`;
  return VOID.has(tag) ? open : `${open}${children.map(html).join("")}</${tag}>`;
}
