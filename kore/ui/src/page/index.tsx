// The script of Kore's own pages: the panel, where a page has it, and the words of all of them.

import { speak, t, told } from "../words";
import { show } from "./Page";

document.documentElement.lang = speak(...navigator.languages);
// Pages of Kore's are written in English: what is to be done, and what has gone wrong.
for (const [mark, say] of [
  ["words", t],
  ["told", told],
] as const) {
  for (const element of document.querySelectorAll(`[data-${mark}]`)) {
    element.textContent = say((element.textContent ?? "").trim().replace(/\s+/g, " "));
  }
}

const root = document.getElementById("panel");
if (root) show(root);
else document.title = `${document.querySelector("h1")?.textContent} – Kore`;
