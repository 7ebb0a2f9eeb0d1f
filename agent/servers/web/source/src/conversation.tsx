// The conversation: questions with their steps and answers, the line to ask in, the kept conversations.

import { useEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { AnswerText, Draft, Took } from "./answer";
import {
  ask, askInstead, begin, draft, editing, forget, listThreads, resume, running, stop, thread, threads, turns, versions, type Turn,
} from "./chat"; // prettier-ignore
import { germanStep } from "./german";
import { Icon, IconButton } from "./icons";
import { me, only, open } from "./state";
import { settings } from "./settings";
import { counted, inLanguage, w } from "./words";

export function Conversation(): VNode {
  const log = useRef<HTMLDivElement>(null);
  const last = turns.value.at(-1);
  useEffect(() => {
    log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [turns.value.length, last?.text.length, last?.steps.length, last?.state]);
  return (
    <div class="conversation">
      <Kept />
      <div class="log" ref={log} tabIndex={0} role="log" aria-label={w("ask")} aria-live="off">
        {turns.value.length ? turns.value.map((one, place) => <OneTurn key={one.id} turn={one} place={place} />) : <Start />}
      </div>
      <p class="unseen" role="status">{last?.state === "running" ? w("working") : last?.answer ? last.answer.answer : ""}</p>
      <Line />
    </div>
  );
}

function Start(): VNode {
  const empty = me.value?.documents === 0;
  return (
    <div class="start">
      <h2>{w("start")}</h2>
      <p>{w(empty ? "startEmpty" : "startText")}</p>
      {empty && (
        <button type="button" class="primary" onClick={() => open("documents")}>{w("addDocuments")}</button>
      )}
      {me.value?.reasoner === "offline" && <p class="note">{w("noKey")}</p>}
    </div>
  );
}

function OneTurn({ turn, place }: { turn: Turn; place: number }): VNode {
  const edit = () => {
    editing.value = turn;
    draft.value = turn.question;
    document.getElementById("question")?.focus();
  };
  return (
    <article class="turn">
      <div class="asked">
        <h3>{turn.question}</h3>
        {turn.state !== "running" && !running.value && (
          <span class="tools">
            <IconButton icon="edit" name={w("edit")} onClick={edit} />
            <IconButton icon="again" name={w("again")} onClick={() => void ask(turn.question)} />
          </span>
        )}
      </div>
      <Versions place={place} />
      <Steps turn={turn} />
      {turn.answer ? <AnswerText answer={turn.answer} /> : turn.text && <Draft text={turn.text} />}
      <Ending turn={turn} />
    </article>
  );
}

/** The ways to what was asked in the place of a question. */
function Versions({ place }: { place: number }): VNode | null {
  const others = versions.value.filter((one) => one.place === place);
  if (!others.length) return null;
  return (
    <p class="versions">
      <span class="quiet">{w("otherVersions")}</span>
      {others.map((one) => (
        <button type="button" class="plain" key={one.thread} onClick={() => void resume(one.thread)}>{one.question}</button>
      ))}
    </p>
  );
}

function Steps({ turn }: { turn: Turn }): VNode | null {
  if (turn.state === "running" && !turn.text) {
    const now = turn.position ? w("waitingAt", { position: turn.position }) : w("working");
    return (
      <ul class="steps">
        {turn.steps.map((one) => <li>{inLanguage(one, germanStep)}</li>)}
        <li class="now">{now}</li>
      </ul>
    );
  }
  if (!turn.steps.length) return null;
  return (
    <details class="steps">
      <summary>{counted("steps", turn.steps.length)}</summary>
      <ul>{turn.steps.map((one) => <li>{inLanguage(one, germanStep)}</li>)}</ul>
    </details>
  );
}

function Ending({ turn }: { turn: Turn }): VNode | null {
  if (turn.state === "failed") return <p class="note bad" role="alert">{turn.error}</p>;
  if (turn.state === "stopped") return <p class="note">{w(turn.text ? "stopped" : "noAnswer")}</p>;
  return turn.answer && turn.usage ? <Took usage={turn.usage} answer={turn.answer} /> : null;
}

function Line(): VNode {
  const send = () => {
    const question = draft.value;
    if (!question.trim() || running.value) return;
    const old = editing.value;
    draft.value = "";
    editing.value = null;
    void (old ? askInstead(old, question) : ask(question));
  };
  const key = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form class="line" onSubmit={(event) => (event.preventDefault(), send())}>
      {only.value.length > 0 && (
        <p class="only">
          {w("narrowed", { names: only.value.join(", ") })}
          <IconButton icon="close" name={w("narrowOff")} onClick={() => (only.value = [])} />
        </p>
      )}
      {editing.value && (
        <p class="only">
          {w("editing")}
          <IconButton icon="close" name={w("editingOff")} onClick={() => ((editing.value = null), (draft.value = ""))} />
        </p>
      )}
      <label class="unseen" for="question">{w("question")}</label>
      <textarea
        id="question" rows={1} placeholder={w("questionHint")} value={draft.value} onKeyDown={key}
        onInput={(event) => (draft.value = event.currentTarget.value)}
      />
      {running.value ? (
        <button type="button" class="send" aria-label={w("stop")} title={w("stop")} onClick={stop}><Icon name="stop" /></button>
      ) : (
        <button type="submit" class="send" aria-label={w("send")} title={w("send")} disabled={!draft.value.trim()}><Icon name="send" /></button>
      )}
    </form>
  );
}

function Kept(): VNode {
  const [isOpen, setOpen] = useState(false);
  const choose = (act: () => void) => () => {
    setOpen(false);
    act();
  };
  return (
    <nav class="kept" aria-label={w("conversations")}>
      <div class="row">
        <button
          type="button" class="plain" aria-expanded={isOpen} aria-controls="threads"
          onClick={() => (setOpen(!isOpen), void listThreads())}
        >
          <Icon name="list" /> {w("conversations")}
        </button>
        {turns.value.some((one) => one.answer) && (
          <a class="icon-button" href={`/threads/${thread.value}/report`} download="pagesight.html" aria-label={w("report")} title={w("report")}>
            <Icon name="save" />
          </a>
        )}
        <button type="button" class="plain" onClick={choose(begin)}><Icon name="plus" /> {w("newConversation")}</button>
      </div>
      <ul id="threads" hidden={!isOpen}>
        {threads.value.length === 0 && <li class="quiet">{w("noConversations")}</li>}
        {threads.value.map((one) => (
          <li key={one.thread_id}>
            <button
              type="button" class="plain title" aria-current={one.thread_id === thread.value ? "true" : undefined}
              onClick={choose(() => void resume(one.thread_id))}
            >
              <span>{one.title || one.thread_id}{one.asked.length > 1 && <span class="quiet"> · {one.asked.at(-1)}</span>}</span>
              <time class="quiet" dateTime={one.last}>{when(one.last)}</time>
            </button>
            <IconButton icon="trash" name={w("deleteConversation", { title: one.title })} onClick={() => void forget(one.thread_id)} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

function when(date: string): string {
  return new Date(date).toLocaleString(settings.value.language, { dateStyle: "short", timeStyle: "short" });
}
