// The table of the preview: each student, what the LMS had, what it will have.

import { ACTION_ORDER, action } from "../../codes";
import { FilteredTable } from "../../components/FilteredTable";
import { Chip, Moment, PersonName, Points } from "../../components/labels";
import { t } from "../../i18n";
import { render } from "../../messages";
import type { GradeEntry } from "../../types";

/** What a line of the preview is filed under: its action, or that it went wrong before. */
export function classifyEntry(entry: GradeEntry): string {
  const unsettled = entry.last && ["refused", "failed"].includes(entry.last.state);
  return entry.action === "send" && unsettled ? "again" : entry.action;
}

export function Entries({ entries }: { entries: GradeEntry[] }) {
  return (
    <section aria-labelledby="kore-entries">
      <h2 id="kore-entries">{t("All students")}</h2>
      <FilteredTable
        label={t("All students")}
        rows={entries}
        keyOf={(entry) => entry.user}
        searchLabel={t("Find a student")}
        textOf={(entry) => `${entry.name} ${entry.user}`}
        kinds={ACTION_ORDER.map((code) => [code, action(code)[0]])}
        kindOf={classifyEntry}
        none={t("No student matches.")}
        columns={[
          {
            title: t("Student"),
            cell: (entry) => <PersonName name={entry.name} user={entry.user} />,
          },
          {
            title: t("Points"),
            number: true,
            cell: (entry) =>
              entry.given === null || entry.maximum === null ? (
                "–"
              ) : (
                <Points given={entry.given} maximum={entry.maximum} />
              ),
          },
          { title: t("In the LMS now"), cell: (entry) => <CurrentGrade entry={entry} /> },
          { title: t("What will happen"), cell: (entry) => <PlannedAction entry={entry} /> },
        ]}
      />
    </section>
  );
}

function CurrentGrade({ entry }: { entry: GradeEntry }) {
  const last = entry.last;
  if (!last) return <span className="kore-muted">{t("Nothing")}</span>;
  if (last.state === "sent") {
    return (
      <>
        <Points given={last.given} maximum={last.maximum} />{" "}
        <span className="kore-muted">
          <Moment at={last.sent_at} />
        </span>
      </>
    );
  }
  const label =
    last.state === "sending"
      ? t("Unknown: sending was interrupted")
      : last.state === "refused"
        ? t("Refused by the LMS")
        : t("Not delivered");
  return (
    <>
      <Chip tone="bad">{label}</Chip> <span dir="auto">{render(last.message)}</span>
    </>
  );
}

function PlannedAction({ entry }: { entry: GradeEntry }) {
  const [label, tone] = action(classifyEntry(entry));
  return (
    <>
      <Chip tone={tone}>{label}</Chip> <span dir="auto">{render(entry.reason)}</span>
    </>
  );
}
