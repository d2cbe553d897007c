// A table with a search field and a choice of kinds above it.

import { useState } from "react";
import { fold, t } from "../i18n";
import { Search, Select } from "./fields";
import { Empty } from "./notices";
import { type ColumnOf, Table } from "./Table";

export function FilteredTable<Row>({
  label,
  columns,
  rows,
  keyOf,
  searchLabel,
  textOf,
  kinds,
  kindOf,
  none,
  searched = true,
}: {
  label: string;
  columns: ColumnOf<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  searchLabel: string;
  /** What of a row is searched. */
  textOf: (row: Row) => string;
  /** In the order in which they are offered; those without a row are left out. */
  kinds: [kind: string, label: string][];
  kindOf: (row: Row) => string;
  /** Says that no row matches. */
  none: string;
  /** Whether there is a search at all. */
  searched?: boolean;
}) {
  const [wanted, setWanted] = useState("");
  const [kind, setKind] = useState("");
  const shown = rows.filter(
    (row) => fold(textOf(row)).includes(fold(wanted.trim())) && (!kind || kindOf(row) === kind),
  );
  const counted = kinds
    .map(([code, label]) => ({
      code,
      label,
      count: rows.filter((row) => kindOf(row) === code).length,
    }))
    .filter(({ count }) => count);
  return (
    <>
      {searched && (
        <div className="kore-filters">
          <Search label={searchLabel} value={wanted} onChange={setWanted} />
          <Select
            label={t("Show")}
            value={kind}
            onChange={setKind}
            options={[
              ["", t("All")],
              ...counted.map(
                ({ code, label, count }) => [code, `${label} (${count})`] as [string, string],
              ),
            ]}
          />
          <Shown shown={shown.length} of={rows.length} />
        </div>
      )}
      {shown.length === 0 ? (
        <Empty title={none} />
      ) : (
        <Table label={label} rows={shown} keyOf={keyOf} columns={columns} />
      )}
    </>
  );
}

/** How many of a list a search has left. */
export function Shown({ shown, of }: { shown: number; of: number }) {
  return (
    <p role="status" className="kore-muted">
      {shown === of ? t("{n} in total", { n: of }) : t("{shown} of {n} shown", { shown, n: of })}
    </p>
  );
}
