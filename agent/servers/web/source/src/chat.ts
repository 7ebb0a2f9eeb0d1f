// A conversation: asking, what comes on the way, stopping; conversations that were kept.

import { batch, computed, signal } from "@preact/signals";
import { claimsInOrder, pageOf } from "./citations";
import type { Answer, Thread, Usage } from "./replies";
import { asked, events, read, told, toldOf } from "./service";
import { settings } from "./settings";
import { me, only, show, strip } from "./state";
import { w } from "./words";

export interface Turn {
  id: number;
  question: string;
  steps: string[];
  text: string;
  state: "running" | "done" | "stopped" | "failed";
  position: number;
  answer: Answer | null;
  usage: Usage | null;
  error: string;
}

export const turns = signal<Turn[]>([]);
export const threads = signal<Thread[]>([]);
export const thread = signal("");
export const draft = signal("");
/** The question that is asked anew, with what is said after it left to an earlier version of the conversation. */
export const editing = signal<Turn | null>(null);
export const running = computed(() => turns.value.find((turn) => turn.state === "running") ?? null);

let counted = 0;
let hangUp: AbortController | null = null;

function turn(question: string, more: Partial<Turn> = {}): Turn {
  return { id: ++counted, question, steps: [], text: "", state: "running", position: 0, answer: null, usage: null, error: "", ...more };
}

function change(id: number, changed: Partial<Turn> | ((turn: Turn) => Partial<Turn>)): void {
  turns.value = turns.value.map((one) =>
    one.id === id ? { ...one, ...(typeof changed === "function" ? changed(one) : changed) } : one,
  );
}

/** Asks, and follows what comes until the answer is there, it fails, or it is stopped. */
export async function ask(question: string, insteadOf?: InsteadOf): Promise<void> {
  if (!question.trim() || running.value) return;
  const one = turn(question.trim());
  turns.value = [...turns.value, one];
  if (!thread.value) enter(crypto.randomUUID());
  const own = (hangUp = new AbortController());
  try {
    for await (const [name, told] of events("/ask", { ...request(one.question, insteadOf), signal: own.signal })) take(one.id, name, told);
    change(one.id, (now) => (now.state === "running" ? { state: "failed", error: w("brokeOff") } : {}));
  } catch (error) {
    change(one.id, (now) => {
      if (now.state !== "running") return {};
      return own.signal.aborted ? { state: "stopped" } : { state: "failed", error: told(error) };
    });
  } finally {
    void listThreads();
  }
}

interface InsteadOf {
  thread_id: string;
  question: number; // from 0
}

/** Asks another question in the place of one. The conversation as it was stays, as an earlier version of this one. */
export async function askInstead(old: Turn, question: string): Promise<void> {
  if (!question.trim() || running.value) return;
  const place = turns.value.findIndex((one) => one.id === old.id);
  await listThreads();
  const asked = threads.value.find((one) => one.thread_id === thread.value)?.asked ?? [];
  const kept = asked.lastIndexOf(inAList(old.question), place);
  const before = thread.value;
  batch(() => {
    turns.value = turns.value.slice(0, Math.max(place, 0));
    if (kept >= 0) enter(`${rootOf(before)}_${crypto.randomUUID().slice(0, 8)}`);
  });
  await ask(question, kept >= 0 ? { thread_id: before, question: kept } : undefined);
}

/** The other versions of this conversation, each with the place of the question from which on it is another one. */
export const versions = computed(() => {
  const mine = turns.value.map((one) => inAList(one.question));
  return threads.value
    .filter((one) => one.thread_id !== thread.value && rootOf(one.thread_id) === rootOf(thread.value))
    .map((one) => {
      const other = mine.findIndex((question, place) => question !== one.asked[place]);
      const place = Math.min(other < 0 ? mine.length - 1 : other, mine.length - 1);
      return { thread: one.thread_id, place, question: one.asked[place] ?? one.title };
    });
});

/** Versions of one conversation have the same beginning of their names. */
function rootOf(id: string): string {
  return id.split("_")[0]!;
}

/** A question as the list of conversations has it. */
function inAList(question: string): string {
  return question.split(/\s+/).filter(Boolean).join(" ").slice(0, 200);
}

function request(question: string, insteadOf?: InsteadOf): RequestInit {
  const { offline, effort, dollars, pages } = settings.value;
  const most = Number(dollars.replace(",", "."));
  const reasoner = me.value?.reasoners.find((one) => one.name === settings.value.reasoner)?.name; // not one of before
  const body = {
    question,
    thread_id: thread.value,
    ...(insteadOf ? { instead_of: insteadOf } : {}),
    ...(only.value.length ? { documents: only.value } : {}),
    ...(offline ? { offline } : {}),
    ...(effort ? { effort } : {}),
    ...(most > 0 ? { dollars: most } : {}),
    ...(Number(pages) > 0 ? { pages: Number(pages) } : {}),
    ...(reasoner ? { reasoner } : {}),
  };
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

function take(id: number, name: string, told: any): void {
  if (name === "waiting") change(id, { position: told.position });
  else if (name === "step") change(id, (now) => ({ steps: [...now.steps, told.text], position: 0 }));
  else if (name === "piece") change(id, (now) => ({ text: now.text + told.text, position: 0 }));
  else if (name === "draft") change(id, { text: "" });
  else if (name === "answer") change(id, { answer: told, state: "done", usage: { ...told.usage, seconds: told.seconds ?? undefined } });
  else if (name === "usage") change(id, { usage: told });
  else if (name === "error") change(id, { state: "failed", error: toldOf(told) });
  if (name === "answer") look(told);
}

/** Opens the page that the answer cites first, beside it. */
function look(answer: Answer): void {
  if (answer.hits.length) strip.value = { query: answer.question, hits: answer.hits };
  const first = answer.citations[0];
  if (first) show(pageOf(answer, first, claimsInOrder(answer)(first)), true);
}

export function stop(): void {
  hangUp?.abort();
}

/** An empty conversation. */
export function begin(): void {
  stop();
  batch(() => {
    turns.value = [];
    editing.value = null;
    thread.value = "";
    history.replaceState(null, "", location.pathname);
  });
}

function enter(id: string): void {
  thread.value = id;
  history.replaceState(null, "", `#conversation=${id}`);
}

/** Opens a kept conversation; begins a new one where it is gone. */
export async function resume(id: string): Promise<void> {
  stop();
  try {
    const kept = await read<{ turns: { question: string; steps: string[]; answer: Answer | null }[] }>(`/threads/${encodeURIComponent(id)}`);
    void listThreads();
    batch(() => {
      enter(id);
      editing.value = null;
      turns.value = kept.turns.map(({ question, steps, answer }) =>
        turn(question, { steps, answer, state: answer ? "done" : "stopped", usage: answer?.usage ?? null }),
      );
      const last = kept.turns.at(-1)?.answer;
      if (last) look(last);
    });
  } catch {
    if (id === thread.value || !thread.value) begin();
  }
}

/** The conversation that the address names, as after a reload. */
export function resumeNamed(): void {
  const named = /conversation=([\w-]+)/.exec(location.hash)?.[1];
  if (named) void resume(named);
}

export async function listThreads(): Promise<void> {
  try {
    threads.value = (await read<{ threads: Thread[] }>("/threads")).threads;
  } catch {
    // The list stays as it was; that the service is gone is said elsewhere.
  }
}

export async function forget(id: string): Promise<void> {
  await asked(`/threads/${encodeURIComponent(id)}`, { method: "DELETE" });
  if (id === thread.value) begin();
  await listThreads();
}
