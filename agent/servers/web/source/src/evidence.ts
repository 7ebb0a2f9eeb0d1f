// Shows a cited page with the words that say it. An answer that no model wrote has no checked claims: then the service
// is asked where the quoted words stand.

import { pageOf } from "./citations";
import type { Answer, Citation, Claim } from "./replies";
import { post } from "./service";
import { show } from "./state";

const found = new WeakMap<Answer, Promise<Claim[]>>();

export async function showCited(answer: Answer, citation: Citation, claim?: Claim, quietly = false): Promise<void> {
  const claims = await claimsOf(answer);
  show(pageOf({ ...answer, claims }, citation, claim), quietly);
}

function claimsOf(answer: Answer): Promise<Claim[]> {
  if (answer.claims.length || answer.reasoner !== "offline") return Promise.resolve(answer.claims);
  const asked = found.get(answer) ?? post<{ claims: Claim[] }>("/claims", { text: answer.answer }).then(({ claims }) => claims, () => []);
  found.set(answer, asked);
  return asked;
}
