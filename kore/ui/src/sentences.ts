// Sentences that Kore wrote in English, found again by their pattern and said in another language.
//
// A catalog's msgid has holes. What may stand in one is told by its name:
//
//   {n}, {given}, {maximum}, {bytes}   a number; {n} also decides between singular and plural
//   {status}, {line}                   digits that are no amount
//   {size}                             "1.5 MB"
//   {moment}                           "2026-11-25 at 17:01", in UTC
//   {words}                            a sentence, or a part of one, that is in the catalog itself
//   {name}                             names in quotation marks: kore/shared/names.py, shown()
//   any other                          text of others without any: titles, paths, what an LMS says
//
// A digit at the end of a name makes a second one of its kind: {words2}.

/** A msgid, its plural or null, and its translations: one, or one for each plural form. */
export type Entry = [one: string, many: string | null, forms: string[]];

/** How a language writes what stands in holes; `form` is the place of a count's plural form. */
export interface Manner {
  number(value: number): string;
  size(bytes: number): string;
  moment(iso: string): string;
  name(value: string): string;
  text(value: string): string;
  form(count: number): number;
}

type Kind = "number" | "code" | "size" | "moment" | "words" | "name" | "text";
interface Pattern {
  texts: string[];
  names: string[];
  kinds: Kind[];
  forms: string[];
  weight: number;
}
interface Filled {
  values: string[];
  form: number;
  weight: number;
}
interface Reading {
  said: string;
  weight: number;
}

const KINDS: Record<string, Kind> = {
  n: "number",
  given: "number",
  maximum: "number",
  bytes: "number",
  status: "code",
  line: "code",
  size: "size",
  moment: "moment",
  words: "words",
  name: "name",
};
const UNITS = ["bytes", "kB", "MB", "GB", "TB"];
const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/;
const SIZE = /^(\d+(?:\.\d+)?(?:e[+-]?\d+)?) (bytes|kB|MB|GB|TB)$/;
const QUOTES = "\u201c'\"";
const QUOTED = /^(?:\u201c.*\u201d|'.*'|".*")$/su;
const MOMENT = /^(\d{4}-\d\d-\d\d)(?: at)? (\d\d:\d\d)$/;
// A sentence has few readings. One full of the words of others must not hold the page up.
const MOST_TRIES = 1000;
const MOST_KEPT = 2000;
const MOST_DEPTH = 5;

/** The sentences of one language. */
export class Sentences {
  private readonly whole = new Map<string, string>();
  private readonly patterns: Pattern[] = [];
  private readonly kept = new Map<string, string | null>();
  private tries = 0;

  constructor(
    entries: readonly Entry[],
    private readonly manner: Manner,
  ) {
    for (const [one, many, forms] of entries) {
      if (!forms.every(Boolean)) continue;
      for (const source of many === null ? [one] : [one, many]) this.add(source, forms);
    }
    // The surest first: the more of a text is a pattern's own, the surer it is meant.
    this.patterns.sort((a, b) => b.weight - a.weight);
  }

  private add(source: string, forms: string[]): void {
    const names = [...source.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
    if (!names.length) {
      this.whole.set(source, forms[0]!);
      return;
    }
    const texts = source.split(/\{\w+\}/);
    const kinds = names.map((name) => KINDS[name.replace(/\d+$/, "")] ?? "text");
    this.patterns.push({ texts, names, kinds, forms, weight: texts.join("").length });
  }

  /** Return a sentence in this language; null where the catalog does not know it. */
  say(text: string): string | null {
    const known = this.kept.get(text);
    if (known !== undefined) return known;
    this.tries = MOST_TRIES;
    const said = this.read(text, 0)?.said ?? this.counts(text);
    if (this.kept.size >= MOST_KEPT) this.kept.clear();
    this.kept.set(text, said);
    return said;
  }

  /** "3 sent, 1 failed.": each count by itself. */
  private counts(text: string): string | null {
    const end = text.endsWith(".") ? "." : "";
    const parts = text.slice(0, text.length - end.length).split(/, (?=\d)/);
    if (!parts.every((part) => /^\d+ /.test(part))) return null;
    const said = parts.map((part) => this.read(part, 0)?.said);
    return said.every(Boolean) ? said.join(", ") + end : null;
  }

  /** Of all readings the one that knows most of the text. */
  private read(text: string, depth: number): Reading | null {
    const found = this.whole.get(text);
    if (found !== undefined) return { said: found, weight: text.length };
    if (depth > MOST_DEPTH) return null;
    let best: Reading | null = null;
    for (const pattern of this.patterns) {
      const { texts, names, forms } = pattern;
      const first = texts[0]!;
      if (text.length < pattern.weight) continue;
      if (!text.startsWith(first) || !text.endsWith(texts.at(-1)!)) continue;
      const filled: Filled = { values: [], form: 0, weight: pattern.weight };
      if (!this.fits(pattern, text, 0, first.length, filled, depth)) continue;
      if (best && filled.weight <= best.weight) continue;
      const form = forms[Math.min(filled.form, forms.length - 1)]!;
      const value = (hole: string, name: string) => filled.values[names.indexOf(name)] ?? hole;
      best = { said: form.replace(/\{(\w+)\}/g, value), weight: filled.weight };
    }
    return best;
  }

  /** Fill a pattern's holes from one on, with what is in the text from a place on. */
  private fits(
    pattern: Pattern,
    text: string,
    hole: number,
    from: number,
    filled: Filled,
    depth: number,
  ): boolean {
    const after = pattern.texts[hole + 1]!;
    const last = hole === pattern.names.length - 1;
    if (pattern.kinds[hole] === "name" && !QUOTES.includes(text[from]!)) return false;
    let end = last ? text.length - after.length : text.indexOf(after, from);
    while (end >= from && this.tries-- > 0) {
      const raw = text.slice(from, end);
      const kind = pattern.kinds[hole]!;
      const inner = kind === "words" && raw ? this.read(raw, depth + 1) : null;
      const value = kind === "words" ? inner?.said : this.value(kind, raw);
      if (value !== undefined && value !== null) {
        const rest = last || this.fits(pattern, text, hole + 1, end + after.length, filled, depth);
        if (rest) {
          filled.values[hole] = value;
          filled.weight += inner?.weight ?? 0;
          if (pattern.names[hole] === "n") filled.form = this.manner.form(Number(raw));
          return true;
        }
      }
      if (last) return false;
      end = text.indexOf(after, end + 1);
    }
    return false;
  }

  private value(kind: Kind, raw: string): string | null {
    if (kind === "text") return this.manner.text(raw);
    if (kind === "name") return QUOTED.test(raw) ? this.manner.name(raw) : null;
    if (kind === "number") return NUMBER.test(raw) ? this.manner.number(Number(raw)) : null;
    if (kind === "code") return /^\d+$/.test(raw) ? raw : null;
    if (kind === "size") {
      const found = SIZE.exec(raw);
      if (!found) return null;
      return this.manner.size(Number(found[1]) * 1000 ** UNITS.indexOf(found[2]!));
    }
    const found = MOMENT.exec(raw);
    const iso = found ? `${found[1]}T${found[2]}Z` : "";
    return Number.isNaN(Date.parse(iso)) ? null : this.manner.moment(iso);
  }
}
