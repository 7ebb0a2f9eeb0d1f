// The page that is cited: large and sharp, with the words marked; its neighbours, zoom, rotation, map, copies.

import { useEffect, useState } from "preact/hooks";
import type { VNode } from "preact";
import { IconButton } from "./icons";
import type { PageFacts } from "./replies";
import { read, told } from "./service";
import { me, shown } from "./state";
import { Stage } from "./stage";
import { CorrectionPanel, useCorrecting, WordsToChoose } from "./corrections";
import { address, Copies, MapWords, type Look } from "./page_tools";
import type { Turned } from "./geometry";
import { counted, w } from "./words";

const SMALLEST = 0.25;
const LARGEST = 8;
const STEP = 1.25;

export function Viewer(): VNode {
  const page = shown.value;
  const [facts, setFacts] = useState<PageFacts | null>(null);
  const [error, setError] = useState("");
  const [changed, setChanged] = useState(0);
  useEffect(() => {
    setError("");
    if (!page) return;
    let gone = false;
    read<PageFacts>(`${address(page.label)}.json`)
      .then((found) => gone || setFacts(found))
      .catch((failure) => gone || setError(told(failure)));
    return () => {
      gone = true;
    };
  }, [page?.label, changed]);
  if (!page || (error && !facts)) {
    return (
      <section class="viewer empty" aria-label={w("page")}>
        <h2>{w("noPage")}</h2>
        <p class={error ? "note bad" : "quiet"}>{error || w("noPageText")}</p>
      </section>
    );
  }
  return (
    <section class="viewer" aria-label={w("page")}>
      {facts ? <Opened facts={facts} changed={() => setChanged((count) => count + 1)} /> : !error && <p class="quiet" role="status">{w("working")}</p>}
      {error && <p class="note bad" role="alert">{error}</p>}
    </section>
  );
}

function Opened({ facts, changed }: { facts: PageFacts; changed: () => void }): VNode {
  const page = shown.value!;
  const [look, setLook] = useState<Look>({ zoom: 1, turned: 0, map: null, marks: true, selecting: false, selected: null });
  const [text, setText] = useState(false);
  const [isCorrecting, setCorrecting] = useState(false);
  const correcting = useCorrecting(facts, isCorrecting, changed);
  const change = (changed: Partial<Look>) => setLook((now) => ({ ...now, ...changed }));
  useEffect(() => change({ selected: null, selecting: false }), [facts.key]);
  useEffect(() => change({ map: null }), [page.query]);
  const zoom = (factor: number) => change({ zoom: Math.min(LARGEST, Math.max(SMALLEST, look.zoom * factor)) });
  const go = (label: string | null) => label && (shown.value = { label, query: page.query });
  const turn = () => change({ turned: ((look.turned + 90) % 360) as Turned });
  const acts: Record<string, () => void> = {
    "+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP), "0": () => change({ zoom: 1 }), r: turn,
    n: () => go(facts.next), p: () => go(facts.previous),
  }; // prettier-ignore
  const key = (event: KeyboardEvent) => {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!plain || event.target instanceof HTMLInputElement || !acts[event.key]) return;
    event.preventDefault();
    acts[event.key]!();
  };
  const marked = (page.boxes?.length ?? 0) + (page.outlines?.length ?? 0);
  return (
    <div class="opened" onKeyDown={key}>
      <div class="title">
        <h2 title={facts.label}>{facts.label}</h2>
        {marked > 0 && <span class="quiet" role="status">{counted("marked", marked)}</span>}
      </div>
      <div class="bar" role="group" aria-label={w("page")}>
        <span class="group">
          <IconButton icon="left" name={w("previous")} keys="p" disabled={!facts.previous} onClick={() => go(facts.previous)} />
          <PageNumber facts={facts} go={go} />
          <IconButton icon="right" name={w("next")} keys="n" disabled={!facts.next} onClick={() => go(facts.next)} />
        </span>
        <span class="group">
          <IconButton icon="minus" name={w("zoomOut")} keys="-" onClick={() => zoom(1 / STEP)} />
          <output class="percent">{Math.round(look.zoom * 100)} %</output>
          <IconButton icon="plus" name={w("zoomIn")} keys="+" onClick={() => zoom(STEP)} />
          <IconButton icon="fit" name={w("fit")} keys="0" onClick={() => change({ zoom: 1 })} />
          <IconButton icon="rotate" name={w("rotate")} keys="r" onClick={turn} />
        </span>
        <span class="group">
          <IconButton icon="map" name={w("map")} pressed={look.map !== null} disabled={!page.query} onClick={() => change({ map: look.map === null ? "" : null })} />
          <IconButton icon="text" name={w("pageText")} pressed={text} onClick={() => setText(!text)} />
          {me.value?.scopes.includes("write") && (
            <IconButton icon="edit" name={w("correct")} pressed={isCorrecting} onClick={() => (setText(false), setCorrecting(!isCorrecting))} />
          )}
        </span>
        <Copies facts={facts} look={look} change={change} />
      </div>
      {look.map !== null && page.query && <MapWords query={page.query} chosen={look.map} choose={(map) => change({ map })} />}
      {isCorrecting && <CorrectionPanel correcting={correcting} />}
      {text ? (
        <PageText facts={facts} />
      ) : (
        <Stage facts={facts} look={look} change={change} zoomBy={zoom}>{isCorrecting && <WordsToChoose correcting={correcting} />}</Stage>
      )}
    </div>
  );
}

function PageNumber({ facts, go }: { facts: PageFacts; go: (label: string) => void }): VNode {
  const change = (event: Event) => {
    const field = event.currentTarget as HTMLInputElement;
    const wanted = Math.min(facts.pages, Math.max(1, Math.round(Number(field.value) || facts.page)));
    field.value = String(wanted);
    if (wanted !== facts.page) go(`${facts.document_id}:${wanted}`);
  };
  return (
    <label class="number">
      <span class="unseen">{w("pageNumber", { pages: facts.pages })}</span>
      <input type="number" min={1} max={facts.pages} key={facts.key} value={facts.page} onChange={change} />
      <span aria-hidden="true" class="quiet">{w("of", { pages: facts.pages })}</span>
    </label>
  );
}

function PageText({ facts }: { facts: PageFacts }): VNode {
  return (
    <div class="page-text" tabIndex={0} role="region" aria-label={w("pageText")}>
      {facts.text.trim() ? <pre>{facts.text}</pre> : <p class="quiet">{w("noText")}</p>}
    </div>
  );
}
