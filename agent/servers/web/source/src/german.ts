// What the service tells in English, in German: steps, why a sentence counts as supported or not, what is missing, and
// the kinds of its errors. A sentence that is not here stays as it is. tests/test_german.py reads the tables and holds them
// against the service's.

import reasons from "./german_reasons.json";

type Said = [pattern: RegExp, german: string];

// Each piece ends where the next one begins, after "; ", or with the text. Those of claims are the terminal's too: `make
// web` puts agent/answers/claims/german_reasons.json here.
const REASONS: Said[] = reasons.map(([pattern = "", german = ""]) => [new RegExp(`^${pattern}`), german]);

const STEPS: Said[] = [
  [/^searched "([\s\S]*)" → 1 page/, "gesucht: „$1“ → 1 Seite"],
  [/^searched "([\s\S]*)" → (\d+) pages/, "gesucht: „$1“ → $2 Seiten"],
  [/^looked at nothing: no pages are left for this question/, "keine Seite mehr übrig für diese Frage"],
  [/^looked at ([\s\S]*)/, "angesehen: $1"],
  [/^read the words of no page/, "von keiner Seite die Worte gelesen"],
  [/^read the words of ([\s\S]*)/, "Worte gelesen: $1"],
  [/^read the outline of a document/, "die Gliederung eines Dokuments gelesen"],
  [/^listed 1 document/, "1 Dokument aufgelistet"],
  [/^listed (\d+) documents/, "$1 Dokumente aufgelistet"],
  [/^located 1 thing on a page/, "1 Stelle auf einer Seite gefunden"],
  [/^located (\d+) things on a page/, "$1 Stellen auf einer Seite gefunden"],
  [/^called (\w+) again as before: nothing was done anew/, "$1 noch einmal wie zuvor aufgerufen: nichts neu getan"],
  [/^called (\w+)/, "$1 aufgerufen"],
  [/^(\w+) failed: ([\s\S]*)/, "$1 schlug fehl: $2"],
  [/^that answer broke off: asking once more/, "die Antwort brach ab: noch einmal gefragt"],
  [/^that was not the answer yet: looking further/, "das war noch nicht die Antwort: weiter gesucht"],
  [/^the answer is cut off: the model reached its limit of tokens; ask for less at once/, "die Antwort ist abgeschnitten: dem Modell gingen die Tokens aus; fragen Sie weniger auf einmal"],
  [/^said a thing that the cited words do not say: asked to correct that/, "sagte etwas, was die zitierten Worte nicht sagen: um Berichtigung gebeten"],
  [/^said (\d+) things that the cited words do not say: asked to correct that/, "sagte $1 Dinge, die die zitierten Worte nicht sagen: um Berichtigung gebeten"],
  [/^cited ([\s\S]+) without having looked: asked to correct that/, "zitierte $1, ohne sie anzusehen: um Berichtigung gebeten"],
  [/^others read the same pages differently \(([\s\S]*)\): asked to look once more/, "andere lasen dieselben Seiten anders ($1): um einen weiteren Blick gebeten"],
  [/^answered without a citation: asked to cite the pages/, "antwortete ohne Beleg: um Belege gebeten"],
  [/^([\s\S]+); asking again/, "$1; noch einmal gefragt"],
];

const MISSING: Said[] = [
  [/^there is no GOOGLE_API_KEY; with one, Gemini would answer/, "es gibt keinen GOOGLE_API_KEY; mit einem würde Gemini antworten"],
  [/^there is a GOOGLE_API_KEY in the file \.env of this folder/, "es gibt einen GOOGLE_API_KEY in der Datei .env dieses Ordners"],
  [/^there is a GOOGLE_API_KEY/, "es gibt einen GOOGLE_API_KEY"],
  [/^(\S+) needs a key: set (\w+), in the environment or in \.env\./, "$1 braucht einen Schlüssel: $2 in der Umgebung oder in .env setzen."],
];

// By the last part of a problem's `type`, or the `code` of an upload. The service's own sentence stands behind it.
const PROBLEMS: Record<string, string> = {
  "page-index-error": "der Index kann nicht benutzt werden",
  "index-missing": "es gibt keinen Index mehr; `pagesight index` macht einen",
  "index-in-use": "ein anderes Programm schreibt in den Index; gleich noch einmal versuchen",
  "server-unreachable": "der Milvus-Server antwortet nicht",
  "login-refused": "der Milvus-Server nimmt die Anmeldung nicht an",
  "encoder-mismatch": "der Index wurde mit einem anderen Encoder gemacht",
  "vectors-missing": "Vektoren von Seiten fehlen; `pagesight repair` macht sie neu",
  "storage-full": "der Datenträger ist voll; schaffen Sie Platz und versuchen Sie es noch einmal",
  "source-error": "die Datei kann nicht aufgenommen werden",
  "missing-path": "die Datei ist nicht mehr da",
  "no-documents": "der Ordner enthält keine Datei, die gelesen wird",
  "unreadable-document": "die Datei kann nicht gelesen werden",
  "request-error": "so geht es nicht",
  "empty-question": "die Frage hat keine Worte",
  "unknown-document": "dieses Dokument ist nicht im Index",
  "unknown-page": "diese Seite gibt es nicht",
  "bad-region": "diesen Bereich gibt es auf der Seite nicht",
  "thread-in-use": "in diesem Gespräch wird gerade eine andere Frage beantwortet; gleich noch einmal versuchen",
  "bad-token": "dieses Wort kommt in der Frage nicht vor",
  "bad-condition": "die Bedingung kann nicht gelesen werden; sie sieht aus wie year >= 2020",
  "bad-correction": "diese Worte stehen nicht auf der Seite, oder nicht genau einmal",
  "missing-extra": "dazu fehlt ein Paket",
  "settings-error": "eine Einstellung kann nicht benutzt werden",
  "encoder-error": "der Encoder konnte nicht arbeiten",
  "questions-error": "diese Fragen können nicht benutzt werden",
  "reasoner-error": "das Modell hat nicht geantwortet; gleich noch einmal fragen, oder ohne Modell zitieren lassen (Einstellungen)",
  "key-refused": "der Schlüssel wird nicht angenommen; tragen Sie einen gültigen als GOOGLE_API_KEY in .env ein, oder lassen Sie ohne Modell zitieren (Einstellungen)",
  "answer-blocked": "der Anbieter hat die Frage oder die Antwort gesperrt; fragen Sie mit anderen Worten",
  "empty-answer": "das Modell hat nichts gesagt; fragen Sie noch einmal, oder mit anderen Worten",
  "answer-waits": "die Antwort wartet auf ein Ja",
  "answer-cut-off": "die Antwort brach mittendrin ab; fragen Sie noch einmal",
  "pagesight-error": "es ging nicht",
  "internal-error": "der Dienst hat hier einen Fehler; sein Protokoll sagt, welchen",
  "another-upload": "gerade wird etwas anderes aufgenommen",
  "another-program": "ein anderes Programm schreibt in den Index",
  lost: "der Dienst wurde mittendrin beendet; Geschriebenes bleibt, bitte noch einmal senden",
  "out-of-bounds": "das Dokument liegt außerhalb dessen, was dieser Zugang sieht",
  "bad-file-name": "so kann ein Dokument nicht heißen; senden Sie es unter einem anderen Namen",
  "bad-metadata": "diese Angaben können nicht aufgehoben werden",
  "bad-request": "die Anfrage wird so nicht angenommen",
  "no-files": "es kam keine Datei an",
  "not-removed": "das Dokument wurde nicht entfernt",
  "nothing-asked": "hier ist nichts zu bestätigen",
  "out-of-time": "die Zeit ist um, ohne Antwort; fragen Sie weniger auf einmal",
  "slow-request": "es kam zu lange nichts an; bitte noch einmal senden",
  "too-large": "das ist zu viel auf einmal; senden Sie weniger",
  "too-many-jobs": "es warten schon zu viele; bitte später noch einmal",
  "too-many-questions": "es werden schon zu viele Fragen beantwortet; bitte später noch einmal",
  "unauthorized": "dieser Zugang gilt nicht mehr; öffnen Sie die Adresse, die `pagesight web` ausgegeben hat",
  "unknown-encoder": "dieser Encoder ist hier nicht wählbar",
  "unknown-job": "diesen Auftrag gibt es nicht mehr",
  "unknown-question": "diese Frage gibt es im Gespräch nicht",
  "unknown-reasoner": "dieses Modell ist hier nicht wählbar",
  "unknown-thread": "dieses Gespräch gibt es nicht mehr",
};

export const germanStep = translator([...STEPS, ...REASONS]);
export const germanReason = translator(REASONS);
export const germanLack = translator(MISSING);

/** Translates the pieces of a text one after another; what is not known, and all behind it, stays as it is. */
function translator(known: Said[]): (text: string) => string {
  const pieces = known.map(([pattern, german]) => [new RegExp(`${pattern.source}(?:; |$)`), german] as const);
  return (text) => {
    const made: string[] = [];
    let rest = text;
    while (rest) {
      const [found, german] = pieces.map(([pattern, german]) => [pattern.exec(rest), german] as const).find(([found]) => found) ?? [null, ""];
      if (!found) return [...made, rest].join("; ");
      made.push(german.replace(/\$(\d)/g, (_, group: string) => found[Number(group)] ?? ""));
      rest = rest.slice(found[0].length);
    }
    return made.join("; ");
  };
}

/** An error in German by its kind, with the service's own sentence behind it where that says more. */
export function germanProblem(code: string, message: string): string {
  const known = PROBLEMS[code];
  if (!known) return message;
  return code.startsWith("another-") || code === "lost" ? known : `${known} (${message})`;
}
