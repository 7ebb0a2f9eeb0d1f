// The documents: adding by dropping, how far each upload is, the list with its filters, removing.

import { useEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { dropped, named } from "./dropped";
import { EncoderChoice } from "./encoder_choice";
import { IconButton } from "./icons";
import { Uploads } from "./upload_list";
import type { Doc } from "./replies";
import { read, told } from "./service";
import { Rows } from "./rows";
import { me, only, open, show } from "./state";
import { changes, removeDocument, upload } from "./uploads";
import { counted, w } from "./words";

const MOST = 10_000; // what the service lists at once
const ROW = 56;
const WAITS = 200; // ms after the last letter of a filter

export function Documents(): VNode {
  const [name, setName] = useState("");
  const [where, setWhere] = useState("");
  const [listed, setListed] = useState<{ documents: Doc[]; total: number }>({ documents: [], total: 0 });
  const [error, setError] = useState("");
  const [removing, setRemoving] = useState<Doc | null>(null);
  useEffect(() => {
    const asked = new URLSearchParams({ limit: String(MOST), ...(name ? { containing: name } : {}), ...(where.trim() ? { where } : {}) });
    let gone = false;
    const waiting = setTimeout(() => {
      read<{ documents: Doc[]; total: number }>(`/documents?${asked}`)
        .then((found) => gone || (setListed(found), setError("")))
        .catch((failure) => gone || setError(told(failure)));
    }, WAITS);
    return () => {
      gone = true;
      clearTimeout(waiting);
    };
  }, [name, where, changes.value]);
  return (
    <div class="documents">
      <Add />
      <EncoderChoice />
      <Uploads />
      <div class="filters">
        <label>
          <span>{w("filterName")}</span>
          <input type="search" value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <label>
          <span>{w("filterWhere")}</span>
          <input type="search" value={where} placeholder={w("whereHint")} onInput={(event) => setWhere(event.currentTarget.value)} />
        </label>
      </div>
      {error && <p class="note bad" role="alert">{error}</p>}
      <p class="quiet total" role="status">
        {counted("total", listed.total)} {me.value && ` · ${me.value.encoder}`}
      </p>
      {listed.documents.length > 0 && (
        <Rows items={listed.documents} height={ROW} label={w("documents")} keyOf={(one) => one.document_id} row={(one) => <Row doc={one} remove={() => setRemoving(one)} />} />
      )}
      {removing && <Remove doc={removing} close={() => setRemoving(null)} />}
    </div>
  );
}

function Row({ doc, remove }: { doc: Doc; remove: () => void }): VNode {
  const facts = Object.entries(doc.metadata).filter(([key]) => key !== "uploaded_by").map(([key, value]) => `${key}: ${value}`);
  const narrow = () => {
    only.value = [...new Set([...only.value, doc.document])];
    open("ask");
  };
  return (
    <div class="row document">
      <button type="button" class="plain title" title={doc.document} aria-label={w("openDocument", { name: doc.document })} onClick={() => show({ label: `${doc.document_id}:1` })}>
        <strong>{doc.document}</strong>
        <span class="quiet">{[counted("pagesOf", doc.pages), ...facts].join(" · ")}</span>
      </button>
      <IconButton icon="only" name={w("onlyThis", { name: doc.document })} onClick={narrow} />
      <IconButton icon="trash" name={w("remove", { name: doc.document })} onClick={remove} />
    </div>
  );
}

function Add(): VNode {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const chosen = (event: Event) => {
    const field = event.currentTarget as HTMLInputElement;
    if (field.files?.length) void upload(named(field.files));
    field.value = "";
  };
  return (
    <div class="add">
      <p><strong>{w("drop")}</strong> <span class="quiet">{w("dropKinds")}</span></p>
      <div class="row">
        <button type="button" class="primary" onClick={() => files.current!.click()}>{w("chooseFiles")}</button>
        <button type="button" class="secondary" onClick={() => folder.current!.click()}>{w("chooseFolder")}</button>
      </div>
      <input ref={files} type="file" multiple hidden onChange={chosen} data-for="files" />
      <input ref={(one) => { folder.current = one; if (one) one.webkitdirectory = true; }} type="file" hidden onChange={chosen} data-for="folder" />
    </div>
  );
}

function Remove({ doc, close }: { doc: Doc; close: () => void }): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState("");
  useEffect(() => dialog.current!.showModal(), []);
  const remove = async () => {
    try {
      await removeDocument(doc.document_id);
      only.value = only.value.filter((name) => name !== doc.document);
      close();
    } catch (failure) {
      setError(told(failure));
    }
  };
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="removing">
      <h2 id="removing">{w("removeShort")}</h2>
      <p>{w("removeText", { name: doc.document })}</p>
      {error && <p class="note bad" role="alert">{error}</p>}
      <div class="row end">
        <button type="button" class="secondary" onClick={close} autofocus>{w("cancel")}</button>
        <button type="button" class="primary danger" onClick={() => void remove()}>{w("removeShort")}</button>
      </div>
    </dialog>
  );
}

/** Takes what is dropped anywhere on the page. */
export function useDrop(): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const brings = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const drag = (event: DragEvent) => {
      if (!brings(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    const drop = (event: DragEvent) => {
      if (!brings(event)) return;
      event.preventDefault();
      setOver(false);
      open("documents");
      void dropped(event.dataTransfer!).then(upload);
    };
    window.addEventListener("dragover", drag);
    window.addEventListener("dragleave", leave);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragover", drag);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("drop", drop);
    };
  }, []);
  return over;
}
