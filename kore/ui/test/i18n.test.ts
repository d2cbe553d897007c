// @vitest-environment node
// Languages, numbers, and text of others inside of texts.

import { afterEach, expect, test } from "vitest";
// @ts-expect-error: a script without types
import { findFaults, listLanguages } from "../scripts/catalogs.mjs";
import { joinNames, moment, n, number, setLanguage, size, t } from "../src/i18n";

afterEach(() => {
  setLanguage("en");
});

test("every catalog has all of the panel's texts, with the same holes, and nothing else", () => {
  expect(listLanguages()).toContain("de");
  for (const language of listLanguages()) expect(findFaults(language)).toEqual([]);
});

test("the panel has every language that the service has", () => {
  expect(["en", ...listLanguages("panel")].sort()).toEqual(listLanguages("service"));
});

test.each([
  [["de_DE"], "de"],
  [["de-AT", "en"], "de"],
  [["fr", "de"], "de"],
  [["en-GB", "de"], "en"],
  [["default"], "en"],
  [[], "en"],
])("of %j it takes %s", (wanted, language) => {
  expect(setLanguage(...wanted)).toBe(language);
});

test("numbers and plurals are written as the language does", () => {
  expect(n("{n} student", "{n} students", 1)).toBe("1 student");
  expect(n("{n} student", "{n} students", 1234)).toBe("1,234 students");
  setLanguage("de");
  expect(n("Send {n} grade", "Send {n} grades", 2)).toBe("2 Bewertungen senden");
  expect(number(1234.567)).toBe("1.234,57");
  expect(size(1_500_000)).toMatch(/1,5\sMB/);
});

test("a value cannot turn the sentence around it, nor be taken for a hole", () => {
  expect(t("Reset {name}?", { name: "{name} \u202e" })).toBe("Reset \u2068{name} \u202e\u2069?");
  expect(joinNames(["a", "b"])).toBe("\u2068a\u2069 and \u2068b\u2069");
});

test("text that names no moment is shown as it is", () => {
  expect(moment("2026-13-01 10:00")).toBe("2026-13-01 10:00");
});
