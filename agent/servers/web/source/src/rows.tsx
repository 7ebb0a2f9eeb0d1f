// A long list of rows of one height, of which only those that can be seen are drawn.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren, VNode } from "preact";

const BEYOND = 10; // rows above and below what can be seen

interface RowsOf<Item> {
  items: Item[];
  height: number; // CSS pixels
  label: string;
  keyOf: (item: Item) => string;
  row: (item: Item) => ComponentChildren;
}

export function Rows<Item>({ items, height, label, keyOf, row }: RowsOf<Item>): VNode {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, room: 800 });
  useLayoutEffect(() => {
    const look = () => setSeen({ top: box.current!.scrollTop, room: box.current!.clientHeight });
    const watching = new ResizeObserver(look);
    watching.observe(box.current!);
    box.current!.addEventListener("scroll", look, { passive: true });
    return () => watching.disconnect();
  }, []);
  const first = Math.max(0, Math.floor(seen.top / height) - BEYOND);
  const last = Math.min(items.length, Math.ceil((seen.top + seen.room) / height) + BEYOND);
  return (
    <div class="rows" ref={box} tabIndex={0} role="region" aria-label={label}>
      <ul style={{ height: items.length * height }}>
        {items.slice(first, last).map((item, at) => (
          <li
            key={keyOf(item)} aria-setsize={items.length} aria-posinset={first + at + 1}
            style={{ transform: `translateY(${(first + at) * height}px)`, height }}
          >
            {row(item)}
          </li>
        ))}
      </ul>
    </div>
  );
}
