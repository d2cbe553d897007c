// Copy assignments and problems: from where, and what of it.

import { useState } from "react";
import { Search, Select } from "../../components/fields";
import { useDebounced } from "../../hooks";
import { t } from "../../i18n";
import type { CourseDetail } from "../../types";
import { CopyDialog, type Selection } from "./CopyDialog";
import { Assignments, PER_PAGE, Problems } from "./lists";

export function Copy({ course }: { course: CourseDetail }) {
  const [what, setWhat] = useState("assignments");
  const [wanted, setWanted] = useState("");
  const [kind, setKind] = useState("");
  const [page, setPage] = useState(1);
  const [selection, setSelection] = useState<Selection | null>(null);
  const search = useDebounced(wanted.trim());
  const query = { search, kind, page, per_page: PER_PAGE };
  const onFirstPage =
    <V,>(set: (value: V) => void) =>
    (value: V) => {
      set(value);
      setPage(1);
    };
  return (
    <section aria-labelledby="kore-copy">
      <h2 id="kore-copy">{t("Copy into this course")}</h2>
      <p className="kore-muted">
        {t(
          "Copy from your other courses and from backups. To copy from an archive file, upload it under “Backups” first. Student work is never copied.",
        )}
      </p>
      <div className="kore-filters">
        <Select
          label={t("What")}
          value={what}
          onChange={onFirstPage(setWhat)}
          options={[
            ["assignments", t("Whole assignments")],
            ["problems", t("Single problems (notebooks)")],
          ]}
        />
        <Select
          label={t("From")}
          value={kind}
          onChange={onFirstPage(setKind)}
          options={[
            ["", t("Courses and backups")],
            ["course", t("Courses")],
            ["backup", t("Backups")],
          ]}
        />
        <Search
          label={what === "problems" ? t("Find a problem") : t("Find an assignment")}
          value={wanted}
          onChange={onFirstPage(setWanted)}
        />
      </div>
      {what === "assignments" ? (
        <Assignments course={course} query={query} onPage={setPage} onChoose={setSelection} />
      ) : (
        <Problems course={course} query={query} onPage={setPage} onChoose={setSelection} />
      )}
      {selection && (
        <CopyDialog course={course} selection={selection} onClose={() => setSelection(null)} />
      )}
    </section>
  );
}
