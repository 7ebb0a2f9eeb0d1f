// Uploads and what becomes of them: jobs, followed until they end; also those of before a reload.

import { signal } from "@preact/signals";
import type { Given } from "./dropped";
import type { Failed, Job } from "./replies";
import { asked, events, read, Refused, told } from "./service";
import { learnWhoAnswers, me } from "./state";

const MOST_FILES = 200; // of one request
const MOST_BYTES = 200_000_000; // of one request; the service takes 500 MB

export const jobs = signal<Job[]>([]);
export const refused = signal<Failed[]>([]);
export const sending = signal(0);
/** The encoder that an index without documents shall take; "" leaves it the one that it has. */
export const chosenEncoder = signal("");
/** Counts what changed the documents, so that lists of them are read anew. */
export const changes = signal(0);

export async function upload(given: Given[]): Promise<void> {
  sending.value += given.length;
  try {
    for (const some of batches(given)) await send(some);
  } finally {
    sending.value -= given.length;
  }
}

function batches(given: Given[]): Given[][] {
  const made: Given[][] = [];
  let bytes = Infinity;
  for (const one of given) {
    if (bytes + one.file.size > MOST_BYTES || made.at(-1)!.length >= MOST_FILES) {
      made.push([]);
      bytes = 0;
    }
    made.at(-1)!.push(one);
    bytes += one.file.size;
  }
  return made;
}

/** One request. A name that is refused keeps no other file out: then each half is sent alone. */
async function send(given: Given[]): Promise<void> {
  const form = new FormData();
  form.append("ask", "price"); // nothing is paid that was not confirmed
  if (chosenEncoder.value && me.value?.documents === 0) form.append("encoder", chosenEncoder.value);
  for (const { file, name } of given) form.append("files", file, name);
  try {
    const job = (await (await asked("/documents", { method: "POST", body: form })).json()) as Job;
    void follow(job);
  } catch (error) {
    if (error instanceof Refused && error.status === 422 && given.length > 1) {
      await send(given.slice(0, given.length >> 1));
      await send(given.slice(given.length >> 1));
    } else {
      refused.value = [...refused.value, ...given.map(({ name }) => ({ document: name, reason: told(error) }))];
    }
  }
}

async function follow(job: Job): Promise<void> {
  note(job);
  try {
    for await (const [, now] of events(`/jobs/${job.id}`)) note(now as Job);
  } catch {
    // The service is gone; what became of the job is asked once it is back.
  }
  changes.value += 1;
  await learnWhoAnswers().catch(() => undefined);
}

function note(job: Job): void {
  const others = jobs.value.filter((one) => one.id !== job.id);
  jobs.value = [job, ...others].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id) || 0);
  if (!order.includes(job.id)) order.unshift(job.id);
}

const order: string[] = [];

/** Follows the uploads that are under way, as after a reload. */
export async function followAll(): Promise<void> {
  const known = await read<{ jobs: Job[] }>("/jobs").catch(() => ({ jobs: [] }));
  for (const job of known.jobs) {
    const before = jobs.value.find((one) => one.id === job.id);
    if (job.kind === "add" && (!isOver(job) || before)) void follow(job);
  }
}

export function isOver(job: Job): boolean {
  return job.state !== "waiting" && job.state !== "asking" && job.state !== "running";
}

/** Says that what a job will cost is to be paid. */
export async function confirmJob(job: Job): Promise<void> {
  await asked(`/jobs/${job.id}/confirm`, { method: "POST" }).catch(() => undefined);
}

export async function stopJob(job: Job): Promise<void> {
  await asked(`/jobs/${job.id}`, { method: "DELETE" }).catch(() => undefined);
}

export function dismiss(job: Job): void {
  jobs.value = jobs.value.filter((one) => one.id !== job.id);
}

export async function removeDocument(id: string): Promise<void> {
  await asked(`/documents/${id}`, { method: "DELETE" });
  changes.value += 1;
  await learnWhoAnswers().catch(() => undefined);
}
