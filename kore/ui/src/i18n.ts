// The panel's own texts, and numbers, dates and sizes, in the reader's language.
//
// English is what the code says; `build` turns the gettext catalogs (locale/*.po, and the
// service's) into `catalogs.json`. What the service says is rendered by `messages.ts`.

import catalogs from "./catalogs.json";

type Catalog = Record<string, string | string[]>;
type Values = Record<string, string | number>;

export const ENGLISH = "en";
const all = catalogs as unknown as Record<"panel" | "service", Record<string, Catalog>>;
let locale = ENGLISH;
let language = ENGLISH;

/** Take the first of some languages (`de_DE`, `de-AT`, `en`) that the panel has; returns it. */
export function setLanguage(...wanted: readonly string[]): string {
  for (const each of wanted) {
    const tag = each.replace("_", "-");
    const short = tag.split("-")[0]!.toLowerCase();
    if (short === ENGLISH || short in all.panel) return use(short, isSupported(tag) ? tag : short);
  }
  return use(ENGLISH, ENGLISH);
}

function use(selection: string, tag: string): string {
  language = selection;
  locale = tag;
  formatters.clear();
  return selection;
}

/** Return the languages to render the service's messages in, the preferred one first. */
export const getCatalogs = (): Catalog[] =>
  [...new Set([language, ENGLISH])].map((each) => all.service[each] ?? {});

/** Return the reader's language with region, as HTTP and Intl write it. */
export const getLocale = (): string => locale;

// Intl's objects take longer to make than to use, and a table has hundreds of numbers.
const formatters = new Map<string, unknown>();

function cached<T>(key: string, make: () => T): T {
  if (!formatters.has(key)) formatters.set(key, make());
  return formatters.get(key) as T;
}

function isSupported(tag: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(tag).length > 0;
  } catch {
    return false;
  }
}

/** Keep the direction of others' text: it cannot turn that of the sentence around it. */
export const isolate = (text: string): string => `\u2068${text}\u2069`;

const fill = (text: string, values: Values) =>
  text.replace(/\{(\w+)\}/g, (hole, name) => {
    const value = values[name];
    if (value === undefined) return hole;
    return typeof value === "number" ? number(value) : isolate(value);
  });

/** Translate; `{name}` stands for a value. */
export function t(text: string, values: Values = {}): string {
  const found = all.panel[language]?.[text];
  return fill(typeof found === "string" && found ? found : text, values);
}

/** Translate what depends on a number, which is also `{n}`. */
export function n(one: string, many: string, count: number, values: Values = {}): string {
  const forms = all.panel[language]?.[one];
  let text = count === 1 ? one : many;
  if (Array.isArray(forms)) text = pluralForm(forms, count) || text;
  return fill(text, { n: count, ...values });
}

/** Return the form of a catalog entry that a number takes in the reader's language. */
export function pluralForm(forms: readonly string[], count: number): string {
  const rules = cached("plural", () => new Intl.PluralRules(locale));
  const categories = cached("categories", () => rules.resolvedOptions().pluralCategories);
  const place = categories.indexOf(rules.select(Math.abs(count)));
  return forms[Math.min(Math.max(place, 0), forms.length - 1)] ?? "";
}

/** Format a number with at most two decimals, or as many as given. */
export const number = (value: number, decimals = 2): string =>
  cached(
    `number ${decimals}`,
    () => new Intl.NumberFormat(locale, { maximumFractionDigits: decimals }),
  ).format(value);

/** Format a moment in the reader's zone; text that names no moment is returned as it is. */
export function moment(iso: string, style: "short" | "long" = "short"): string {
  const options: Intl.DateTimeFormatOptions =
    style === "short"
      ? { dateStyle: "medium", timeStyle: "short" }
      : { dateStyle: "full", timeStyle: "long" };
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return cached(`moment ${style}`, () => new Intl.DateTimeFormat(locale, options)).format(date);
}

/** Format a number of bytes as people read it. */
export function size(bytes: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return cached(
    `size ${unit}`,
    () =>
      new Intl.NumberFormat(locale, {
        style: "unit",
        unit: units[unit]!,
        unitDisplay: unit ? "short" : "long",
        maximumSignificantDigits: 3,
      }),
  ).format(value);
}

/** Format a share of a whole as a percentage. */
export const percent = (share: number): string =>
  cached("percent", () => new Intl.NumberFormat(locale, { style: "percent" })).format(share);

/** Join names as a sentence does. */
export function joinNames(names: readonly string[]): string {
  return new Intl.ListFormat(locale, { type: "conjunction" }).format(names.map(isolate));
}

/** Put text into the form in which it is searched: without marks and case. */
export const fold = (text: string) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
