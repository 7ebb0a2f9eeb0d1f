// What a page's toolbar does beside moving: the map of a question's words, copies, the original.

import { useEffect, useState } from "preact/hooks";
import type { VNode } from "preact";
import { copyPicture, copyText } from "./clipboard";
import { asRegion, type Turned } from "./geometry";
import { Icon, IconButton } from "./icons";
import type { Box, PageFacts } from "./replies";
import { asked, read } from "./service";
import { w } from "./words";

/** How a page is looked at: `zoom` 1 fits its width; `map` is the word that is mapped, "" for all, null for no map. */
export interface Look {
  zoom: number;
  turned: Turned;
  map: string | null;
  marks: boolean;
  selecting: boolean;
  selected: Box | null;
}

export function address(label: string): string {
  return `/pages/${encodeURIComponent(label)}`;
}

export function picture(label: string, asked: Record<string, string | number | undefined>): string {
  const given = Object.entries(asked).filter(([, value]) => value !== undefined && value !== "");
  return `${address(label)}.png?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

export function MapWords({ query, chosen, choose }: { query: string; chosen: string; choose: (word: string) => void }): VNode {
  const [words, setWords] = useState<string[]>([]);
  useEffect(() => {
    read<{ words: string[] }>(`/words?query=${encodeURIComponent(query)}`)
      .then((found) => setWords(found.words))
      .catch(() => setWords([]));
  }, [query]);
  return (
    <div class="map-words" role="group" aria-label={w("map")}>
      {["", ...words].map((word) => (
        <button type="button" class="toggle" aria-pressed={word === chosen} onClick={() => choose(word)}>{word || w("mapAll")}</button>
      ))}
    </div>
  );
}

/** Pixels of the width of a picture that is copied, for the whole page: 200 dots per inch on A4. */
const COPIED_WIDTH = 1654;

export function Copies({ facts, look, change }: { facts: PageFacts; look: Look; change: (changed: Partial<Look>) => void }): VNode {
  const [said, say] = useState("");
  useEffect(() => say(""), [facts.key]);
  const citation = async () => {
    const region = look.selected ? `, region ${asRegion(look.selected).join(",")}` : "";
    say(w((await copyText(`[${facts.label}${region}]`)) ? "copied" : "notCopied"));
  };
  const region = async () => {
    const part = look.selected ?? [0, 0, 1, 1];
    const width = Math.max(200, Math.round(COPIED_WIDTH * (part[2] - part[0])));
    const reply = await asked(picture(facts.key, { region: asRegion(part).join(","), width }));
    const name = `${facts.label.replace(/[^\w.-]+/g, " ").trim()}.png`;
    say(w(await copyPicture(await reply.blob(), name)));
  };
  return (
    <span class="group">
      <a
        class="icon-button" href={`/documents/${facts.document_id}/file#page=${facts.page}`} target="_blank" rel="noopener noreferrer"
        aria-label={w("original")} title={w("original")}
      >
        <Icon name="open" />
      </a>
      <IconButton icon="quote" name={w("copyCitation")} onClick={() => void citation()} />
      <IconButton
        icon="crop" name={w("selectRegion")} pressed={look.selecting}
        onClick={() => change({ selecting: !look.selecting, selected: null })}
      />
      <IconButton icon="copy" name={w("copyRegion")} onClick={() => void region()} />
      <span class="quiet" role="status">{said}</span>
    </span>
  );
}
