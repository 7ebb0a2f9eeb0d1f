// How far each upload is, and in the end what was added and what was not, and why.

import type { VNode } from "preact";
import { IconButton } from "./icons";
import type { EncodingCost, Failed, Job } from "./replies";
import { confirmJob, dismiss, isOver, jobs, refused, sending, stopJob } from "./uploads";
import { counted, number, said, time, w } from "./words";

export function Uploads(): VNode | null {
  if (!jobs.value.length && !refused.value.length && !sending.value) return null;
  return (
    <section class="uploads" aria-label={w("uploads")}>
      {sending.value > 0 && <p role="status">{counted("sending", sending.value)}</p>}
      {refused.value.length > 0 && (
        <div class="job">
          <Failures failed={refused.value} />
          <IconButton icon="close" name={w("dismiss")} onClick={() => (refused.value = [])} />
        </div>
      )}
      {jobs.value.map((job) => <OneJob key={job.id} job={job} />)}
    </section>
  );
}

function OneJob({ job }: { job: Job }): VNode {
  const over = isOver(job);
  const asks = job.state === "asking";
  return (
    <div class="job" data-state={job.state}>
      <div class="what">
        <p role="status">{headline(job)}</p>
        {asks && (
          <p class="row">
            <button type="button" class="primary" onClick={() => void confirmJob(job)}>{w("encode")}</button>
            <button type="button" class="secondary" onClick={() => void stopJob(job)}>{w("cancel")}</button>
          </p>
        )}
        {!over && !asks && <progress max={job.total_pages || undefined} value={job.total_pages ? job.done_pages : undefined} aria-label={headline(job)} />}
        {!over && !asks && <p class="quiet">{pace(job)}</p>}
        {job.report && <Failures failed={[...job.report.failed, ...job.report.warnings]} />}
      </div>
      {over ? (
        <IconButton icon="close" name={w("dismiss")} onClick={() => dismiss(job)} />
      ) : asks ? null : (
        <IconButton icon="stop" name={w("stop")} onClick={() => void stopJob(job)} />
      )}
    </div>
  );
}

function headline(job: Job): string {
  if (job.state === "running") return w("jobRunning", { document: job.document || job.files[0] || "" });
  if (job.state === "waiting") return [w("jobWaiting"), said(job.code, job.message)].filter(Boolean).join(": ");
  if (job.state === "asking" && job.estimate) return w("jobAsks", { cost: costOf(job.estimate) });
  if (job.state === "stopped") return w("jobStopped");
  if (job.state !== "done" || !job.report) return w("jobFailed", { message: said(job.code, job.message) });
  const { added, replaced, unchanged, failed } = job.report;
  return w("jobDone", { added: added.length + replaced.length, unchanged: unchanged.length, failed: failed.length });
}

/** What encoding will take, in words. */
export function costOf({ model, pages, tokens, dollars }: EncodingCost): string {
  if (dollars === 0) return `${model} · ${w("free")}`;
  const known = dollars === null ? w("priceUnknown") : w("aboutDollars", { dollars: number(dollars, 4) });
  return [model, counted("pagesOf", pages), tokens === null ? "" : w("tokens", { count: number(tokens) }), known].filter(Boolean).join(" · ");
}

function pace(job: Job): string {
  return [
    job.total_pages ? w("jobPages", { done: number(job.done_pages), total: number(job.total_pages) }) : "",
    job.pages_per_second ? w("rate", { rate: number(job.pages_per_second, 1) }) : "",
    job.seconds_left ? w("left", { time: time(job.seconds_left) }) : "",
  ].filter(Boolean).join(" · "); // prettier-ignore
}

function Failures({ failed }: { failed: Failed[] }): VNode | null {
  if (!failed.length) return null;
  return (
    <ul class="failures">
      {failed.map((one) => (
        <li><strong>{one.document}</strong>: {said(one.code ?? "", one.reason)}</li>
      ))}
    </ul>
  );
}
