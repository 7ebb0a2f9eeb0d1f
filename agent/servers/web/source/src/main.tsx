// Starts the page: draws it at once, then asks who answers and what was said before.

import { render } from "preact";
import { App } from "./app";
import { listThreads, resumeNamed } from "./chat";
import { watch } from "./service";
import { learnWhoAnswers } from "./state";
import { changes, followAll } from "./uploads";
import "./style.css";

render(<App />, document.getElementById("page")!);

function begin(): void {
  learnWhoAnswers().catch(() => undefined);
  void listThreads();
  void followAll();
}

begin();
resumeNamed();
watch(() => {
  changes.value += 1;
  begin();
});
