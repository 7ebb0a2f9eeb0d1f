// Words of a page that were read wrongly: choosing them on the page, saying what stands there, taking that back.

import { useEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { IconButton } from "./icons";
import type { Box, Correction, PageFacts, PageWords } from "./replies";
import { address } from "./page_tools";
import { asked, post, read, told } from "./service";
import { settings } from "./settings";
import { w } from "./words";

/** What is being corrected: the page's words, and which are chosen, from the first to the last; `settled` if no more are to come. */
export interface Correcting {
  words: PageWords | null;
  error: string;
  chosen: [first: number, last: number] | null;
  settled: boolean;
  choose: (from: number, to: number, settled: boolean) => void;
  take: (now: string) => Promise<void>;
  undo: (correction: Correction) => Promise<void>;
}

/** The words of the page while `on`; `changed` is called after each correction. */
export function useCorrecting(facts: PageFacts, on: boolean, changed: () => void): Correcting {
  const [words, setWords] = useState<PageWords | null>(null);
  const [error, setError] = useState("");
  const [chosen, setChosen] = useState<[number, number] | null>(null);
  const [settled, setSettled] = useState(false);
  const latest = useRef("");
  latest.current = on ? facts.key : "";
  const load = async () => {
    const key = facts.key;
    try {
      const found = await read<PageWords>(`${address(key)}/words`);
      if (latest.current === key) setWords(found);
    } catch (failure) {
      if (latest.current === key) setError(told(failure));
    }
  };
  useEffect(() => {
    setWords(null);
    setChosen(null);
    setError("");
    if (on) void load();
  }, [facts.key, on]);
  const done = async (act: () => Promise<unknown>) => {
    try {
      await act();
      setError("");
      setChosen(null);
      await load();
      changed();
    } catch (failure) {
      setError(told(failure));
    }
  };
  return {
    words, error, chosen, settled,
    choose: (from, to, done) => (setChosen(between(words!, from, to)), setSettled(done)),
    take: (now) =>
      done(() => post(`${address(facts.key)}/corrections`, { was: textOf(words!, chosen!), now, box: around(words!, chosen!) })),
    undo: (correction) => done(() => asked(`${address(facts.key)}/corrections/${correction.id}`, { method: "DELETE" })),
  }; // prettier-ignore
}

/** From one word to another, as far as they stand in one line. */
function between({ lines }: PageWords, from: number, to: number): [number, number] {
  let [first, last] = [Math.min(from, to), Math.max(from, to)];
  while (lines[first] !== lines[from]) first++;
  while (lines[last] !== lines[from]) last--;
  return [first, last];
}

function textOf({ words }: PageWords, [first, last]: [number, number]): string {
  return words.slice(first, last + 1).join(" ");
}

function around({ boxes }: PageWords, [first, last]: [number, number]): Box {
  const some = boxes.slice(first, last + 1);
  const edge = (at: number, pick: (...all: number[]) => number) => pick(...some.map((box) => box[at]!));
  return [edge(0, Math.min), edge(1, Math.min), edge(2, Math.max), edge(3, Math.max)];
}

/** The words over the page's picture. One of them is in the order of focus; arrows go to the others. */
export function WordsToChoose({ correcting }: { correcting: Correcting }): VNode | null {
  const [at, setAt] = useState(0);
  const { words, chosen, choose } = correcting;
  if (!words) return null;
  const isCorrected = (box: Box) => words.corrections.some((one) => overlap(one.box, box));
  const take = (number: number, event: MouseEvent) => {
    const byKey = event.detail === 0;
    setAt(number);
    if (byKey && chosen && chosen[0] <= number && number <= chosen[1]) choose(chosen[0], chosen[1], true);
    else choose(event.shiftKey && chosen ? chosen[0] : number, number, true);
  };
  const key = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const next = Math.min(words.words.length - 1, Math.max(0, at + step));
    setAt(next);
    if (event.shiftKey) choose(chosen ? (at === chosen[0] ? chosen[1] : chosen[0]) : at, next, false);
    (event.currentTarget as HTMLElement).children[next]?.querySelector("button")?.focus();
  };
  return (
    <ul class="words-to-choose" aria-label={w("wordsToChoose")} onKeyDown={key}>
      {words.words.map((word, number) => (
        <li style={placed(words.boxes[number]!)}>
          <button
            type="button" class="word" tabIndex={number === at ? 0 : -1} aria-label={word} title={word}
            aria-pressed={chosen !== null && chosen[0] <= number && number <= chosen[1]} data-corrected={isCorrected(words.boxes[number]!) || undefined}
            onFocus={() => setAt(number)} onClick={(event) => take(number, event)}
          />
        </li>
      ))}
    </ul>
  );
}

function overlap(a: Box, b: Box): boolean {
  const [x, y] = [(b[0] + b[2]) / 2, (b[1] + b[3]) / 2];
  return a[0] <= x && x <= a[2] && a[1] <= y && y <= a[3];
}

function placed([left, top, right, bottom]: Box) {
  return { left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%` };
}

/** What was read, what stands there, and what was corrected on the page before. */
export function CorrectionPanel({ correcting }: { correcting: Correcting }): VNode {
  const { words, error, chosen, settled, take, undo } = correcting;
  return (
    <section class="correction" aria-label={w("correct")}>
      {error && <p class="note bad" role="alert">{error}</p>}
      {!words && !error && <p class="quiet" role="status">{w("readingWords")}</p>}
      {words && !chosen && <p class="quiet">{w(words.words.length ? "chooseWord" : "noText")}</p>}
      {words && chosen && <Line was={textOf(words, chosen)} key={chosen.join()} settled={settled} take={take} />}
      {words && words.corrections.length > 0 && (
        <ul class="corrected" aria-label={w("corrections")}>
          {words.corrections.map((one) => (
            <li key={one.id}>
              <span><del>{one.was}</del> → <ins>{one.now}</ins></span>
              <span class="quiet">{[one.by, when(one.at)].filter(Boolean).join(" · ")}</span>
              <IconButton icon="again" name={w("undo", { was: one.was, now: one.now })} onClick={() => void undo(one)} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Line({ was, settled, take }: { was: string; settled: boolean; take: (now: string) => Promise<void> }): VNode {
  const [now, setNow] = useState(was);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (settled) field.current!.select();
  }, [settled]);
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    await take(now);
    setBusy(false);
  };
  return (
    <form class="row" onSubmit={send}>
      <label class="field">
        <span>{w("standsThere", { was })}</span>
        <input ref={field} type="text" maxLength={120} value={now} autocomplete="off" onInput={(event) => setNow(event.currentTarget.value)} />
      </label>
      <button type="submit" class="primary" disabled={busy || !now.trim() || now.trim() === was}>{w(busy ? "working" : "correctShort")}</button>
    </form>
  );
}

function when(date: string): string {
  return new Date(date).toLocaleString(settings.value.language, { dateStyle: "short", timeStyle: "short" });
}
