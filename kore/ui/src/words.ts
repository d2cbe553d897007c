// The panel's words in the reader's language, from gettext catalogs (locale/*.po).
//
// English is what the code says; `build` turns each catalog into `catalogs.json`.

import catalogs from "./catalogs.json";

type Catalog = Record<string, string | string[]>;
type Values = Record<string, string | number>;

const all: Record<string, Catalog> = catalogs as Record<string, Catalog>;
let locale = "en";
let catalog: Catalog = {};
let patterns: [RegExp, string[], string][] | null = null;

/** Take the first of some languages (`de_DE`, `de-AT`, `en`) that the panel speaks. */
export function speak(...wanted: readonly string[]): string {
  for (const language of wanted) {
    const tag = language.replace("_", "-");
    const short = tag.split("-")[0]!.toLowerCase();
    if (short !== "en" && !(short in all)) continue;
    locale = supported(tag) ? tag : short;
    catalog = all[short] ?? {};
    patterns = null;
    return short;
  }
  locale = "en";
  catalog = {};
  patterns = null;
  return "en";
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
    const rules = new Intl.PluralRules(locale);
    const place = rules.resolvedOptions().pluralCategories.indexOf(rules.select(count));
    text = forms[Math.min(place, forms.length - 1)] || text;
  }
  return fill(text, { n: count, ...values });
}

/**
 * Translate a sentence that Kore wrote. Those with a name or a number in them are found by
 * their pattern; what is not in the catalog stays as it is.
 */
export function told(text: string): string {
  const whole = matched(text);
  if (whole !== null) return whole;
  // "3 sent, 1 failed": each count by itself.
  const parts = text.split(", ").map(matched);
  return parts.every((part) => part !== null) ? parts.join(", ") : text;
}

const COUNTS = ["count", "n", "status"];

function matched(text: string): string | null {
  const found = catalog[text];
  if (typeof found === "string" && found) return found;
  patterns ??= Object.entries(catalog).flatMap(([source, target]) => {
    if (typeof target !== "string" || !/\{\w+\}/.test(source)) return [];
    const names = [...source.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
    const texts = source.split(/\{\w+\}/).map(literal);
    // A count is a number: otherwise "The file was sent" would be one.
    const body = texts.reduce((all, text, i) => {
      const hole = COUNTS.includes(names[i - 1]!) ? "(\\d+)" : "(.+?)";
      return `${all}${hole}${text}`;
    });
    return [[new RegExp(`^${body}$`, "su"), names, target] as [RegExp, string[], string]];
  });
  for (const [pattern, names, target] of patterns) {
    const match = pattern.exec(text);
    if (!match) continue;
    return fill(target, Object.fromEntries(names.map((name, i) => [name, match[i + 1]!])));
  }
  return null;
}

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** Write a number in the reader's manner, with at most two decimals. */
export function number(value: number): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(value);
}

/** Write a moment in the reader's zone and manner. */
export function moment(iso: string, style: "short" | "long" = "short"): string {
  const options: Intl.DateTimeFormatOptions =
    style === "short"
      ? { dateStyle: "medium", timeStyle: "short" }
      : { dateStyle: "full", timeStyle: "long" };
  return new Intl.DateTimeFormat(locale, options).format(new Date(iso));
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
