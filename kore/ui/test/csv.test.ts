// A report as a table for spreadsheets.

import { expect, test } from "vitest";
import { toCsv } from "../src/csv";
import { setLanguage } from "../src/i18n";
import { job, plainMessage } from "./tools";

const item = (label: string, text = "") => ({
  key: "u1",
  label,
  outcome: "sent",
  message: plainMessage(text),
  detail: {},
});

test("exceptions come first, with points as numbers", () => {
  const table = toCsv(
    job({
      items: [
        {
          key: "u1",
          label: "Ada",
          outcome: "sent",
          message: null,
          detail: { given: 4.126, maximum: 5 },
        },
        {
          key: "u2",
          label: "",
          outcome: "failed",
          message: plainMessage("No answer, yet"),
          detail: {},
        },
      ],
    }),
  );
  expect(table).toBe(
    '\ufeffStudent,Result,Points,Maximum,Reason\r\nu2,Not delivered,,,"No answer, yet"\r\nAda,Sent,4.13,5,\r\n',
  );
});

test.each(["=1+1", "+1", "-1", "@x", " =1", "\t=1", "\uff1d1"])(
  "%j is text to a spreadsheet, and no formula",
  (text) => {
    const [, line] = toCsv(job({ items: [item(text, text)] })).split("\r\n");
    expect(line).not.toMatch(/(^|,)"?[ \t]*[=+\-@\uff1d]/);
  },
);

test("quotes and lines in a name stay within their cell", () => {
  expect(toCsv(job({ items: [item('Ada "x"\n, y')] }))).toContain('"Ada ""x""\n, y"');
});

test("a German spreadsheet opens it: semicolons, decimals with a comma, messages in German", () => {
  setLanguage("de");
  const items = [
    {
      key: "u1",
      label: "Ada",
      outcome: "sent",
      message: { code: "counts", text: "", params: { parts: [1.5] }, hint: null },
      detail: { given: 1.5, maximum: 2 },
    },
  ];
  expect(toCsv(job({ items }))).toBe(
    '\ufeffStudierende/r;Ergebnis;Punkte;Höchstpunktzahl;Grund\r\nAda;Gesendet;"1,5";2;"1,5"\r\n',
  );
});
