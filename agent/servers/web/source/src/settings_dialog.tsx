// The settings that matter, in a dialog: how questions are answered, language, colours.

import { useEffect, useRef } from "preact/hooks";
import type { ComponentChildren, VNode } from "preact";
import { EncoderChoice, OtherEncoders } from "./encoder_choice";
import { change, settings, type Settings } from "./settings";
import { me } from "./state";
import { number, w } from "./words";

export function SettingsDialog({ close }: { close: () => void }): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current!.showModal(), []);
  const { language, colours, offline, reasoner, effort, dollars, pages } = settings.value;
  const reasoners = me.value?.reasoners ?? [];
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
      <EncoderChoice />
      <OtherEncoders />
      {!hasModel && <p class="note">{w("noKey")}</p>}
      <fieldset>
        <legend>{w("answering")}</legend>
        <label class="check">
          <input type="checkbox" checked={offline || !hasModel} disabled={!hasModel} onChange={(event) => change({ offline: event.currentTarget.checked })} />
          {w("useOffline")}
        </label>
        {reasoners.length > 0 && (
          <Choice name={w("reasoner")} value={reasoner} disabled={offline} choose={(value) => change({ reasoner: value })}>
            <option value="">{w("asSet", { what: me.value!.reasoner })}</option>
            {reasoners.map((one) => (
              <option key={one.name} value={one.name}>
                {one.name.replace(/^.*:/, "")} · {w("perMillion", { input: number(one.input, 2), output: number(one.output, 2) })}
              </option>
            ))}
          </Choice>
        )}
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
        <label class="field">
          <span>{w("pagesAtMost")}</span>
          <input
            type="text" inputMode="numeric" placeholder={w("effortSet")} value={pages}
            onInput={(event) => change({ pages: event.currentTarget.value.replace(/\D/g, "") })}
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
