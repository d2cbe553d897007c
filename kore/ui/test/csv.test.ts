// A report as a table for spreadsheets.

import { expect, test } from "vitest";
import { csv } from "../src/csv";
import { speak } from "../src/words";
import { job } from "./tools";

const item = (label: string, words = "") => ({
  key: "u1",
  label,
  outcome: "sent",
  words,
  detail: {},
});

test("exceptions come first, in words, with points as numbers", () => {
  const table = csv(
    job({
      items: [
        {
          key: "u1",
          label: "Ada",
          outcome: "sent",
          words: "",
          detail: { given: 4.126, maximum: 5 },
        },
        { key: "u2", label: "", outcome: "failed", words: "No answer, yet", detail: {} },
      ],
    }),
  );
  expect(table).toBe(
    '\ufeffStudent,Result,Points,Out of,Why\r\nu2,Did not arrive,,,"No answer, yet"\r\nAda,Sent,4.13,5,\r\n',
  );
});

test.each(["=1+1", "+1", "-1", "@x", " =1", "\t=1", "\uff1d1"])(
  "%j is text to a spreadsheet, and no formula",
  (text) => {
    const [, line] = csv(job({ items: [item(text, text)] })).split("\r\n");
    expect(line).not.toMatch(/(^|,)"?[ \t]*[=+\-@\uff1d]/);
  },
);

test("quotes and lines in a name stay within their cell", () => {
  expect(csv(job({ items: [item('Ada "x"\n, y')] }))).toContain('"Ada ""x""\n, y"');
});

test("a German spreadsheet opens it: semicolons, decimals with a comma, Kore's words in German", () => {
  speak("de");
  const items = [
    {
      key: "u1",
      label: "Ada",
      outcome: "sent",
      words: "1.5 of 2 points",
      detail: { given: 1.5, maximum: 2 },
    },
  ];
  expect(csv(job({ items }))).toBe(
    '\ufeffStudierende/r;Ergebnis;Punkte;Höchstpunktzahl;Grund\r\nAda;Gesendet;"1,5";2;"1,5 von 2 Punkten"\r\n',
  );
});
