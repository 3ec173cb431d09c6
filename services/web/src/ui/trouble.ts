// Says that the connection is away, but only once it has been away for a while:
// a short break is not worth a word.

export class Trouble {
  readonly #afterMs: number;
  readonly #changed: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether to say so. */
  shown = false;

  constructor(afterMs: number, changed: () => void) {
    this.#afterMs = afterMs;
    this.#changed = changed;
  }

  /** The connection is open, or no longer wanted. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.shown = false;
  }

  /** The connection is not open; to be called as often as one likes. */
  begin(): void {
    this.#timer ??= setTimeout(() => {
      this.shown = true;
      this.#changed();
    }, this.#afterMs);
  }
}
