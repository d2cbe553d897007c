// @vitest-environment node
// Words: languages, numbers, and text from outside inside of them.

import { afterEach, expect, test } from "vitest";
// @ts-expect-error: a script without types
import { faults, languages } from "../scripts/catalogs.mjs";
import { listed, n, number, size, speak, t, told } from "../src/words";

afterEach(() => {
  speak("en");
});

test("every catalog says all that the panel says, with the same holes, and nothing else", () => {
  expect(languages()).toContain("de");
  for (const language of languages()) expect(faults(language)).toEqual([]);
});

test.each([
  [["de_DE"], "de"],
  [["de-AT", "en"], "de"],
  [["fr", "de"], "de"],
  [["en-GB", "de"], "en"],
  [["default"], "en"],
  [[], "en"],
])("of %j it speaks %s", (wanted, spoken) => {
  expect(speak(...wanted)).toBe(spoken);
});

test("numbers and plurals are written as the language does", () => {
  expect(n("{n} student", "{n} students", 1)).toBe("1 student");
  expect(n("{n} student", "{n} students", 1234)).toBe("1,234 students");
  speak("de");
  expect(n("Send {n} grade", "Send {n} grades", 2)).toBe("2 Bewertungen senden");
  expect(number(1234.567)).toBe("1.234,57");
  expect(size(1_500_000)).toMatch(/1,5\sMB/);
});

test("a value cannot turn the words around it, nor be taken for a hole", () => {
  expect(t("Reset {name}?", { name: "{name} \u202e" })).toBe("Reset \u2068{name} \u202e\u2069?");
  expect(listed(["a", "b"])).toBe("\u2068a\u2069 and \u2068b\u2069");
});

test("Kore's own sentences are translated, also those with a name in them", () => {
  speak("de");
  expect(told("No graded work yet.")).toBe("Noch keine bewertete Arbeit.");
  expect(told("Waits for grading by hand: ps1 (x).")).toContain("ps1 (x)");
  expect(told("Waits for grading by hand: ps1.")).not.toContain("Waits");
  expect(told("3 sent, 1 failed")).toBe("3 gesendet, 1 fehlgeschlagen");
  expect(told("The file was sent")).toBe("The file was sent");
  expect(told("Something that no catalog knows.")).toBe("Something that no catalog knows.");
});
