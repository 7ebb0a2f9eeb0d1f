// The page's picture as it stands on the screen. What is seen is rendered anew for each zoom: the whole page once, and
// above it the visible part as sharp as the screen.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren, VNode } from "preact";
import { asBox, asRegion, between, visible, type Turned } from "./geometry";
import { useFirstMark, useKeptPlace } from "./kept_place";
import { picture, type Look } from "./page_tools";
import type { Box, PageFacts } from "./replies";
import { shown } from "./state";
import { w } from "./words";

const WIDEST_WHOLE = 2000; // pixels: beyond, the visible part comes alone
const WIDEST = 5120; // what the service draws at most
const SETTLES = 150; // ms without scrolling until the visible part is asked for
const WIDEST_FIT = 1400; // CSS pixels: lines of a page are hard to follow beyond

interface StageOf {
  facts: PageFacts;
  look: Look;
  change: (changed: Partial<Look>) => void;
  zoomBy: (factor: number) => void;
  children?: ComponentChildren; // what lies over the page
}

export function Stage({ facts, look, change, zoomBy, children }: StageOf): VNode {
  const stage = useRef<HTMLDivElement>(null);
  const sheet = useRef<HTMLDivElement>(null);
  const room = useWidth(stage);
  const aside = look.turned % 180 !== 0;
  const shape = facts.height / facts.width;
  const across = Math.min(WIDEST_FIT, Math.max(room - 32, 100)) * look.zoom; // the sheet's width as it is seen
  const width = aside ? across / shape : across; // the page's own, CSS pixels
  const height = width * shape;
  const page = shown.value!;
  const asked = { query: look.map === null ? "" : page.query, show: look.map === null ? "" : "map", word: look.map ?? "" };
  const whole = Math.min(WIDEST_WHOLE, Math.ceil((width * devicePixelRatio) / 200) * 200);
  const detail = useDetail(stage, sheet, look, facts.key, width);
  const sharp = detail && width * devicePixelRatio > whole;
  const source = picture(facts.key, { width: whole, ...asked });
  const [drawn, setDrawn] = useState("");
  const pointer = useRef<{ x: number; y: number } | null>(null);
  useFirstMark(stage, sheet, facts.key, page, room > 0);
  useKeptPlace(stage, sheet, page, look.turned, width, pointer);
  useWheel(stage, zoomBy, pointer);
  const { mark, ...drags } = useSelection(sheet, look, change);
  return (
    <div class="stage" ref={stage} tabIndex={0} role="region" aria-label={w("stage")} aria-busy={drawn !== source} data-selecting={look.selecting || undefined}>
      <div class="sheet" ref={sheet} style={{ width: aside ? height : width, height: aside ? width : height }} {...drags}>
        <div class="paper" style={{ width, height, transform: `translate(-50%, -50%) rotate(${look.turned}deg)` }}>
          {room > 0 && (
            <img
              class="whole" src={source} alt={w("picture", { label: facts.label })} draggable={false}
              onLoad={() => setDrawn(source)} onError={() => setDrawn(source)}
            />
          )}
          {sharp && (
            <img
              class="detail" alt="" draggable={false} style={placed(asBox(detail))} key={detail.join()}
              src={picture(facts.key, { region: detail.join(","), width: pixels(detail, width), ...asked })}
            />
          )}
          {look.map === null && (page.boxes ?? []).map((box) => <div class="mark-box" style={placed(box)} />)}
          {(page.outlines ?? []).map((region) => <div class="mark-outline" style={placed(asBox(region))} />)}
          {children}
          {(mark ?? look.selected) && <div class="selected" style={placed((mark ?? look.selected)!)} />}
        </div>
      </div>
    </div>
  );
}

function placed([left, top, right, bottom]: Box) {
  return { left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%` };
}

function pixels([, xmin, , xmax]: [number, number, number, number], width: number): number {
  return Math.max(16, Math.min(WIDEST, Math.ceil(((width * (xmax - xmin)) / 1000) * devicePixelRatio)));
}

function useWidth(element: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const watching = new ResizeObserver(([one]) => setWidth(Math.floor(one!.contentRect.width)));
    watching.observe(element.current!);
    return () => watching.disconnect();
  }, []);
  return width;
}

/** The part of the page that can be seen, once scrolling has settled. */
function useDetail(stage: { current: HTMLElement | null }, sheet: { current: HTMLElement | null }, look: Look, key: string, width: number) {
  const [detail, setDetail] = useState<[number, number, number, number] | null>(null);
  useEffect(() => {
    setDetail(null);
    let waiting = 0;
    const settle = () => {
      clearTimeout(waiting);
      waiting = window.setTimeout(() => {
        const part = visible(sheet.current!.getBoundingClientRect(), stage.current!.getBoundingClientRect(), look.turned);
        setDetail(part && asRegion(part, 0.02));
      }, SETTLES);
    };
    settle();
    const element = stage.current!;
    element.addEventListener("scroll", settle, { passive: true });
    return () => {
      clearTimeout(waiting);
      element.removeEventListener("scroll", settle);
    };
  }, [key, width, look.turned]);
  return detail;
}

function useWheel(
  stage: { current: HTMLElement | null },
  zoomBy: (factor: number) => void,
  pointer: { current: { x: number; y: number } | null },
): void {
  const latest = useRef(zoomBy);
  latest.current = zoomBy;
  useEffect(() => {
    const turned = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      pointer.current = { x: event.clientX, y: event.clientY };
      latest.current(Math.exp(-event.deltaY / 300));
    };
    const element = stage.current!;
    element.addEventListener("wheel", turned, { passive: false });
    return () => element.removeEventListener("wheel", turned);
  }, []);
}

/** Drags a rectangle over the page where one is selected, and the page itself where not. */
function useSelection(sheet: { current: HTMLElement | null }, look: Look, change: (changed: Partial<Look>) => void) {
  const start = useRef<{ x: number; y: number; left: number; top: number } | null>(null);
  const [mark, setMark] = useState<Box | null>(null);
  const part = (event: PointerEvent): Box => {
    const area = sheet.current!.getBoundingClientRect();
    const at = (x: number, y: number): [number, number] => [(x - area.left) / area.width, (y - area.top) / area.height];
    return between(at(start.current!.x, start.current!.y), at(event.clientX, event.clientY), look.turned as Turned);
  };
  const scroller = () => sheet.current!.parentElement!;
  return {
    mark,
    onPointerDown: (event: PointerEvent) => {
      if ((event.target as Element).closest(".word")) return; // or the button would not be told of the click
      if (event.button !== 0 || event.pointerType === "touch" && !look.selecting) return;
      start.current = { x: event.clientX, y: event.clientY, left: scroller().scrollLeft, top: scroller().scrollTop };
      sheet.current!.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      const from = start.current;
      if (!from) return;
      if (look.selecting) setMark(part(event));
      else scroller().scrollTo(from.left - event.clientX + from.x, from.top - event.clientY + from.y);
    },
    onPointerUp: (event: PointerEvent) => {
      if (start.current && look.selecting) {
        const box = part(event);
        change({ selected: box[2] - box[0] > 0.005 && box[3] - box[1] > 0.005 ? box : null, selecting: false });
      }
      setMark(null);
      start.current = null;
    },
  };
}
