import type { Element as Wanted, Node as WantedNode } from "../page/h.ts";

const SVG = "http://www.w3.org/2000/svg";

function make(node: WantedNode, parent: Element): ChildNode {
  if (typeof node === "string") return document.createTextNode(node);
  const inSvg = node.tag === "svg" || parent.namespaceURI === SVG;
  const element = inSvg ? document.createElementNS(SVG, node.tag) : document.createElement(node.tag);
  for (const [name, value] of Object.entries(node.attributes)) element.setAttribute(name, value);
  children(element, node.children);
  return element;
}

/** Makes an element what it is to be, and leaves alone what is so already: focus, selection, what is unfolded. */
function patch(element: Element, { attributes, children: wanted }: Wanted): void {
  for (const { name } of [...element.attributes])
    if (!(name in attributes) && !(name === "open" && element.tagName === "DETAILS")) element.removeAttribute(name);
  for (const [name, value] of Object.entries(attributes))
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  // What is in a chart is the chart's.
  if (!("data-own" in attributes)) children(element, wanted);
}

/** What tells an element from others beside it. Without a name it is told by its place. */
const nameOf = (node: ChildNode): string | null =>
  node instanceof Element ? (node.getAttribute("id") ?? node.getAttribute("data-chart")) : null;
const nameIn = (node: WantedNode): string | null =>
  typeof node === "string" ? null : (node.attributes["id"] ?? node.attributes["data-chart"] ?? null);

const isOfKind = (node: ChildNode, wanted: WantedNode): boolean =>
  typeof wanted === "string"
    ? node.nodeType === Node.TEXT_NODE
    : node instanceof Element && node.tagName.toLowerCase() === wanted.tag.toLowerCase();

/** Makes an element's children those that are wanted. */
export function children(element: Element, wanted: readonly WantedNode[]): void {
  const named = new Map([...element.childNodes].map((node) => [nameOf(node), node]));
  const names = new Set(wanted.map(nameIn));
  // What is gone goes first: nothing that stays has to be moved for it, which would take its focus.
  for (const [name, node] of named) if (name !== null && !names.has(name)) node.remove();
  let at: ChildNode | null = element.firstChild;
  for (const node of wanted) {
    const name = nameIn(node);
    const found: ChildNode | null | undefined =
      name !== null ? named.get(name) : at !== null && nameOf(at) === null ? at : null;
    if (found === null || found === undefined || !isOfKind(found, node)) {
      element.insertBefore(make(node, element), at);
      continue;
    }
    if (found !== at) element.insertBefore(found, at);
    if (typeof node === "string") {
      if (found.nodeValue !== node) found.nodeValue = node;
    } else patch(found as ChildNode & Element, node);
    at = found.nextSibling;
  }
  while (at !== null) {
    const next: ChildNode | null = at.nextSibling;
    at.remove();
    at = next;
  }
}
