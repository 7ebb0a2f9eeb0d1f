// Asks the service; says whether it can be reached, and finds out when it is back.

import { signal } from "@preact/signals";
import { said, w } from "./words";

export type Connection = "fine" | "lost" | "locked";
export const connection = signal<Connection>("fine");

const LOOK_EVERY = 5000; // ms between two looks at a service that answers, and at one that does not
const LOOK_EVERY_WHEN_LOST = 1000;

/** What a reply, or an event, tells of an error (RFC 9457). */
export interface Problem {
  type?: string; // urn:pagesight:unknown-page
  detail?: string;
}

/** An error that the service told of. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.detail);
  }
}

/** Nobody answered, or the connection broke off. */
export class Gone extends Error {}

/** The reply. Raises Refused, Gone where nobody answers, and AbortError for what was stopped. */
export async function asked(path: string, init: RequestInit = {}): Promise<Response> {
  const reply = await fetch(path, { ...init, credentials: "same-origin" }).catch(gone);
  connection.value = reply.status === 401 ? "locked" : "fine";
  if (reply.ok) return reply;
  throw new Refused(reply.status, await problem(reply));
}

function gone(error: unknown): never {
  if (error instanceof DOMException && error.name === "AbortError") throw error;
  connection.value = "lost";
  throw new Gone();
}

export async function read<Reply>(path: string, init: RequestInit = {}): Promise<Reply> {
  return (await asked(path, init)).json() as Promise<Reply>;
}

export function post<Reply>(path: string, body: unknown): Promise<Reply> {
  return read<Reply>(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

async function problem(reply: Response): Promise<Problem> {
  const nothing = { detail: reply.statusText || String(reply.status) };
  return reply.json().then((told: Problem) => (told.detail ? told : nothing), () => nothing); // prettier-ignore
}

/** The events of a stream: names and data. Ends with the stream; raises as `asked`. */
export async function* events(path: string, init: RequestInit = {}): AsyncGenerator<[string, any]> {
  const reply = await asked(path, { ...init, headers: { ...init.headers, Accept: "text/event-stream" } });
  const reader = reply.body!.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(gone);
      if (done) return;
      const parts = (kept + value).replaceAll("\r\n", "\n").split("\n\n");
      kept = parts.pop() ?? "";
      for (const part of parts) {
        const told = event(part);
        if (told) yield told;
      }
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function event(text: string): [string, any] | null {
  let name = "message";
  let data = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    else if (line.startsWith("data:")) data += line.slice(5).trimStart();
  }
  return data ? [name, JSON.parse(data)] : null;
}

/** Looks at the service now and then; `back` is called whenever it answers again. */
export function watch(back: () => void): void {
  const look = async () => {
    const before = connection.value;
    if (document.visibilityState === "visible" && before !== "locked") {
      try {
        await fetch("/healthz", { credentials: "same-origin" });
        if (before === "lost") {
          connection.value = "fine";
          back();
        }
      } catch {
        connection.value = "lost";
      }
    }
    setTimeout(look, connection.value === "lost" ? LOOK_EVERY_WHEN_LOST : LOOK_EVERY);
  };
  setTimeout(look, LOOK_EVERY_WHEN_LOST);
}

/** What to tell a person of an error. */
export function told(error: unknown): string {
  if (error instanceof Gone) return w("gone");
  if (error instanceof Refused) return toldOf(error.problem);
  return error instanceof Error ? error.message : String(error);
}

/** What to tell a person of an error that the service told of. */
export function toldOf({ type, detail }: Problem): string {
  return said((type ?? "").split(":").at(-1)!, detail ?? "");
}
