// Tables, and the pages of those that are long.

import type { ReactNode } from "react";
import { t } from "../i18n";

export interface ColumnOf<Row> {
  title: string;
  /** Numbers are right-aligned. */
  number?: boolean;
  cell: (row: Row) => ReactNode;
}

/** A table that becomes cards where it is narrow. The first column names the row. */
export function Table<Row>({
  label,
  columns,
  rows,
  keyOf,
}: {
  label: string;
  columns: ColumnOf<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
}) {
  const side = (column: ColumnOf<Row>) => (column.number ? "kore-number" : undefined);
  return (
    <table className="kore-table" role="table" aria-label={label}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column.title} role="columnheader" scope="col" className={side(column)}>
              {column.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={keyOf(row)} role="row">
            {columns.map((column, index) =>
              index === 0 ? (
                <th key={column.title} role="rowheader" scope="row">
                  {column.cell(row)}
                </th>
              ) : (
                <td
                  key={column.title}
                  role="cell"
                  data-label={column.title}
                  className={side(column)}
                >
                  {/* One element: in a card it is next to the heading. */}
                  <div>{column.cell(row)}</div>
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Buttons to the other pages of a list; nothing if there is only one. */
export function Pages({
  total,
  perPage,
  page,
  onPage,
}: {
  total: number;
  perPage: number;
  page: number;
  onPage: (page: number) => void;
}) {
  const last = Math.max(1, Math.ceil(total / perPage));
  if (last === 1) return null;
  return (
    <nav className="kore-actions" aria-label={t("Pages")}>
      <button
        type="button"
        className="kore-button"
        disabled={page <= 1}
        onClick={() => onPage(page - 1)}
      >
        {t("Previous")}
      </button>
      <span role="status">{t("Page {page} of {last}", { page, last })}</span>
      <button
        type="button"
        className="kore-button"
        disabled={page >= last}
        onClick={() => onPage(page + 1)}
      >
        {t("Next")}
      </button>
    </nav>
  );
}
