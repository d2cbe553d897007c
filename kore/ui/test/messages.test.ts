// @vitest-environment node
// The service's messages, rendered here as there.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import shared from "../../../tests/unit/service/messages.json";
import { setLanguage } from "../src/i18n";
import { render, renderHint } from "../src/messages";

vi.mock("../src/catalogs.json", async () => {
  const { default: cases } = await import("../../../tests/unit/service/messages.json");
  return { default: { panel: { de: {} }, service: cases.catalogs } };
});

interface Case {
  id: string;
  params: Record<string, unknown>;
  en: string;
  de: string;
  hint?: { en: string; de: string };
}

const info = ({ id, params }: Pick<Case, "id" | "params">) => ({
  code: id,
  text: "text of the service",
  params,
  hint: "hint of the service",
});
/** A text with spaces of one kind, without the marks that keep others' text in its direction. */
const plain = (text: string) => text.replace(/[\u2068\u2069]/g, "").replace(/\s/g, " ");

const Original = Intl.DateTimeFormat;

/** Let the reader be in a time zone. */
function readIn(timeZone: string): void {
  class InZone extends Original {
    constructor(locale?: string, options?: Intl.DateTimeFormatOptions) {
      super(locale, { ...options, timeZone });
    }
  }
  vi.stubGlobal("Intl", { ...allOfIntl(), DateTimeFormat: InZone });
}

const allOfIntl = () =>
  Object.fromEntries(
    Object.getOwnPropertyNames(Intl).map((name) => [name, Intl[name as keyof typeof Intl]]),
  );

beforeEach(() => {
  readIn("UTC");
});
afterEach(() => {
  vi.unstubAllGlobals();
  setLanguage("en");
});

const cases = (shared.cases as unknown as Case[]).filter(({ id }) => id !== "plain");
for (const language of ["en", "de"] as const) {
  test.each(cases)(`$id is rendered as by the service, ${language}`, (each) => {
    setLanguage(language);
    expect(plain(render(info(each)))).toBe(each[language].replace(/\s/g, " "));
    expect(plain(renderHint(info(each)))).toBe(each.hint?.[language] ?? "");
  });
}

test("text of others keeps its own direction inside of a sentence", () => {
  const params = { x: "\u202ea", y: { id: "name", params: { name: "b" } } };
  expect(render(info({ id: "text", params }))).toBe(
    "About \u2068\u202ea\u2069: The file “\u2068b\u2069” is too large.",
  );
  expect(render({ code: "plain", text: "x", params: { text: "x" }, hint: null })).toBe("x");
});

test.each([
  { id: "of.tomorrow", params: {} },
  { id: "failed", params: { reason: { id: "of.tomorrow", params: {} } } },
])("what this build does not know is the service's own text: $id", (message) => {
  expect(render(info(message))).toBe("text of the service");
});

test("an unknown message keeps the service's hint, and no message is no text", () => {
  expect(renderHint(info({ id: "of.tomorrow", params: {} }))).toBe("hint of the service");
  expect(render(null) + renderHint(null)).toBe("");
});

test("moments are shown in the reader's zone", () => {
  readIn("Asia/Tokyo");
  const at = "2026-11-25T17:01:59+00:00";
  expect(plain(render(info({ id: "moment", params: { at } })))).toBe(
    "Made on Nov 26, 2026, 2:01 AM",
  );
});
