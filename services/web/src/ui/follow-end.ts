// Keeps a scrolled view at its end while the reader is there: when something is
// added, when a picture has come, and when the view itself changes its height.

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

/** Nearer to the end than this, the reader is at the end. */
const NEAR_END_PX = 80;

interface FollowEnd {
  view: RefObject<HTMLDivElement | null>;
  onScroll(): void;
  /** The reader asked for what is further up. */
  release(): void;
}

export function useFollowEnd(): FollowEnd {
  const view = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const toEnd = () => {
    if (follows.current && view.current) view.current.scrollTop = view.current.scrollHeight;
  };
  useLayoutEffect(toEnd);
  useEffect(() => {
    if (!view.current) return;
    const observer = new ResizeObserver(toEnd);
    observer.observe(view.current);
    for (const child of view.current.children) observer.observe(child);
    return () => observer.disconnect();
  }, []);
  return {
    view,
    onScroll() {
      const { current } = view;
      if (!current) return;
      const left = current.scrollHeight - current.scrollTop - current.clientHeight;
      follows.current = left < NEAR_END_PX;
    },
    release() {
      follows.current = false;
    },
  };
}
