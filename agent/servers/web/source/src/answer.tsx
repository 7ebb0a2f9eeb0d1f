// An answer: its Markdown with a chip for each citation, what was found out of its sentences, what it took.

import { useMemo, useState } from "preact/hooks";
import type { VNode } from "preact";
import { Markdown } from "./markdown";
import { citedIn, claimsInOrder, looksCited, MARKS, pageOf, type Cited } from "./citations";
import { copyText } from "./clipboard";
import { germanReason } from "./german";
import { IconButton } from "./icons";
import type { Answer, Claim, Usage } from "./replies";
import { me, show } from "./state";
import { counted, inLanguage, number, w } from "./words";

export function AnswerText({ answer }: { answer: Answer }): VNode {
  const drawn = useMemo(() => {
    const claimOf = claimsInOrder(answer);
    const bracket = (text: string) => {
      const cited = citedIn(text, answer);
      return cited.length ? cited.map((one) => <Chip answer={answer} cited={one} claim={claimOf(one)} />) : undefined;
    };
    return <Markdown text={answer.answer} bracket={bracket} />;
  }, [answer]);
  return (
    <>
      {drawn}
      {!answer.found && <p class="note">{w("notFound")}</p>}
      {answer.cut_off && <p class="note warn">{w("cutOff")}</p>}
      {answer.claims.length > 0 && <Claims answer={answer} />}
    </>
  );
}

/** An answer that is still being written: its citations are not checked yet. */
export function Draft({ text }: { text: string }): VNode {
  return <Markdown text={text} bracket={(one) => (looksCited(one) ? <span class="chip pending">{one}</span> : undefined)} />;
}

function Chip({ answer, cited, claim }: { answer: Answer; cited: Cited; claim?: Claim }): VNode {
  const outcome = cited.verified ? claim?.outcome : "unsupported";
  const why = cited.verified ? claim && finding(claim) : w("unverified");
  return (
    <button type="button" class="chip" data-outcome={outcome} title={why} onClick={() => show(pageOf(answer, cited, claim))}>
      {outcome && (
        <span class="mark">
          <span aria-hidden="true">{MARKS[outcome]}</span>
          <span class="unseen">{cited.verified ? w(outcome) : w("unverified")}: </span>
        </span>
      )}
      {cited.label}
    </button>
  );
}

/** The outcome, and the service's reason where it says more. */
export function finding({ outcome, reason }: Pick<Claim, "outcome" | "reason">): string {
  return reason && reason !== "the cited words say it" ? `${w(outcome)}: ${inLanguage(reason, germanReason)}` : w(outcome);
}

function Claims({ answer }: { answer: Answer }): VNode {
  const marks = answer.claims.map((claim) => MARKS[claim.outcome]);
  const counts = [...new Set(marks)].map((mark) => `${mark} ${marks.filter((one) => one === mark).length}`);
  return (
    <details class="claims">
      <summary>
        {counted("checked", answer.claims.length)} <span class="quiet">{counts.join("  ")}</span>
      </summary>
      <ul>
        {answer.claims.map((claim) => (
          <li data-outcome={claim.outcome}>
            <span class="mark" aria-hidden="true">{MARKS[claim.outcome]}</span>
            <span>
              {claim.text} <span class="quiet">{finding(claim)}</span>{" "}
              {claim.citations.map((one) => (
                <button type="button" class="chip" onClick={() => show(pageOf(answer, one, claim))}>{one.label}</button>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

export function Took({ usage, answer }: { usage: Usage; answer: Answer }): VNode {
  const [said, say] = useState("");
  const parts = [answer.reasoner || me.value?.reasoner, ...took(usage)].filter(Boolean);
  const copy = async () => say((await copyText(answer.answer)) ? w("copied") : w("notCopied"));
  return (
    <p class="took">
      <span>{parts.join(" · ")}</span>
      <span class="quiet" role="status">{said}</span>
      <IconButton icon="copy" name={w("copyAnswer")} onClick={copy} />
    </p>
  );
}

function took(usage: Usage): string[] {
  const tokens = usage.total_tokens ?? (usage.input_tokens ?? 0) + (usage.output_tokens ?? 0);
  return [
    tokens ? w("tokens", { count: number(tokens) }) : "",
    usage.cost ? `$${number(usage.cost, usage.cost < 0.1 ? 4 : 2)}` : tokens ? "" : w("free"),
    usage.seconds ? w("seconds", { count: number(usage.seconds, 1) }) : "",
  ];
}
