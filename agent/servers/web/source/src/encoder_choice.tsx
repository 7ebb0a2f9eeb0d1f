// The index's encoder: what others would cost for these pages and, while nothing is in, which one shall make its vectors.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { VNode } from "preact";
import { germanLack } from "./german";
import type { Encoders } from "./replies";
import { read } from "./service";
import { me } from "./state";
import { costOf } from "./upload_list";
import { chosenEncoder } from "./uploads";
import { counted, inLanguage, w } from "./words";

const encoders = signal<Encoders | null>(null);

/** Reads them anew whenever what the index holds is another. */
function useEncoders(): Encoders | null {
  useEffect(() => {
    read<Encoders>("/encoders").then((found) => (encoders.value = found), () => undefined);
  }, [me.value?.pages, me.value?.encoder]);
  return encoders.value;
}

/** The choice for an index with nothing in it. Nothing is paid here: an upload says its price, and waits for a yes. */
export function EncoderChoice(): VNode | null {
  const found = useEncoders();
  if (!found?.changeable) return null;
  const lacking = found.others.filter((one) => one.lacks);
  return (
    <div class="encoder-choice">
      <label class="field">
        <span>{w("chooseEncoder")}</span>
        <select value={chosenEncoder.value || found.encoder} onChange={(event) => (chosenEncoder.value = event.currentTarget.value)}>
          {[found.own, ...found.others].map((one) => (
            <option key={one.model} value={one.model} disabled={Boolean(one.lacks)}>{costOf(one)}</option>
          ))}
        </select>
      </label>
      <p class="quiet">{w("chooseEncoderHow")}</p>
      {lacking.length > 0 && (
        <details>
          <summary>{counted("cannotBeChosen", lacking.length)}</summary>
          <ul>{lacking.map((one) => <li key={one.model}>{inLanguage(one.lacks, germanLack)}</li>)}</ul>
        </details>
      )}
    </div>
  );
}

/** What other encoders would cost for the pages that are in: nothing is paid here. */
export function OtherEncoders(): VNode | null {
  const found = useEncoders();
  if (!found?.others.length || found.changeable) return null;
  return (
    <details class="encoders">
      <summary>{w("otherEncoders", { pages: counted("pagesOf", found.pages) })}</summary>
      <ul>{found.others.map((one) => <li key={one.model}>{costOf(one)}</li>)}</ul>
      <p class="quiet">{w("otherEncodersHow")}</p>
      <pre tabIndex={0}>pagesight index --encoder {(found.others.find((one) => one.tokens) ?? found.others[0]!).model}</pre>
    </details>
  );
}
