// Tells the other side that somebody writes: repeated while it lasts, ended when
// it stops. And remembers that the other side does, until it goes quiet.

const REPEAT_MS = 3_000;
const IDLE_MS = 4_000;
const FORGET_MS = 6_000;

export class TypingOut {
  readonly #tell: (typing: boolean) => void;
  #toldAt = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(tell: (typing: boolean) => void) {
    this.#tell = tell;
  }

  /** The text changed. */
  typed(text: string): void {
    if (text.trim() === "") {
      this.stopped();
      return;
    }
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.stopped(), IDLE_MS);
    if (Date.now() - this.#toldAt < REPEAT_MS) return;
    this.#toldAt = Date.now();
    this.#tell(true);
  }

  /** The text was sent or emptied, or nothing was typed for a while. */
  stopped(): void {
    clearTimeout(this.#idle);
    if (this.#toldAt === 0) return;
    this.#toldAt = 0;
    this.#tell(false);
  }
}

export class TypingIn {
  readonly #changed: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  typing = false;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  set(typing: boolean): void {
    clearTimeout(this.#timer);
    if (typing) this.#timer = setTimeout(() => this.set(false), FORGET_MS);
    if (typing === this.typing) return;
    this.typing = typing;
    this.#changed();
  }
}
