// What the service replies, as its OpenAPI description tells it (agent/servers/schemas.py, answer_schemas.py).

export type Box = [left: number, top: number, right: number, bottom: number]; // 0–1 of the page
export type Region = [ymin: number, xmin: number, ymax: number, xmax: number]; // 0–1000 of the page

export interface Citation {
  label: string;
  document: string;
  page: number;
  region: Region | null;
}

export interface Claim {
  text: string;
  citations: Citation[];
  outcome: "supported" | "computed" | "read" | "unsupported";
  reason: string;
  evidence: { label: string; boxes: Box[] }[];
}

export interface Hit {
  rank: number;
  label: string;
  document: string;
  document_id: string;
  page: number;
  printed_label: string;
  score: number;
  boxes: Box[];
  lines: string[];
  regions: Region[];
}

export interface Usage {
  input_tokens?: number;
  output_tokens?: number;
  total_tokens?: number;
  model_calls?: number;
  pictures?: number;
  cost?: number | null;
  seconds?: number;
}

export interface Answer {
  answer: string;
  found: boolean;
  cut_off: boolean;
  citations: Citation[];
  unverified: Citation[];
  claims: Claim[];
  pages_viewed: string[];
  hits: Hit[];
  usage: Usage;
  reasoner: string;
  question: string;
  thread_id: string;
  seconds: number | null;
}

export interface Thread {
  thread_id: string;
  title: string;
  questions: number;
  last: string;
  asked: string[]; // each cut after 200 letters
}

export interface PageFacts {
  label: string;
  key: string;
  document: string;
  document_id: string;
  page: number;
  pages: number;
  width: number;
  height: number;
  text: string;
  previous: string | null;
  next: string | null;
}

export interface Correction {
  id: string;
  label: string;
  key: string;
  was: string;
  now: string;
  box: Box;
  by: string;
  at: string; // ISO 8601 in UTC
}

export interface PageWords {
  label: string;
  words: string[];
  boxes: Box[];
  lines: number[];
  corrections: Correction[];
}

export interface Doc {
  document: string;
  document_id: string;
  pages: number;
  added: string;
  metadata: Record<string, string | number | boolean>;
}

export interface Failed {
  document: string;
  reason: string;
  code?: string;
}

/** What encoding pages will take, most likely; null where it is not known. */
export interface EncodingCost {
  model: string;
  pages: number;
  tokens: number | null;
  dollars: number | null;
  seconds: number | null;
}

export interface EncoderOffer extends EncodingCost {
  lacks: string;
}

export interface Encoders {
  encoder: string;
  pages: number;
  own: EncoderOffer;
  others: EncoderOffer[];
  changeable: boolean;
}

export interface Job {
  id: string;
  kind: "add" | "remove";
  state: "waiting" | "asking" | "running" | "done" | "failed" | "stopped" | "lost";
  files: string[];
  done_pages: number;
  total_pages: number;
  document: string;
  pages_per_second: number | null;
  seconds_left: number | null;
  message: string;
  code: string;
  report: { added: Doc[]; replaced: Doc[]; unchanged: Doc[]; removed: Doc[]; failed: Failed[]; warnings: Failed[] } | null;
  estimate: EncodingCost | null;
}

export interface SweepCost {
  reasoner: string;
  noun: "document" | "page";
  asked: number;
  kept: number;
  pictures: number;
  input_tokens: number;
  output_tokens: number;
  dollars: number | null;
  in_jobs: boolean;
}

export interface SweptRow {
  document: string;
  document_id: string;
  page: number | null;
  state: "answered" | "none" | "failed" | "not asked";
  value: string | null;
  citation: string | null;
  outcome: Claim["outcome"] | null;
  reason: string;
  boxes: Box[];
}

export interface SweptTable {
  question: string;
  reasoner: string;
  counts: { answered: number; none: number; failed: number; "not asked": number; kept: number };
  dollars: number | null;
  rows: SweptRow[];
}

export interface Me {
  scopes: string[];
  documents: number;
  pages: number;
  encoder: string;
  reasoner: string;
  why: string;
  reasoners: { name: string; input: number; output: number }[]; // dollars per million tokens
  version: string;
}
