import { steadyNow } from "../shared/clock.ts";

/** For how long nobody has asked for anything of something that is forgotten then. */
export class Usage {
  #used = steadyNow();
  #busy = 0;

  /** Does what was asked of it; meanwhile it is not forgotten, however long that takes. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#busy++;
    try {
      return await work();
    } finally {
      this.#busy--;
      this.#used = steadyNow();
    }
  }

  /** In ms. */
  idle(now = steadyNow()): number {
    return this.#busy > 0 ? 0 : now - this.#used;
  }
}
