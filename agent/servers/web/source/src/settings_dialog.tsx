// The settings that matter, in a dialog: how questions are answered, language, colours.

import { useEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren, VNode } from "preact";
import type { Encoders } from "./replies";
import { read } from "./service";
import { costOf } from "./upload_list";
import { change, settings, type Settings } from "./settings";
import { me } from "./state";
import { w } from "./words";

export function SettingsDialog({ close }: { close: () => void }): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current!.showModal(), []);
  const { language, colours, offline, effort, dollars } = settings.value;
  const hasModel = me.value !== null && me.value.reasoner !== "offline";
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="settings">
      <h2 id="settings">{w("settings")}</h2>
      <dl>
        <dt>{w("reasoner")}</dt>
        <dd>{me.value?.reasoner}</dd>
        <dt>{w("encoder")}</dt>
        <dd>{me.value?.encoder}</dd>
      </dl>
      <OtherEncoders />
      {!hasModel && <p class="note">{w("noKey")}</p>}
      <fieldset>
        <legend>{w("answering")}</legend>
        <label class="check">
          <input type="checkbox" checked={offline || !hasModel} disabled={!hasModel} onChange={(event) => change({ offline: event.currentTarget.checked })} />
          {w("useOffline")}
        </label>
        <Choice name={w("effort")} value={effort} disabled={!hasModel} choose={(value) => change({ effort: value as Settings["effort"] })}>
          <option value="">{w("effortSet")}</option>
          <option value="low">{w("low")}</option>
          <option value="medium">{w("medium")}</option>
          <option value="high">{w("high")}</option>
        </Choice>
        <label class="field">
          <span>{w("dollars")}</span>
          <input
            type="text" inputMode="decimal" placeholder={w("dollarsHint")} value={dollars} disabled={!hasModel}
            onInput={(event) => change({ dollars: event.currentTarget.value.replace(/[^\d.,]/g, "") })}
          />
        </label>
      </fieldset>
      <Choice name={w("language")} value={language} choose={(value) => change({ language: value as Settings["language"] })}>
        <option value="en" lang="en">English</option>
        <option value="de" lang="de">Deutsch</option>
      </Choice>
      <Choice name={w("colours")} value={colours} choose={(value) => change({ colours: value as Settings["colours"] })}>
        <option value="system">{w("system")}</option>
        <option value="light">{w("light")}</option>
        <option value="dark">{w("dark")}</option>
      </Choice>
      <div class="row end">
        <span class="quiet">{w("keptHere")}</span>
        <button type="button" class="primary" onClick={() => dialog.current!.close()}>{w("close")}</button>
      </div>
    </dialog>
  );
}

/** What encoders that are paid by the page would cost for these pages: nothing is paid here. */
function OtherEncoders(): VNode | null {
  const [found, setFound] = useState<Encoders | null>(null);
  useEffect(() => {
    read<Encoders>("/encoders").then(setFound, () => undefined);
  }, []);
  if (!found?.others.length) return null;
  return (
    <details class="encoders">
      <summary>{w("otherEncoders")}</summary>
      <ul>{found.others.map((one) => <li key={one.model}>{costOf(one)}</li>)}</ul>
      <p class="quiet">{w("otherEncodersHow")}</p>
      <pre tabIndex={0}>pagesight index PATH… --index NEW --encoder {found.others[0]!.model}</pre>
    </details>
  );
}

interface ChoiceOf {
  name: string;
  value: string;
  choose: (value: string) => void;
  disabled?: boolean;
  children: ComponentChildren;
}

function Choice({ name, value, choose, disabled, children }: ChoiceOf): VNode {
  return (
    <label class="field">
      <span>{name}</span>
      <select value={value} disabled={disabled} onChange={(event) => choose(event.currentTarget.value)}>{children}</select>
    </label>
  );
}
