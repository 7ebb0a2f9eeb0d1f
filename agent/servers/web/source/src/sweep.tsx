// One small question of each document or page: what it will cost, how far it is, and the table with its files.

import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import type { VNode } from "preact";
import { MARKS } from "./citations";
import { saveFile } from "./clipboard";
import { germanReason } from "./german";
import { Icon } from "./icons";
import type { SweepCost, SweptRow, SweptTable } from "./replies";
import { Rows } from "./rows";
import { asked, events, told, toldOf } from "./service";
import { settings } from "./settings";
import { only, show } from "./state";
import { counted, inLanguage, number, w } from "./words";

interface Asked {
  question: string;
  by: "document" | "page";
  documents?: string[];
  offline: boolean;
}

const question = signal("");
const by = signal<Asked["by"]>("document");
const dollars = signal("");
const table = signal<SweptTable | null>(null);
/** What the table was asked with, for its files. */
const last = signal<Asked | null>(null);
const estimate = signal<SweepCost | null>(null);
const progress = signal<{ done: number; total: number } | null>(null);
const error = signal("");
const FORMS = ["csv", "html", "json"] as const;
const ROW = 68; // CSS pixels
let hangUp: AbortController | null = null;

function request(body: unknown): RequestInit {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

async function sweep(wanted: Asked, confirmed: boolean): Promise<void> {
  const most = Number(dollars.value.replace(",", "."));
  const own = (hangUp = new AbortController());
  last.value = wanted;
  [estimate.value, error.value, progress.value] = [null, "", { done: 0, total: 0 }];
  try {
    const body = { ...wanted, confirmed, ...(most > 0 ? { dollars: most } : {}) };
    for await (const [name, now] of events("/sweeps", { ...request(body), signal: own.signal })) {
      if (name === "progress") progress.value = now;
      else if (name === "estimate") estimate.value = now;
      else if (name === "table") table.value = now;
      else if (name === "error") error.value = toldOf(now);
    }
  } catch (failure) {
    error.value = own.signal.aborted ? w("sweepStopped") : told(failure);
  } finally {
    progress.value = null;
  }
}

export function Sweep(): VNode {
  const wanted = (): Asked => ({
    question: question.value.trim(), by: by.value, offline: settings.value.offline, ...(only.value.length ? { documents: only.value } : {}),
  }); // prettier-ignore
  const send = (event: Event) => {
    event.preventDefault();
    if (question.value.trim() && !progress.value) void sweep(wanted(), false);
  };
  return (
    <div class="sweep">
      <form class="line" onSubmit={send}>
        <label class="unseen" for="each">{w("sweepQuestion")}</label>
        <input
          id="each" type="text" placeholder={w("sweepHint")} value={question.value} autocomplete="off"
          onInput={(event) => (question.value = event.currentTarget.value)}
        />
        <label>
          <span class="unseen">{w("sweepBy")}</span>
          <select value={by.value} onChange={(event) => (by.value = event.currentTarget.value as Asked["by"])}>
            <option value="document">{w("eachDocument")}</option>
            <option value="page">{w("eachPage")}</option>
          </select>
        </label>
        {progress.value ? (
          <button type="button" class="send" aria-label={w("stop")} title={w("stop")} onClick={() => hangUp?.abort()}><Icon name="stop" /></button>
        ) : (
          <button type="submit" class="primary" disabled={!question.value.trim()}>{w("ask")}</button>
        )}
      </form>
      {estimate.value && <Price pay={() => void sweep(last.value!, true)} />}
      {error.value && <p class="note bad" role="alert">{error.value}</p>}
      <p class="quiet" role="status">{state()}</p>
      {progress.value && <progress max={progress.value.total || undefined} value={progress.value.total ? progress.value.done : undefined} aria-label={state()} />}
      {table.value && !progress.value && <Table table={table.value} />}
    </div>
  );
}

function state(): string {
  if (progress.value) return w("sweepProgress", { done: number(progress.value.done), total: number(progress.value.total) });
  if (!table.value) return w("sweepText");
  const { counts, dollars: paid, reasoner } = table.value;
  const cost = reasoner === "offline" ? w("free") : paid === null ? w("priceUnknown") : w("aboutDollars", { dollars: number(paid, 4) });
  return [w("sweepCounts", counts), reasoner, cost].join(" · ");
}

/** What asking will take, in words. */
function costOf({ reasoner, noun, asked, kept, pictures, input_tokens, output_tokens, dollars, in_jobs }: SweepCost): string {
  return [
    `${reasoner}: ${counted(noun === "page" ? "pagesOf" : "total", asked)}`,
    kept ? counted("knownBefore", kept) : "",
    pictures ? counted("pictures", pictures) : "",
    w("tokensInOut", { read: number(input_tokens), written: number(output_tokens) }),
    dollars === null ? w("priceUnknown") : w("aboutDollars", { dollars: number(dollars, 4) }),
    in_jobs ? w("inJobs") : "",
  ].filter(Boolean).join(" · "); // prettier-ignore
}

function Price({ pay }: { pay: () => void }): VNode {
  return (
    <div class="price">
      <p class="note warn" role="alert">{w("sweepAsks", { cost: costOf(estimate.value!) })}</p>
      <div class="row">
        <label class="row">
          <span>{w("atMost")}</span>
          <input type="text" inputMode="decimal" size={6} value={dollars.value} onInput={(event) => (dollars.value = event.currentTarget.value.replace(/[^\d.,]/g, ""))} />
        </label>
        <button type="button" class="primary" onClick={pay}>{w("askAndPay")}</button>
        <button type="button" class="secondary" onClick={() => (estimate.value = null)}>{w("cancel")}</button>
      </div>
    </div>
  );
}

function Table({ table }: { table: SweptTable }): VNode {
  const [said, say] = useState("");
  const save = async (form: (typeof FORMS)[number]) => {
    try {
      const reply = await asked("/sweeps/file", request({ ...last.value, form }));
      saveFile(await reply.blob(), `sweep.${form}`);
      say(w("saved"));
    } catch (failure) {
      say(told(failure));
    }
  };
  return (
    <>
      <div class="row files">
        <h2>{table.question}</h2>
        {FORMS.map((form) => (
          <button type="button" class="plain" aria-label={w("saveAs", { form: form.toUpperCase() })} onClick={() => void save(form)}>
            <Icon name="save" /> {form.toUpperCase()}
          </button>
        ))}
        <span class="quiet" role="status">{said}</span>
      </div>
      <Rows items={table.rows} height={ROW} label={w("sweepTable")} keyOf={(row) => `${row.document_id}:${row.page}`} row={(row) => <Row row={row} />} />
    </>
  );
}

function Row({ row }: { row: SweptRow }): VNode {
  const name = row.page === null ? row.document : `${row.document} p. ${row.page}`;
  const outcome = row.outcome ?? undefined;
  const page = row.citation?.startsWith(row.document) ? row.citation.slice(row.document.length).trim() : row.citation; // the name stands beside it
  const why = inLanguage(row.reason, germanReason);
  return (
    <div class="swept" data-outcome={outcome}>
      <span class="what">
        <strong title={name}>{name}</strong>
        <span class="words" title={why}>
          {row.state === "answered" ? row.value : <span class="quiet">{w(STATES[row.state])}{row.state === "failed" ? `: ${why}` : ""}</span>}
        </span>
      </span>
      {row.citation && (
        <button type="button" class="chip" data-outcome={outcome} title={why} aria-label={`${outcome ? w(outcome) : ""} ${row.citation}`.trim()} onClick={() => show({ label: row.citation!, boxes: row.boxes, query: table.value!.question })}>
          {outcome && <span class="mark" aria-hidden="true">{MARKS[outcome]}</span>}
          {page}
        </button>
      )}
    </div>
  );
}

const STATES = { answered: "found", none: "stateNone", failed: "stateFailed", "not asked": "stateNotAsked" } as const;
