// Bundles the gettext catalogs, the panel's (locale/*.po) and the service's, in src/catalogs.json.
//
// --check compares the panel's with the texts in the code; --update adds those that they lack and
// drops those that are gone. The service's are checked where they are used, in Python.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const FOLDERS = { panel: `${root}/locale`, service: `${root}/../service/locale` };

/** Read a catalog: its entries in order, each `[msgid, msgid_plural or null, msgstrs]`. */
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

/** Return the texts in the code, `t("…")` and `n("…", "…")`, each with its plural or null. */
export function findTexts() {
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
  return found;
}

/** Return the languages that the panel's catalogs, or the service's, are in. */
export const listLanguages = (whose = "panel") =>
  readdirSync(FOLDERS[whose])
    .filter((file) => /^[a-z]+\.po$/.test(file))
    .map((file) => file.slice(0, -3))
    .sort();

/** Return a catalog as the bundle has it: a text, or plural forms, by msgid. */
const readCatalog = (whose, language) =>
  Object.fromEntries(
    parse(readFileSync(`${FOLDERS[whose]}/${language}.po`, "utf8")).map(([one, many, forms]) => [
      one,
      many === null ? forms[0] : forms,
    ]),
  );

const listHoles = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort().join();

/** Return what is wrong with a catalog of the panel: texts it lacks, unused ones, other holes. */
export function findFaults(language) {
  const known = readCatalog("panel", language);
  const texts = findTexts();
  const found = [];
  for (const [one, many] of texts) {
    const forms = [known[one] ?? ""].flat();
    if (!forms.every(Boolean) || (many !== null) !== Array.isArray(known[one])) {
      found.push(`not translated: ${one}`);
    } else if (forms.some((form) => listHoles(form) !== listHoles(many ?? one))) {
      found.push(`other holes: ${one}`);
    }
  }
  for (const one of Object.keys(known)) if (!texts.has(one)) found.push(`not used: ${one}`);
  return found;
}

/**
 * Write a catalog with all texts in the code and their translations so far. Known texts keep
 * their place and new ones come last, so that code which only moves changes no catalog.
 */
function update(language) {
  const known = readCatalog("panel", language);
  const texts = findTexts();
  const order = new Set([...Object.keys(known).filter((one) => texts.has(one)), ...texts.keys()]);
  const path = `${FOLDERS.panel}/${language}.po`;
  const text = readFileSync(path, "utf8");
  const blocks = [text.slice(0, text.indexOf("\n\n"))];
  for (const one of order) {
    const many = texts.get(one);
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
  writeFileSync(path, `${blocks.join("\n\n")}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [task] = process.argv.slice(2);
  if (task === "--check") {
    const faults = listLanguages().flatMap((each) =>
      findFaults(each).map((fault) => `${each}.po: ${fault}`),
    );
    for (const fault of faults) console.error(fault);
    process.exitCode = faults.length ? 1 : 0;
  } else if (task === "--update") {
    for (const language of listLanguages()) update(language);
  } else {
    const bundle = Object.fromEntries(
      Object.keys(FOLDERS).map((whose) => [
        whose,
        Object.fromEntries(listLanguages(whose).map((each) => [each, readCatalog(whose, each)])),
      ]),
    );
    writeFileSync(`${root}/src/catalogs.json`, JSON.stringify(bundle));
  }
}
