// What this browser keeps: how to answer, language, colours. Nothing of documents or answers is kept here.

import { signal } from "@preact/signals";

export interface Settings {
  language: "en" | "de";
  colours: "system" | "light" | "dark";
  offline: boolean;
  effort: "" | "low" | "medium" | "high";
  dollars: string;
  pages: string;
  reasoner: string; // "" as the service is set
}

const KEY = "pagesight";

function kept(): Partial<Settings> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>;
  } catch {
    return {};
  }
}

export const settings = signal<Settings>({
  language: navigator.language.toLowerCase().startsWith("de") ? "de" : "en",
  colours: "system",
  offline: false,
  effort: "",
  dollars: "",
  pages: "",
  reasoner: "",
  ...kept(),
});

export function change(changed: Partial<Settings>): void {
  settings.value = { ...settings.value, ...changed };
  localStorage.setItem(KEY, JSON.stringify(settings.value));
}

settings.subscribe(({ language, colours }) => {
  document.documentElement.lang = language;
  document.documentElement.dataset.colours = colours;
});
