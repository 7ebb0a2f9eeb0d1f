// What the page says, in English and German. `{name}` stands for what is filled in.

import { settings } from "./settings";

const WORDS = {
  ask: ["Ask", "Fragen"],
  search: ["Search", "Suchen"],
  sweep: ["Table", "Tabelle"],
  documents: ["Documents", "Dokumente"],
  page: ["Page", "Seite"],
  settings: ["Settings", "Einstellungen"],
  close: ["Close", "Schließen"],
  conversations: ["Conversations", "Gespräche"],
  newConversation: ["New conversation", "Neues Gespräch"],
  deleteConversation: ["Delete the conversation “{title}”", "Das Gespräch „{title}“ löschen"],
  report: ["Save as a report", "Als Bericht speichern"],
  noConversations: ["None yet.", "Noch keine."],
  holds: ["{documents} documents · {pages} pages", "{documents} Dokumente · {pages} Seiten"],
  offline: ["offline", "offline"],
  question: ["Your question", "Ihre Frage"],
  questionHint: ["Ask about your documents …", "Fragen Sie zu Ihren Dokumenten …"],
  send: ["Ask", "Fragen"],
  stop: ["Stop", "Anhalten"],
  edit: ["Edit and ask again", "Ändern und neu fragen"],
  again: ["Ask again", "Noch einmal fragen"],
  editing: ["Asked in the place of the earlier question. What followed it stays as another version.", "Wird anstelle der früheren Frage gestellt. Was ihr folgte, bleibt als andere Fassung."],
  editingOff: ["Do not edit", "Nicht ändern"],
  otherVersions: ["Also asked here:", "Hier auch gefragt:"],
  stopped: ["Stopped. What was written until then is not checked.", "Angehalten. Was bis dahin geschrieben wurde, ist nicht geprüft."],
  noAnswer: ["No answer: it was stopped.", "Keine Antwort: sie wurde angehalten."],
  working: ["Working …", "Arbeitet …"],
  waitingAt: ["Waiting, place {position}", "Wartet, Platz {position}"],
  steps: ["{count} steps", "{count} Schritte"],
  stepsOne: ["1 step", "1 Schritt"],
  copyAnswer: ["Copy answer", "Antwort kopieren"],
  copied: ["Copied", "Kopiert"],
  notCopied: ["The browser did not allow copying.", "Der Browser hat das Kopieren nicht erlaubt."],
  saved: ["Saved as a file", "Als Datei gespeichert"],
  checked: ["{count} statements checked", "{count} Aussagen geprüft"],
  supported: ["the cited words say it", "die zitierten Worte sagen es"],
  computed: ["computed from the cited words", "aus den zitierten Worten berechnet"],
  read: ["read off the picture", "vom Bild abgelesen"],
  unsupported: ["not found on the cited page", "auf der zitierten Seite nicht gefunden"],
  unverified: ["this page was not looked at: no evidence", "diese Seite wurde nicht angesehen: kein Beleg"],
  notFound: ["The documents do not hold this.", "Die Dokumente enthalten das nicht."],
  cutOff: ["The model ran out of tokens in the middle.", "Dem Modell gingen mittendrin die Tokens aus."],
  tokens: ["{count} tokens", "{count} Tokens"],
  seconds: ["{count} s", "{count} s"],
  free: ["no cost", "kostenlos"],
  narrowed: ["Only: {names}", "Nur: {names}"],
  narrowOff: ["Ask all documents again", "Wieder alle Dokumente fragen"],
  start: ["What would you like to know?", "Was möchten Sie wissen?"],
  startText: [
    "Ask in your own words. Each answer cites the pages that it rests on; click a citation to see the words marked on the page.",
    "Fragen Sie in eigenen Worten. Jede Antwort nennt die Seiten, auf denen sie beruht; ein Klick darauf zeigt die Worte, auf der Seite markiert.",
  ],
  startEmpty: ["There are no documents yet. Drop some here, or add them under Documents.", "Noch gibt es keine Dokumente. Ziehen Sie welche hierher oder fügen Sie sie unter Dokumente hinzu."],
  addDocuments: ["Add documents", "Dokumente hinzufügen"],
  noKey: [
    "No language model: answers quote the best lines. To let Gemini look at the pages, put GOOGLE_API_KEY=… into the file .env and start again.",
    "Kein Sprachmodell: Antworten zitieren die besten Zeilen. Damit Gemini die Seiten ansieht, GOOGLE_API_KEY=… in die Datei .env schreiben und neu starten.",
  ],
  searchHint: ["Words to look for …", "Gesuchte Worte …"],
  found: ["{count} pages, best first", "{count} Seiten, beste zuerst"],
  foundOne: ["1 page", "1 Seite"],
  nothingFound: ["Nothing fits.", "Nichts passt."],
  searchText: ["Find pages without asking anybody: no model, no cost.", "Seiten finden, ohne jemanden zu fragen: kein Modell, keine Kosten."],
  score: ["score {score}", "Wert {score}"],
  moreLikeThis: ["More like this", "Ähnliche Seiten"],
  searched: ["Pages searched", "Durchsuchte Seiten"],
  strip: ["Pages found for “{query}”", "Gefundene Seiten zu „{query}“"],
  noPage: ["No page is open", "Keine Seite ist offen"],
  noPageText: ["Click a citation, a found page or a document.", "Klicken Sie auf einen Beleg, eine gefundene Seite oder ein Dokument."],
  previous: ["Previous page", "Vorige Seite"],
  next: ["Next page", "Nächste Seite"],
  pageNumber: ["Page number, of {pages}", "Seitenzahl, von {pages}"],
  of: ["of {pages}", "von {pages}"],
  zoomIn: ["Zoom in", "Vergrößern"],
  zoomOut: ["Zoom out", "Verkleinern"],
  fit: ["Fit to width", "Auf Breite"],
  rotate: ["Rotate", "Drehen"],
  map: ["Where it matches", "Wo es passt"],
  mapAll: ["whole question", "ganze Frage"],
  marks: ["Marks", "Markierungen"],
  original: ["Open the original at this page", "Original auf dieser Seite öffnen"],
  copyCitation: ["Copy citation", "Beleg kopieren"],
  selectRegion: ["Select a region", "Bereich wählen"],
  copyRegion: ["Copy as picture", "Als Bild kopieren"],
  pageText: ["Text of this page", "Text dieser Seite"],
  noText: ["There is no text on this page.", "Auf dieser Seite steht kein Text."],
  marked: ["{count} places are marked", "{count} Stellen sind markiert"],
  markedOne: ["1 place is marked", "1 Stelle ist markiert"],
  stage: ["The page, which scrolls", "Die Seite, rollbar"],
  picture: ["Picture of {label}", "Bild von {label}"],
  correct: ["Correct words that were read wrongly", "Falsch gelesene Worte berichtigen"],
  correctShort: ["Correct", "Berichtigen"],
  corrections: ["Corrected on this page", "Auf dieser Seite berichtigt"],
  wordsToChoose: ["Words of this page, as they were read", "Worte dieser Seite, wie sie gelesen wurden"],
  chooseWord: ["Click the word that was read wrongly; Shift and click takes more words of its line.", "Klicken Sie auf das falsch gelesene Wort; mit Umschalt kommen weitere Worte der Zeile dazu."],
  readingWords: ["Reading the words of this page …", "Liest die Worte dieser Seite …"],
  standsThere: ["Read as “{was}”. What stands there:", "Gelesen als „{was}“. Was steht dort:"],
  undo: ["Undo “{was}” → “{now}”", "„{was}“ → „{now}“ zurücknehmen"],
  drop: ["Drop files and folders here", "Dateien und Ordner hierher ziehen"],
  dropKinds: ["PDF, pictures, office files, web pages, texts, mails", "PDF, Bilder, Office-Dateien, Webseiten, Texte, Mails"],
  chooseFiles: ["Choose files", "Dateien wählen"],
  chooseFolder: ["Choose a folder", "Ordner wählen"],
  filterName: ["Filter by name", "Nach Namen filtern"],
  filterWhere: ["Condition on metadata", "Bedingung an Metadaten"],
  whereHint: ["year >= 2020", "year >= 2020"],
  total: ["{count} documents", "{count} Dokumente"],
  totalOne: ["1 document", "1 Dokument"],
  pagesOf: ["{count} pages", "{count} Seiten"],
  pageOne: ["1 page", "1 Seite"],
  remove: ["Remove {name}", "{name} entfernen"],
  removeShort: ["Remove", "Entfernen"],
  removeText: [
    "Remove “{name}” from the index? Your file stays where it is. `pagesight restore` brings it back for 30 days.",
    "„{name}“ aus dem Index entfernen? Ihre Datei bleibt, wo sie ist. `pagesight restore` holt es 30 Tage lang zurück.",
  ],
  cancel: ["Cancel", "Abbrechen"],
  onlyThis: ["Ask only {name}", "Nur {name} fragen"],
  openDocument: ["Open {name}", "{name} öffnen"],
  noDocuments: ["No documents.", "Keine Dokumente."],
  sending: ["Sending {count} files …", "Sendet {count} Dateien …"],
  jobWaiting: ["Waiting", "Wartet"],
  jobRunning: ["Reading {document}", "Liest {document}"],
  jobPages: ["{done} of {total} pages", "{done} von {total} Seiten"],
  rate: ["{rate} pages/s", "{rate} Seiten/s"],
  left: ["{time} left", "noch {time}"],
  jobAsks: ["Encoding costs money: {cost}. Nothing has been paid yet.", "Einlesen kostet Geld: {cost}. Noch wurde nichts bezahlt."],
  encode: ["Encode and pay", "Einlesen und bezahlen"],
  priceUnknown: ["price not known", "Preis unbekannt"],
  aboutDollars: ["about ${dollars}", "etwa {dollars} $"],
  chooseEncoder: ["Encoder: what pages are found by", "Encoder: wonach Seiten gefunden werden"],
  chooseEncoderHow: [
    "lexical compares words; the others compare what pages look like. It can be chosen while there are no documents. An upload says its price for these very pages, and waits for your yes.",
    "lexical vergleicht Worte, die anderen vergleichen, wie Seiten aussehen. Wählbar, solange es keine Dokumente gibt. Beim Hochladen steht der Preis für genau diese Seiten da, und Sie werden gefragt.",
  ],
  cannotBeChosen: ["{count} need a key", "{count} brauchen einen Schlüssel"],
  otherEncoders: ["What other encoders would cost for these {pages}", "Was andere Encoder für diese {pages} kosten würden"],
  otherEncodersHow: ["An index keeps its encoder; another one takes a new index:", "Ein Index behält seinen Encoder; ein anderer braucht einen neuen Index:"],
  jobDone: ["{added} added, {unchanged} unchanged, {failed} failed", "{added} hinzugefügt, {unchanged} unverändert, {failed} fehlgeschlagen"],
  jobStopped: ["Stopped: what was written stays.", "Angehalten: Geschriebenes bleibt."],
  jobFailed: ["It failed: {message}", "Fehlgeschlagen: {message}"],
  dismiss: ["Dismiss", "Ausblenden"],
  uploads: ["Uploads", "Uploads"],
  answering: ["Answering", "Antworten"],
  reasoner: ["Reasoner", "Modell"],
  useOffline: ["Quote only, without a language model", "Nur zitieren, ohne Sprachmodell"],
  effort: ["Effort", "Aufwand"],
  effortSet: ["as set", "wie eingestellt"],
  low: ["low", "niedrig"],
  medium: ["medium", "mittel"],
  high: ["high", "hoch"],
  dollars: ["Dollars per question, at most", "Dollar pro Frage, höchstens"],
  dollarsHint: ["as set", "wie eingestellt"],
  pagesAtMost: ["Pages looked at per question, at most", "Angesehene Seiten pro Frage, höchstens"],
  asSet: ["as set: {what}", "wie eingestellt: {what}"],
  perMillion: ["${input} in, ${output} out per million tokens", "{input} $ gelesen, {output} $ geschrieben je Million Tokens"],
  encoder: ["Encoder of the index", "Encoder des Index"],
  language: ["Language", "Sprache"],
  colours: ["Colours", "Farben"],
  system: ["as the system", "wie das System"],
  light: ["light", "hell"],
  dark: ["dark", "dunkel"],
  keptHere: ["Kept in this browser only.", "Nur in diesem Browser gespeichert."],
  lost: ["pagesight does not answer. Trying again …", "pagesight antwortet nicht. Neuer Versuch …"],
  locked: ["This page is not let in: open the address that `pagesight web` printed.", "Diese Seite hat keinen Zugang: Öffnen Sie die Adresse, die `pagesight web` ausgegeben hat."],
  skip: ["Skip to the question", "Zur Frage springen"],
  left_: ["Ask, search, table, documents", "Fragen, Suchen, Tabelle, Dokumente"],
  sweepQuestion: ["Question for each document", "Frage an jedes Dokument"],
  sweepHint: ["One small question for each document …", "Eine kleine Frage an jedes Dokument …"],
  sweepText: ["Ask each document the same, and get a table: a cited and checked cell each.", "Jedes Dokument dasselbe fragen; es entsteht eine Tabelle, jede Zelle mit Beleg und geprüft."],
  sweepBy: ["Ask", "Frage an"],
  eachDocument: ["each document", "jedes Dokument"],
  eachPage: ["each page", "jede Seite"],
  sweepAsks: ["This costs money: {cost}. Nothing has been paid yet.", "Das kostet Geld: {cost}. Noch wurde nichts bezahlt."],
  atMost: ["At most, in dollars", "Höchstens, in Dollar"],
  askAndPay: ["Ask and pay", "Fragen und bezahlen"],
  sweepProgress: ["{done} of {total} asked", "{done} von {total} gefragt"],
  sweepCounts: ["{answered} answered, {none} none, {failed} failed", "{answered} beantwortet, {none} ohne Antwort, {failed} fehlgeschlagen"],
  sweepStopped: ["Stopped. What was answered is kept, and not paid for again.", "Angehalten. Was beantwortet ist, bleibt und wird nicht noch einmal bezahlt."],
  sweepTable: ["Answers of all documents", "Antworten aller Dokumente"],
  saveAs: ["Save the table as {form}", "Tabelle als {form} speichern"],
  stateNone: ["none", "keine"],
  stateFailed: ["failed", "fehlgeschlagen"],
  stateNotAsked: ["not asked: the limit was reached", "nicht gefragt: das Limit war erreicht"],
} as const;

export type Word = keyof typeof WORDS;

/** The words in the language that is set, with `{name}` filled in. */
export function w(word: Word, filled: Record<string, string | number> = {}): string {
  const text = WORDS[word][settings.value.language === "de" ? 1 : 0];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(filled[name] ?? whole));
}

/** What kinds of messages are in German; the service says each in English, with its details. */
const KINDS: Record<string, string> = {
  "another-upload": "gerade wird etwas anderes aufgenommen",
  "another-program": "ein anderes Programm schreibt in den Index",
  lost: "der Dienst wurde mittendrin beendet; Geschriebenes bleibt, bitte noch einmal senden",
  "out-of-bounds": "das Dokument liegt außerhalb dessen, was dieser Zugang sieht",
  "unreadable-document": "die Datei kann nicht gelesen werden",
  "missing-path": "die Datei ist nicht mehr da",
  "storage-full": "der Datenträger ist voll",
  "index-in-use": "ein anderes Programm schreibt in den Index",
  "encoder-error": "der Encoder konnte nicht arbeiten",
  "page-index-error": "der Index kann nicht benutzt werden",
};

/** A message in the language that is set, with the service's own words behind it where they may say more. */
export function said(code: string, message: string): string {
  const known = settings.value.language === "de" ? KINDS[code] : undefined;
  if (!known) return message;
  return code.startsWith("another-") || code === "lost" ? known : `${known} (${message})`;
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString(settings.value.language, { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

export function pagesOf(count: number): string {
  return count === 1 ? w("pageOne") : w("pagesOf", { count: number(count) });
}

export function time(seconds: number): string {
  return seconds < 90 ? `${number(Math.max(1, Math.round(seconds)))} s` : `${number(Math.round(seconds / 60))} min`;
}

/** What the service tells in English, in the language that is set. */
export function inLanguage(text: string, german: (text: string) => string): string {
  return settings.value.language === "de" ? german(text) : text;
}
