// Where things are on a page that is zoomed, rotated and scrolled. Places on a page are 0–1 from its top left corner.

import type { Box, Region } from "./replies";

export type Turned = 0 | 90 | 180 | 270; // degrees, clockwise

/** A place in the rotated picture, 0–1 of it, as a place on the page. */
export function onPage(u: number, v: number, turned: Turned): [number, number] {
  if (turned === 90) return [v, 1 - u];
  if (turned === 180) return [1 - u, 1 - v];
  if (turned === 270) return [1 - v, u];
  return [u, v];
}

/** The part of the page between two places in the rotated picture. */
export function between(a: [number, number], b: [number, number], turned: Turned): Box {
  const [ax, ay] = onPage(clamp(a[0]), clamp(a[1]), turned);
  const [bx, by] = onPage(clamp(b[0]), clamp(b[1]), turned);
  return [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];
}

/** The part of the page that can be seen in a window, both as rectangles of the screen; nothing if none can. */
export function visible(picture: DOMRect, window: DOMRect, turned: Turned): Box | null {
  const place = (x: number, y: number): [number, number] => [(x - picture.left) / picture.width, (y - picture.top) / picture.height];
  const box = between(place(window.left, window.top), place(window.right, window.bottom), turned);
  return box[0] < box[2] && box[1] < box[3] ? box : null;
}

/** The box, with a margin around it, as a region in whole thousandths. */
export function asRegion([left, top, right, bottom]: Box, margin = 0): Region {
  const low = (edge: number) => Math.max(0, Math.floor((edge - margin) * 1000));
  const high = (edge: number) => Math.min(1000, Math.ceil((edge + margin) * 1000));
  return [low(top), low(left), high(bottom), high(right)];
}

export function asBox([ymin, xmin, ymax, xmax]: Region): Box {
  return [xmin / 1000, ymin / 1000, xmax / 1000, ymax / 1000];
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
