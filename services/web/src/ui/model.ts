// The link between a page's state and Preact: a model tells its watchers that
// it changed, at most once a frame, and the component reads it again.

import { useEffect, useReducer } from "preact/hooks";

export class Model {
  readonly #watchers = new Set<() => void>();
  #announced = false;

  /** Calls back after each change; returns the undoing. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** To be called after every change of the model's state. */
  protected changed(): void {
    if (this.#announced) return;
    this.#announced = true;
    queueMicrotask(() => {
      this.#announced = false;
      for (const watcher of this.#watchers) watcher();
    });
  }
}

/** Draws the component again whenever the model changes. */
export function useModel<M extends Model>(model: M): M {
  const [, redraw] = useReducer<number, void>((count) => count + 1, 0);
  useEffect(() => model.watch(redraw), [model]);
  return model;
}

/** The time, drawn again every `everyMs` while `running`. */
export function useNow(everyMs: number, running = true): number {
  const [now, tick] = useReducer<number, void>(() => Date.now(), Date.now());
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(tick, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, running]);
  return now;
}
