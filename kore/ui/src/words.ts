// The panel's words in the reader's language, from gettext catalogs (locale/*.po).
//
// English is what the code says; `build` turns each catalog into `catalogs.json`.

import catalogs from "./catalogs.json";
import { type Entry, Sentences } from "./sentences";

type Catalog = Record<string, string | string[]>;
type Values = Record<string, string | number>;

const all = catalogs as unknown as Record<string, { panel: Catalog; kore: Entry[] }>;
let locale = "en";
let spoken = "en";
let catalog: Catalog = {};
let sentences: Sentences | null = null;

/** Take the first of some languages (`de_DE`, `de-AT`, `en`) that the panel speaks. */
export function speak(...wanted: readonly string[]): string {
  for (const language of wanted) {
    const tag = language.replace("_", "-");
    const short = tag.split("-")[0]!.toLowerCase();
    if (short === "en" || short in all) return take(short, supported(tag) ? tag : short);
  }
  return take("en", "en");
}

function take(language: string, tag: string): string {
  spoken = language;
  locale = tag;
  catalog = all[language]?.panel ?? {};
  sentences = null;
  made.clear();
  return language;
}

// Intl's objects take longer to make than to use, and a table has hundreds of numbers.
const made = new Map<string, unknown>();

function once<T>(key: string, make: () => T): T {
  if (!made.has(key)) made.set(key, make());
  return made.get(key) as T;
}

function supported(tag: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(tag).length > 0;
  } catch {
    return false;
  }
}

// Text from outside keeps its own direction, and cannot turn that of the words around it.
const isolate = (value: string | number) =>
  typeof value === "number" ? number(value) : `\u2068${value}\u2069`;

const fill = (text: string, values: Values) =>
  text.replace(/\{(\w+)\}/g, (hole, name) => (name in values ? isolate(values[name]!) : hole));

/** Translate; `{name}` stands for a value. */
export function t(text: string, values: Values = {}): string {
  const found = catalog[text];
  return fill(typeof found === "string" && found ? found : text, values);
}

/** Translate what depends on a number, which is also `{n}`. */
export function n(one: string, many: string, count: number, values: Values = {}): string {
  const forms = catalog[one];
  let text = count === 1 ? one : many;
  if (Array.isArray(forms)) {
    text = forms[Math.min(place(count), forms.length - 1)] || text;
  }
  return fill(text, { n: count, ...values });
}

/** The place of a number's plural form among those of the language. */
function place(count: number): number {
  const rules = once("plural", () => new Intl.PluralRules(locale));
  const forms = once("forms", () => rules.resolvedOptions().pluralCategories);
  return forms.indexOf(rules.select(count));
}

/** Translate a sentence that Kore wrote; what is not in the catalog stays as it is. */
export function told(text: string): string {
  sentences ??= new Sentences(all[spoken]?.kore ?? [], {
    number: (value) => digits(value, 5),
    size,
    moment,
    name: quoted,
    text: isolate,
    form: place,
  });
  return sentences.say(text) ?? text;
}

// Kore puts names into English quotation marks, and odd ones into Python's.
const quoted = (value: string) =>
  value
    .slice(1, -1)
    .split("\u201d, \u201c")
    .map((name) => t("“{name}”", { name }))
    .join(", ");

/** Write a number in the reader's manner, with at most two decimals. */
export const number = (value: number): string => digits(value, 2);

const digits = (value: number, most: number) =>
  once(
    `digits ${most}`,
    () => new Intl.NumberFormat(locale, { maximumFractionDigits: most }),
  ).format(value);

/** Write a moment in the reader's zone and manner. */
export function moment(iso: string, style: "short" | "long" = "short"): string {
  const options: Intl.DateTimeFormatOptions =
    style === "short"
      ? { dateStyle: "medium", timeStyle: "short" }
      : { dateStyle: "full", timeStyle: "long" };
  return once(`moment ${style}`, () => new Intl.DateTimeFormat(locale, options)).format(
    new Date(iso),
  );
}

/** Write a number of bytes as people read it. */
export function size(bytes: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return new Intl.NumberFormat(locale, {
    style: "unit",
    unit: units[unit]!,
    unitDisplay: unit ? "short" : "long",
    maximumSignificantDigits: 3,
  }).format(value);
}

/** Join names as a sentence does. */
export function listed(names: readonly string[]): string {
  return new Intl.ListFormat(locale, { type: "conjunction" }).format(
    names.map((name) => `\u2068${name}\u2069`),
  );
}

/** Put text into the form in which it is searched: without marks and case. */
export const fold = (text: string) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
