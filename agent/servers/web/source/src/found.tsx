// Pages that were found: as a list that is searched for, and as the strip below the page.

import type { VNode } from "preact";
import { Icon } from "./icons";
import { picture } from "./page_tools";
import type { Hit } from "./replies";
import { post, read, told } from "./service";
import { only, open, show, shown, strip } from "./state";
import { address } from "./page_tools";
import { counted, number, w } from "./words";
import { signal } from "@preact/signals";

const query = signal("");
const found = signal<{ query: string; hits: Hit[] } | null>(null);
const MOST = 20;

export function Search(): VNode {
  const search = async (event: Event) => {
    event.preventDefault();
    if (!query.value.trim()) return;
    try {
      found.value = await hitsOf(query.value.trim());
      strip.value = found.value;
      failure.value = "";
    } catch (error) {
      failure.value = told(error);
    }
  };
  return (
    <div class="search">
      <form class="line" role="search" onSubmit={search}>
        <label class="unseen" for="query">{w("search")}</label>
        <input
          id="query" type="search" placeholder={w("searchHint")} value={query.value} autocomplete="off"
          onInput={(event) => (query.value = event.currentTarget.value)}
        />
        <button type="submit" class="primary">{w("search")}</button>
      </form>
      {failure.value && <p class="note bad" role="alert">{failure.value}</p>}
      <p class="quiet" role="status">{summary()}</p>
      <ol class="hits">
        {found.value?.hits.map((hit) => (
          <li key={hit.label}>
            <button type="button" class="hit" onClick={() => look(hit, found.value!.query)} aria-current={shown.value?.label === hit.label ? "true" : undefined}>
              <Thumbnail hit={hit} />
              <span class="what">
                <strong>{hit.label}</strong>
                <Score hit={hit} />
                {hit.lines.slice(0, 3).map((line) => <span class="words">{line}</span>)}
              </span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}

function summary(): string {
  if (!found.value) return w("searchText");
  const count = found.value.hits.length;
  return count === 0 ? w("nothingFound") : counted("found", count);
}

async function hitsOf(text: string): Promise<{ query: string; hits: Hit[] }> {
  const documents = only.value.length ? { documents: only.value } : {};
  return post("/search", { query: text, top_k: MOST, ...documents });
}

function look(hit: Hit, words: string): void {
  show({ label: hit.label, boxes: hit.boxes, outlines: [], query: words });
}

const failure = signal("");

/** Pages that are like one, in the place of what was searched for. */
async function likeThis(hit: Hit): Promise<void> {
  const names = only.value.map((name) => `&documents=${encodeURIComponent(name)}`).join("");
  open("search");
  try {
    found.value = await read(`${address(hit.label)}/similar?top_k=${MOST}${names}`);
    query.value = "";
    strip.value = { ...found.value!, query: `${w("moreLikeThis")}: ${hit.label}` };
    failure.value = "";
  } catch (error) {
    failure.value = told(error);
  }
}

function Thumbnail({ hit }: { hit: Hit }): VNode {
  return <img class="thumbnail" loading="lazy" alt="" src={picture(hit.label, { width: 160 })} width={64} height={84} />;
}

function Score({ hit }: { hit: Hit }): VNode {
  const score = number(hit.score, 2);
  return (
    <span class="score" title={w("score", { score })}>
      <meter min={0} max={1} value={hit.score} aria-label={w("score", { score })} /> {score}
    </span>
  );
}

export function Strip(): VNode | null {
  const { query: words, hits } = strip.value;
  if (!hits.length) return null;
  return (
    <section class="strip" aria-label={w("searched")}>
      <h2 class="quiet">{w("strip", { query: words })}</h2>
      <ul tabIndex={0} aria-label={w("searched")}>
        {hits.map((hit) => (
          <li key={hit.label} class="card" aria-current={shown.value?.label === hit.label ? "true" : undefined}>
            <button type="button" class="look" title={hit.lines.join("\n")} onClick={() => look(hit, words)}>
              <Thumbnail hit={hit} />
              <span class="what">
                <strong>{hit.label}</strong>
                <Score hit={hit} />
                <span class="words">{hit.lines[0] ?? ""}</span>
              </span>
            </button>
            <button type="button" class="plain more" aria-label={`${w("moreLikeThis")}: ${hit.label}`} onClick={() => void likeThis(hit)}>
              <Icon name="again" /> {w("moreLikeThis")}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
