// A report as a table for spreadsheets (RFC 4180).

import { itemLabel, OUTCOME_ORDER, outcome } from "./codes";
import { number, t } from "./i18n";
import { render } from "./messages";
import type { JobInfo } from "./types";

// What a spreadsheet takes as the beginning of a formula.
const FORMULA = /^ *[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/;

const escapeFormula = (text: string) => (FORMULA.test(text) ? `'${text}` : text);
const quoted = (text: string) =>
  /[",\r\n;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
// Where a comma begins decimals, spreadsheets have semicolons between columns.
const usesDecimalComma = () => number(0.5).includes(",");
const points = (value: unknown) => {
  const text = typeof value === "number" ? String(Math.round(value * 100) / 100) : "";
  return usesDecimalComma() ? text.replace(".", ",") : text;
};

/** Write a job's report, one line an item; text from outside can never become a formula. */
export function toCsv(job: JobInfo): string {
  const lines = [...job.items]
    .sort((a, b) => OUTCOME_ORDER.indexOf(a.outcome) - OUTCOME_ORDER.indexOf(b.outcome))
    .map((item) => [
      escapeFormula(itemLabel(job, item) || item.key),
      outcome(item.outcome, job.kind)[0],
      points(item.detail.given ?? item.detail.score),
      points(item.detail.maximum),
      escapeFormula(render(item.message)),
    ]);
  const header = [t("Student"), t("Result"), t("Points"), t("Maximum"), t("Reason")];
  // Excel takes a file without this mark for one in the machine's old code page.
  const between = usesDecimalComma() ? ";" : ",";
  const table = [header, ...lines].map((line) => line.map(quoted).join(between));
  return `\ufeff${table.join("\r\n")}\r\n`;
}
