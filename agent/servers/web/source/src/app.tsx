// The page: conversation, search and documents at the left, the cited page at the right, what was searched below it.

import { useState } from "preact/hooks";
import type { VNode } from "preact";
import { Conversation } from "./conversation";
import { Documents, useDrop } from "./documents";
import { Search, Strip } from "./found";
import { germanLack } from "./german";
import { IconButton } from "./icons";
import { connection } from "./service";
import { front, me, open, tab, type Tab } from "./state";
import { Sweep } from "./sweep";
import { SettingsDialog } from "./settings_dialog";
import { Viewer } from "./viewer";
import { counted, inLanguage, w } from "./words";

function skip(event: Event): void {
  event.preventDefault(); // the address's fragment names the conversation
  open("ask");
  setTimeout(() => document.getElementById("question")?.focus());
}

const TABS: Record<Tab, () => VNode> = { ask: Conversation, search: Search, sweep: Sweep, documents: Documents };

export function App(): VNode {
  const [set, setSet] = useState(false);
  const over = useDrop();
  const Left = TABS[tab.value];
  return (
    <div class="app" data-front={front.value}>
      <a class="skip" href="#question" onClick={skip}>{w("skip")}</a>
      <header class="top">
        <h1>pagesight</h1>
        <Tabs />
        <Holds />
        <IconButton icon="gear" name={w("settings")} onClick={() => setSet(true)} />
      </header>
      <Trouble />
      <main>
        <section class="left" aria-label={w("left_")}><Left /></section>
        <div class="right">
          <Viewer />
          <Strip />
        </div>
      </main>
      {set && <SettingsDialog close={() => setSet(false)} />}
      {over && <div class="drop-here" aria-hidden="true">{w("drop")}</div>}
    </div>
  );
}

function Tabs(): VNode {
  const isFront = (which: Tab) => tab.value === which;
  return (
    <nav class="tabs" aria-label={w("left_")}>
      {(Object.keys(TABS) as Tab[]).map((which) => (
        <button type="button" class="tab" aria-current={isFront(which) ? "page" : undefined} data-behind={front.value === "page" || undefined} onClick={() => open(which)}>
          {w(which)}
        </button>
      ))}
      <button type="button" class="tab only-narrow" aria-current={front.value === "page" ? "page" : undefined} onClick={() => (front.value = "page")}>
        {w("page")}
      </button>
    </nav>
  );
}

function Holds(): VNode | null {
  if (!me.value) return null;
  const { documents, pages, reasoner, why } = me.value;
  return (
    <p class="holds quiet">
      <span>{counted("total", documents)} · {counted("pagesOf", pages)}</span>
      <span class="badge" title={inLanguage(why, germanLack)}>{reasoner}</span>
    </p>
  );
}

function Trouble(): VNode | null {
  if (connection.value === "fine") return null;
  return <p class="trouble" role="alert">{w(connection.value)}</p>;
}
