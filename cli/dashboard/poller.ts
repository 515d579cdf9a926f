import { nothing, type PartName, type Parts, RANGES, type Range, type State } from "./page/state.ts";
import { type Source, troubleOf } from "./sources/source.ts";

/** One who looks. */
interface Viewer {
  readonly range: Range;
  readonly tell: (name: PartName, parts: Parts) => void;
}

/** Keeps what the page shows up to date for all who look at it; asks nobody as long as nobody looks. */
export class Poller {
  #parts: Parts;
  readonly #stack: string;
  readonly #sources: readonly Source[];
  readonly #viewers = new Set<Viewer>();
  readonly #timers = new Map<Source, NodeJS.Timeout>();
  /** Sources that are being read; whether they have to be read again at once. */
  readonly #reading = new Map<Source, boolean>();
  readonly #keys = new Map<Source, string>();
  /** When each was read last, in ms. */
  readonly #read = new Map<Source, number>();

  constructor(stack: string, sources: readonly Source[]) {
    this.#stack = stack;
    this.#sources = sources;
    this.#parts = nothing(stack, "").parts;
  }

  get state(): State {
    return { stack: this.#stack, at: new Date().toISOString(), parts: this.#parts };
  }

  /** From now on somebody looks, until the answer is called. */
  view(range: Range, tell: Viewer["tell"]): () => void {
    const viewer = { range, tell };
    const known = this.#ranges().has(range) && this.#parts.charts.value?.[range] !== undefined;
    this.#viewers.add(viewer);
    for (const source of this.#sources)
      this.#soon(source, known || !source.parts.includes("charts") ? this.#due(source) : 0);
    return () => {
      this.#viewers.delete(viewer);
      if (this.#viewers.size > 0) return;
      for (const timer of this.#timers.values()) clearTimeout(timer);
      this.#timers.clear();
    };
  }

  /** Reads all of it once. @param names of sources; all of them unless it is said */
  async readOnce(names: readonly string[] = this.#sources.map(({ name }) => name)): Promise<State> {
    const ranges = Object.keys(RANGES) as Range[];
    await Promise.all(this.#sources.filter(({ name }) => names.includes(name)).map((one) => this.#take(one, ranges)));
    return this.state;
  }

  #ranges(): Set<Range> {
    return new Set([...this.#viewers].map(({ range }) => range));
  }

  /** In how many ms a source has to be read. */
  #due(source: Source): number {
    const read = this.#read.get(source);
    return read === undefined ? 0 : Math.max(0, read + source.every - Date.now());
  }

  #soon(source: Source, wait: number): void {
    if (this.#viewers.size === 0) return;
    if (this.#reading.has(source)) {
      if (wait === 0) this.#reading.set(source, true);
      return;
    }
    clearTimeout(this.#timers.get(source));
    this.#timers.set(
      source,
      setTimeout(() => void this.#round(source), wait),
    );
  }

  async #round(source: Source): Promise<void> {
    this.#reading.set(source, false);
    await this.#take(source, [...this.#ranges()]);
    const again = this.#reading.get(source) === true;
    this.#reading.delete(source);
    this.#soon(source, again ? 0 : source.every);
  }

  async #take(source: Source, ranges: readonly Range[]): Promise<void> {
    const told = await source.read({ ranges, parts: this.#parts }).catch((error: unknown): Partial<Parts> => {
      const problem = troubleOf(error);
      return Object.fromEntries(source.parts.map((name) => [name, { ...this.#parts[name], problem }]));
    });
    this.#read.set(source, Date.now());
    this.#parts = { ...this.#parts, ...told };
    for (const name of Object.keys(told) as PartName[]) for (const { tell } of this.#viewers) tell(name, this.#parts);
    this.#changed();
  }

  /** Has those read sooner whose key is another one now. */
  #changed(): void {
    for (const source of this.#sources) {
      const key = source.key?.(this.#parts);
      if (key === undefined) continue;
      const before = this.#keys.get(source);
      this.#keys.set(source, key);
      if (before !== undefined && before !== key) this.#soon(source, 0);
    }
  }
}
