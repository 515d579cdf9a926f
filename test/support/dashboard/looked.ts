import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Page } from "playwright-core";
import type { Clone, Status } from "../clone.ts";

/** `./drydock dashboard` of a clone, while it runs. */
export class Dashboard {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(clone: Clone, ...args: string[]): Promise<Dashboard> {
    const child = clone.start(["dashboard", ...args]);
    let complaints = "";
    child.stderr!.on("data", (chunk: Buffer) => (complaints += chunk));
    for await (const line of createInterface({ input: child.stdout! }))
      if (line.startsWith("http://127.0.0.1:")) return new Dashboard(child, line);
    throw new Error(complaints);
  }

  /** Interrupts it; answers its exit code. */
  async end(): Promise<number> {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    this.#child.kill("SIGINT");
    const [code] = (await once(this.#child, "exit")) as [number];
    return code;
  }
}

/** What runs in the page is text: the types of browsers are not those of this project. */
export const inPage = <T>(page: Page, script: string): Promise<T> => page.evaluate<T>(script);

/** The rows of a table of the page, by its caption: their cells as they are read, without signs. */
export function rowsOf(page: Page, caption: string): Promise<string[][]> {
  return inPage(
    page,
    `(() => {
      const table = [...document.querySelectorAll("table")]
        .find(({ caption }) => caption?.textContent === ${JSON.stringify(caption)});
      const said = (cell) => {
        const copy = cell.cloneNode(true);
        for (const sign of copy.querySelectorAll("[aria-hidden]")) sign.remove();
        return copy.textContent;
      };
      return [...(table?.tBodies[0]?.rows ?? [])].map(({ cells }) => [...cells].map(said));
    })()`,
  );
}

/** The containers as \`status --json\` says them, as the page shows them. */
export const rowsOfStatus = ({ services }: Status): string[][] =>
  services.map(({ name, role, state, health, image, container }) => [
    ...[name, role, state, health === "none" ? "–" : health, "–"],
    image.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+/, "$1…").replace(/^sha256:([0-9a-f]{12})[0-9a-f]+$/, "$1"),
    container,
  ]);

/**
 * Pairs of colours of texts and what is behind them that are too close to each other (WCAG: 4.5 to 1, large ones 3).
 */
export const closeColours = (page: Page): Promise<string[]> =>
  inPage(
    page,
    `(() => {
      const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
      const light = (colour) => {
        const [r, g, b] = parts(colour).map((one) => {
          const share = one / 255;
          return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const behind = (element) => {
        for (let one = element; one !== null; one = one.parentElement) {
          const { backgroundColor } = getComputedStyle(one);
          if ((parts(backgroundColor)[3] ?? 1) > 0) return backgroundColor;
        }
        return "rgb(255, 255, 255)";
      };
      const found = new Set();
      for (const element of document.querySelectorAll("body *")) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue.trim() !== "");
        if (!own || ["SCRIPT", "STYLE"].includes(element.tagName) || element.getClientRects().length === 0) continue;
        const { color, fill, fontSize, fontWeight } = getComputedStyle(element);
        const ink = element.tagName === "text" ? fill : color;
        const [a, b] = [light(ink), light(behind(element))].sort((x, y) => y - x);
        const large = parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700);
        if ((a + 0.05) / (b + 0.05) < (large ? 3 : 4.5))
          found.add(element.tagName + "." + element.className + ": " + ink + " on " + behind(element));
      }
      return [...found];
    })()`,
  );

/** What can be used and has no name, or is named twice. */
export const nameless = (page: Page): Promise<string[]> =>
  inPage(
    page,
    `(() => {
      const found = [];
      const named = (element) =>
        element.getAttribute("aria-label") ?? (element.textContent.trim() !== "" ? element.textContent : null);
      for (const one of document.querySelectorAll("a[href], button, summary, [tabindex='0'], [role=img], [role=group]"))
        if (!one.closest("[aria-hidden]") && (named(one) ?? "") === "") found.push(one.outerHTML.slice(0, 80));
      const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
      found.push(...ids.filter((id, index) => ids.indexOf(id) !== index));
      for (const one of document.querySelectorAll("[aria-labelledby]"))
        if (document.getElementById(one.getAttribute("aria-labelledby")) === null) found.push(one.id);
      for (const one of document.querySelectorAll("[aria-hidden] a, [aria-hidden] button, [aria-hidden] [tabindex]"))
        found.push("hidden, and can be focused: " + one.outerHTML.slice(0, 80));
      return found;
    })()`,
  );
