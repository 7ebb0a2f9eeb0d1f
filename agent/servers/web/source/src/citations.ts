// Which pages a bracket of an answer cites, what was found out of the sentence before it, and where the words stand.

import type { Answer, Box, Citation, Claim } from "./replies";
import type { Shown } from "./state";

export interface Cited extends Citation {
  verified: boolean;
}

/** The citations in a bracket, `[annual-report.pdf p. 5; price-list.pdf p. 2]`, of those that the answer has. */
export function citedIn(bracket: string, answer: Answer): Cited[] {
  const all = [
    ...answer.citations.map((one) => ({ ...one, verified: true })),
    ...answer.unverified.map((one) => ({ ...one, verified: false })),
  ];
  const byLabel = all.filter((one) => holds(bracket, one.label));
  const found = byLabel.length ? byLabel : all.filter((one) => namesPage(bracket, one, all));
  const exact = found.filter((one) => !one.region || bracket.includes(one.region.join(",")));
  const seen = new Set<string>();
  return (exact.length ? exact : found).filter((one) => {
    const key = `${one.label} ${one.region}`;
    return !seen.has(key) && seen.add(key);
  });
}

function holds(bracket: string, label: string): boolean {
  const at = bracket.indexOf(label);
  return at >= 0 && !/\d/.test(bracket.charAt(at + label.length));
}

/** Models write `[p. 5]` and `[annual-report.pdf pp. 5, 7]` too. */
function namesPage(bracket: string, one: Citation, all: Citation[]): boolean {
  const number = new RegExp(`(^|\\D)${one.page}(\\D|$)`);
  if (bracket.includes(one.document)) return number.test(bracket.replace(one.document, ""));
  return !all.some((other) => bracket.includes(other.document)) && /^\W*(p|pp|page|pages|s|seite)\W/i.test(bracket) && number.test(bracket);
}

/** Whether a bracket looks like a citation, in an answer that is still being written. */
export function looksCited(bracket: string): boolean {
  return /\b(p|pp|S)\.\s*\d/.test(bracket);
}

/** Gives the claim that each citation of an answer ends, asked for in the order of the text: each is given once. */
export function claimsInOrder(answer: Answer): (citation: Citation) => Claim | undefined {
  const left = answer.claims.map((claim) => claim.citations.map((one) => one.label));
  let from = 0;
  return ({ label }) => {
    const at = left.findIndex((labels, at) => at >= from && labels.includes(label));
    if (at < 0) return answer.claims.find((claim) => claim.citations.some((one) => one.label === label));
    left[at]!.splice(left[at]!.indexOf(label), 1);
    from = at;
    return answer.claims[at];
  };
}

/** The page of a citation, with the words of its claim marked; those of other claims or of the search if it has none. */
export function pageOf(answer: Answer, citation: Citation, claim?: Claim): Shown {
  const boxes = boxesOf(claim ? [claim] : [], citation.label);
  const others = boxes.length ? boxes : boxesOf(answer.claims, citation.label);
  const found = others.length ? others : (answer.hits.find((hit) => hit.label === citation.label)?.boxes ?? []);
  return { label: citation.label, boxes: found, outlines: citation.region ? [citation.region] : [], query: answer.question };
}

function boxesOf(claims: Claim[], label: string): Box[] {
  return claims.flatMap((claim) => claim.evidence.filter((one) => one.label === label).flatMap((one) => one.boxes));
}

export const MARKS: Record<Claim["outcome"], string> = { supported: "✓", computed: "=", read: "~", unsupported: "?" };
