// @vitest-environment node
// Kore's sentences: each is found by its own pattern, whatever stands in its holes.

import { afterEach, describe, expect, test } from "vitest";
// @ts-expect-error: a script without types
import { languages, read } from "../scripts/catalogs.mjs";
import { type Entry, Sentences } from "../src/sentences";
import { speak, told } from "../src/words";

afterEach(() => {
  speak("en");
});

const MANNER = {
  number: String,
  size: (bytes: number) => `${bytes} B`,
  moment: (iso: string) => iso,
  name: (value: string) => value,
  text: (value: string) => `<${value}>`,
  form: (count: number) => (count === 1 ? 0 : 1),
};
const sentences = (...entries: Entry[]) => new Sentences(entries, MANNER);

// What names and titles may be: other sentences, holes, and what has a meaning to programs.
const HOSTILE = [
  "x",
  "Graded ps1 automatically",
  "{words} {name} {n}",
  "a: b; c, d.",
  "$& $1 $$ \\1",
  "(.*)+ [a-z]{1,9} ^$",
  "3 sent, 1 failed",
  "from “x” in it: nothing was copied. Nothing was copied.",
  "\u202eabc\u2069",
  "line 3\nline 4",
  "constructor",
  "__proto__",
  "",
];
const SAMPLES: Record<string, string[]> = {
  n: ["0", "1", "7"],
  given: ["0", "2.5", "1e+06"],
  maximum: ["1", "10"],
  bytes: ["255"],
  status: ["404"],
  line: ["12"],
  size: ["1.5 MB", "999 bytes"],
  moment: ["2026-11-25 17:01", "2026-11-25 at 17:01"],
  words: ["No graded work yet.", "is a link"],
};
const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
const kind = (hole: string) => hole.replace(/\d+$/, "");

/** Fill a msgid's holes: all others as they can be, those with text with one value. */
function filled(msgid: string, value: string, turn: number): string {
  return msgid.replace(/\{(\w+)\}/g, (_, hole) => {
    if (kind(hole) === "name") return `“${value}”`;
    const some = SAMPLES[kind(hole)];
    return some ? some[turn % some.length]! : value;
  });
}

describe.each(languages() as string[])("in %s", (language) => {
  const entries = read(language).kore as Entry[];
  const every = entries.flatMap(([one, many, forms]) =>
    (many === null || many === one ? [one] : [one, many]).map((msgid) => ({ msgid, forms })),
  );
  const all = new Sentences(entries, MANNER);

  test("every msgid has a translation, and that no hole that the msgid lacks", () => {
    for (const { msgid, forms } of every) {
      for (const form of forms) {
        expect(form, msgid).not.toBe("");
        expect(holes(msgid), msgid).toEqual(expect.arrayContaining(holes(form)));
      }
    }
  });

  test("no two holes touch, and none has the name of another", () => {
    for (const { msgid } of every) {
      expect(msgid).not.toMatch(/\}\{/);
      expect(new Set(holes(msgid)).size, msgid).toBe(holes(msgid).length);
    }
  });

  test("every msgid is translated as itself, whatever stands in it", () => {
    for (const { msgid, forms } of every) {
      const alone = sentences([msgid, null, forms], ...parts(entries));
      for (const value of HOSTILE) {
        for (const turn of [0, 1, 2]) {
          const text = filled(msgid, value, turn);
          const own = alone.say(text);
          expect(own, text).not.toBeNull();
          const said = all.say(text);
          if (said === own) continue;
          // Only where it is a sentence of another form, too.
          const others = every.filter(
            (other) =>
              other.msgid !== msgid &&
              sentences([other.msgid, null, other.forms], ...parts(entries)).say(text) !== null,
          );
          expect(others.length, `${msgid}\n${text}\n${said}`).toBeGreaterThan(0);
        }
      }
    }
  });

  test("names without words of sentences in them are never mistaken", () => {
    for (const { msgid, forms } of every) {
      const alone = sentences([msgid, null, forms], ...parts(entries));
      for (const value of ["x", "$& \\1", "{words}", "Übung-1_ü.ipynb"]) {
        const text = filled(msgid, value, 1);
        expect(all.say(text), msgid).toBe(alone.say(text));
      }
    }
  });
});

const parts = (entries: Entry[]) => entries.filter(([one]) => SAMPLES.words!.includes(one));

test("what stands in a hole is of the kind that its name says", () => {
  const say = (msgid: string, text: string) => sentences([msgid, null, [msgid]]).say(text);
  expect(say("{n} sent", "3 sent")).toBe("3 sent");
  expect(say("{n} sent", "The file was sent")).toBeNull();
  expect(say("({status})", "(abc)")).toBeNull();
  expect(say("Takes {size}.", "Takes 1.5 MB.")).toBe("Takes 1500000 B.");
  expect(say("Takes {size}.", "Takes a lot.")).toBeNull();
  expect(say("On {moment} UTC", "On 2026-11-25 at 17:01 UTC")).toBe("On 2026-11-25T17:01Z UTC");
  expect(say("On {moment} UTC", "On Monday UTC")).toBeNull();
  expect(say("The file {name}", "The file “a”")).toBe("The file “a”");
  expect(say("The file {name}", "The file was sent")).toBeNull();
  expect(say("See {words}", "See nothing that is known")).toBeNull();
});

test("a count decides between singular and plural", () => {
  const some = sentences(["{n} file", "{n} files", ["{n} Datei", "{n} Dateien"]]);
  expect(["1 file", "2 files", "1 files"].map((text) => some.say(text))).toEqual([
    "1 Datei",
    "2 Dateien",
    "1 Datei",
  ]);
});

test("a sentence within a sentence is translated, and cut where it can be", () => {
  const some = sentences(
    ["{words}: {words2}", null, ["{words} – {words2}"]],
    ["Released {text}", null, ["{text} freigegeben"]],
    ["Full.", null, ["Voll."]],
  );
  expect(some.say("Released a: b: Full.")).toBe("<a: b> freigegeben – Voll.");
  expect(some.say("Released a: b")).toBe("<a: b> freigegeben");
});

test("what has no translation yet stays as it is", () => {
  expect(sentences(["Full.", null, [""]]).say("Full.")).toBeNull();
});

test("in German, names, numbers, moments and sizes are as Germans write them", () => {
  speak("de-DE");
  expect(told("The name “a b” is longer than 255 bytes.")).toBe(
    "Der Name „\u2068a b\u2069“ ist länger als 255 Byte.",
  );
  expect(told("12345 sent, 1 failed")).toBe("12.345 gesendet, 1 fehlgeschlagen");
  expect(told("2 graded, 1 graded in part, waiting for you.")).toBe(
    "2 bewertet, 1 teilweise bewertet und noch von Hand zu bewerten.",
  );
  expect(told("1.5 of 1 points")).toBe("1,5 von 1 Punkt");
  expect(told("The backup is made: 1.5 MB")).toMatch(/: 1,5\sMB$/);
  expect(told("Deleted the backup of 2026-11-25 17:01 UTC")).toMatch(
    /^Sicherung vom 25\.11\.2026, \d\d:\d\d gelöscht$/,
  );
  expect(
    told(
      "“ps1”, “ps2”: the course has this already, or a file that belongs to it. Nothing was copied.",
    ),
  ).toContain("„\u2068ps1\u2069“, „\u2068ps2\u2069“: Das gibt es");
  expect(told("“ps1/a”: The name “x+” in “ps1” has “+” in it: nbgrader refuses it.")).toBe(
    "„\u2068ps1/a\u2069“: Der Name „\u2068x+\u2069“ in „\u2068ps1\u2069“ enthält „\u2068+\u2069“: nbgrader lehnt das ab.",
  );
  expect(
    told(
      "Not finished yet, tried again soon: The LMS had an error of its own (500). It asks to wait 1 seconds.",
    ),
  ).toBe(
    "Noch nicht fertig, wird bald erneut versucht: Im LMS selbst ist ein Fehler aufgetreten (500). Es bittet um 1 Sekunde Geduld.",
  );
  expect(told("Released ps: 1: The exchange of this course is full: its limit is 10 GB.")).toMatch(
    /^\u2068ps: 1\u2069 freigegeben: Der Platz für/,
  );
});

/** How long a language takes for some texts, in milliseconds, before it has kept any. */
function spent(texts: string[]): number {
  speak("de-DE");
  // Makes what a language needs once.
  told("2.5 of 400 points");
  const begun = performance.now();
  texts.forEach(told);
  return performance.now() - begun;
}

/** The least of some turns: what others do on the machine only adds. */
const least = (turn: () => number) => Math.min(...Array.from({ length: 5 }, turn));

/** The same ten times: as much work as ten times as much at once, and as often interrupted. */
const tenTimes = (texts: string[]) =>
  Array.from({ length: 10 }, () => spent(texts)).reduce((sum, time) => sum + time);

test("ten times as many rows, or words as long, take about ten times as long", () => {
  const rows = (count: number) =>
    Array.from({ length: count }, (_, i) => [
      `${i}.5 of 400 points`,
      `Waits for grading by hand: ps${i}.`,
      `Something that is not known, number ${i}: it is this.`,
    ]).flat();
  const few = least(() => tenTimes(rows(60)));
  const many = least(() => spent(rows(600)));
  expect(many / few).toBeLessThan(4);
  for (const part of [": ", " from ", " is ", ". ", "The name "]) {
    const short = least(() => tenTimes([part.repeat(2_000)]));
    const long = least(() => spent([part.repeat(20_000)]));
    expect(long / (short + 0.5), part).toBeLessThan(4);
  }
});

test("a moment that is none is no reason to show nothing", () => {
  speak("de-DE");
  for (const moment of ["2026-13-01 10:00", "2026-99-99 99:99"]) {
    for (const text of [
      `Deleted the backup of ${moment} UTC`,
      `x: Value error, Deleted the backup of ${moment} UTC.`,
      `The course is as it was on ${moment} UTC.`,
    ]) {
      expect(told(text)).toContain(moment.slice(0, 10));
    }
  }
});
