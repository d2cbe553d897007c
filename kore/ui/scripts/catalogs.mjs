// Turns locale/*.po into src/catalogs.json. With --check compares them with what the code says,
// with --update writes into them what it says and they do not know.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Read a catalog: its entries in their order, each `[msgid, msgid_plural or null, msgstrs]`. */
export function parse(text) {
  const entries = [];
  for (const block of text.split(/\n\s*\n/)) {
    const fields = {};
    let name = "";
    let obsolete = false;
    for (const line of block.split("\n")) {
      if (line.startsWith("#")) {
        obsolete ||= line.startsWith("#~");
        continue;
      }
      const start = /^(msgctxt|msgid|msgid_plural|msgstr(?:\[\d+\])?)\s+(".*")\s*$/.exec(line);
      const more = /^(".*")\s*$/.exec(line);
      if (start) {
        name = start[1];
        fields[name] = JSON.parse(start[2]);
      } else if (more) {
        fields[name] += JSON.parse(more[1]);
      }
    }
    if (obsolete || !fields.msgid) continue;
    const forms = Object.keys(fields).filter((field) => field.startsWith("msgstr"));
    entries.push([
      fields.msgid,
      fields.msgid_plural ?? null,
      forms.sort().map((form) => fields[form]),
    ]);
  }
  return entries;
}

/** Find what the code says: every `t("…")` and `n("…", "…")`, and `data-words` of Kore's pages. */
export function spoken() {
  const found = new Map();
  const sources = readdirSync(`${root}/src`, { recursive: true }).filter((f) => /\.tsx?$/.test(f));
  const string = String.raw`("(?:[^"\\]|\\.)*")`;
  for (const file of sources.sort()) {
    const text = readFileSync(`${root}/src/${file}`, "utf8");
    for (const [, one] of text.matchAll(new RegExp(String.raw`\bt\(\s*${string}`, "g"))) {
      found.set(JSON.parse(one), null);
    }
    for (const [, one, many] of text.matchAll(
      new RegExp(String.raw`\bn\(\s*${string},\s*${string}`, "g"),
    )) {
      found.set(JSON.parse(one), JSON.parse(many));
    }
  }
  const pages = `${root}/../templates`;
  for (const file of readdirSync(pages).sort()) {
    const text = readFileSync(`${pages}/${file}`, "utf8");
    for (const [, words] of text.matchAll(/\sdata-words>([^<{]+)</g)) {
      found.set(words.trim().replace(/\s+/g, " "), null);
    }
  }
  return found;
}

/** The words of a language: the panel's own by msgid, and Kore's sentences as entries. */
export const read = (language) => ({
  panel: own(language),
  kore: parse(readFileSync(`${root}/locale/kore.${language}.po`, "utf8")),
});

const own = (language) =>
  Object.fromEntries(
    parse(readFileSync(`${root}/locale/${language}.po`, "utf8")).map(([one, many, forms]) => [
      one,
      many === null ? forms[0] : forms,
    ]),
  );

export const languages = () =>
  readdirSync(`${root}/locale`)
    .filter((file) => /^[a-z]+\.po$/.test(file))
    .map((file) => file.slice(0, -3));

const holes = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort().join();

/** Say what is wrong with a catalog: what it lacks, what nobody says, holes that differ. */
export function faults(language) {
  const known = own(language);
  const said = spoken();
  const found = [];
  for (const [one, many] of said) {
    const forms = [known[one] ?? ""].flat();
    if (!forms.every(Boolean) || (many !== null) !== Array.isArray(known[one])) {
      found.push(`not translated: ${one}`);
    } else if (forms.some((form) => holes(form) !== holes(many ?? one))) {
      found.push(`other holes: ${one}`);
    }
  }
  for (const one of Object.keys(known)) if (!said.has(one)) found.push(`nobody says: ${one}`);
  return found;
}

/**
 * Write a catalog of all that is said, with what is translated so far. What is known keeps its
 * place and what is new comes last, so that code which only moves changes no catalog.
 */
function update(language) {
  const known = own(language);
  const said = spoken();
  const order = new Set([...Object.keys(known).filter((one) => said.has(one)), ...said.keys()]);
  const text = readFileSync(`${root}/locale/${language}.po`, "utf8");
  const blocks = [text.slice(0, text.indexOf("\n\n"))];
  for (const one of order) {
    const many = said.get(one);
    const lines = [`msgid ${JSON.stringify(one)}`];
    if (many === null) lines.push(`msgstr ${JSON.stringify(known[one] ?? "")}`);
    else {
      lines.push(`msgid_plural ${JSON.stringify(many)}`);
      for (const form of [0, 1]) {
        lines.push(`msgstr[${form}] ${JSON.stringify(known[one]?.[form] ?? "")}`);
      }
    }
    blocks.push(lines.join("\n"));
  }
  writeFileSync(`${root}/locale/${language}.po`, `${blocks.join("\n\n")}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [task] = process.argv.slice(2);
  if (task === "--check") {
    const found = languages().flatMap((each) =>
      faults(each).map((fault) => `${each}.po: ${fault}`),
    );
    for (const fault of found) console.error(fault);
    process.exitCode = found.length ? 1 : 0;
  } else if (task === "--update") {
    for (const language of languages()) update(language);
  } else {
    const catalogs = Object.fromEntries(languages().map((language) => [language, read(language)]));
    writeFileSync(`${root}/src/catalogs.json`, JSON.stringify(catalogs));
  }
}
