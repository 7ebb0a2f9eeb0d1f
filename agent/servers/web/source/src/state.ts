// What several parts of the page share: who answers, which page is shown, what was found, what is in front.

import { batch, signal } from "@preact/signals";
import type { Box, Hit, Me, Region } from "./replies";
import { read } from "./service";

/** A page to show: its label or key, places of it to mark, and the words that it was found by. */
export interface Shown {
  label: string;
  boxes?: Box[];
  outlines?: Region[];
  query?: string;
}

export type Tab = "ask" | "search" | "sweep" | "documents";

export const me = signal<Me | null>(null);
export const tab = signal<Tab>("ask");
/** On a narrow screen one of the two is in front. */
export const front = signal<"left" | "page">("left");
export const shown = signal<Shown | null>(null);
export const strip = signal<{ query: string; hits: Hit[] }>({ query: "", hits: [] });
/** Names of documents that questions and searches are narrowed to; none is all. */
export const only = signal<string[]>([]);

/** Shows a page; it comes to the front unless it was nobody's wish. */
export function show(page: Shown, quietly = false): void {
  batch(() => {
    shown.value = page;
    if (!quietly) front.value = "page";
  });
}

export function open(which: Tab): void {
  batch(() => {
    tab.value = which;
    front.value = "left";
  });
}

export async function learnWhoAnswers(): Promise<void> {
  me.value = await read<Me>("/me");
}
