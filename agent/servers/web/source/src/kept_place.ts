// What stays in sight while a page is opened and zoomed: its first mark, the pointer, or the middle.

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { asBox } from "./geometry";
import type { Shown } from "./state";

interface Holder {
  current: HTMLElement | null;
}

interface Place {
  x: number;
  y: number;
}

/** Scrolls so that the first mark of a page that was just opened can be seen. */
export function useFirstMark(stage: Holder, sheet: Holder, key: string, page: Shown, drawn: boolean): void {
  useEffect(() => {
    if (!drawn) return;
    const tops = marks(page).map((box) => box[1]);
    const top = tops.length ? Math.min(...tops) : 0;
    const element = stage.current!;
    element.scrollTo({ top: top * sheet.current!.offsetHeight - element.clientHeight / 3, left: 0 });
  }, [key, page, drawn]);
}

/** Keeps a place where it is on the screen while the sheet grows or shrinks; `pointer` if it was just there. */
export function useKeptPlace(stage: Holder, sheet: Holder, page: Shown, turned: number, width: number, pointer: { current: Place | null }): void {
  const before = useRef<{ area: DOMRect; turned: number } | null>(null);
  useLayoutEffect(() => {
    const window = stage.current!.getBoundingClientRect();
    const area = sheet.current!.getBoundingClientRect();
    const old = before.current;
    if (old && old.turned === turned && old.area.width > 0 && old.area.width !== area.width) {
      const kept = pointer.current ?? (turned === 0 ? markSeen(page, old.area, window) : null) ?? middle(window);
      const x = (kept.x - old.area.left) / old.area.width;
      const y = (kept.y - old.area.top) / old.area.height;
      stage.current!.scrollBy(area.left + x * area.width - kept.x, area.top + y * area.height - kept.y);
    }
    pointer.current = null;
    const remember = () => (before.current = { area: sheet.current!.getBoundingClientRect(), turned });
    remember();
    const element = stage.current!;
    element.addEventListener("scroll", remember, { passive: true });
    return () => element.removeEventListener("scroll", remember);
  }, [width, turned, page]);
}

function marks(page: Shown) {
  return [...(page.boxes ?? []), ...(page.outlines ?? []).map(asBox)];
}

function markSeen(page: Shown, area: DOMRect, window: DOMRect): Place | null {
  const places = marks(page).map((box) => ({
    x: area.left + ((box[0] + box[2]) / 2) * area.width,
    y: area.top + ((box[1] + box[3]) / 2) * area.height,
  }));
  return places.find(({ x, y }) => x > window.left && x < window.right && y > window.top && y < window.bottom) ?? null;
}

function middle(window: DOMRect): Place {
  return { x: window.left + window.width / 2, y: window.top + window.height / 2 };
}
