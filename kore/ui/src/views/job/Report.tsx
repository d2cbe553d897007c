// The report of a job: a line for each student, assignment or file.

import { useMemo, useState } from "react";
import { isAboutStudents, itemLabel, OUTCOME_ORDER, outcome } from "../../codes";
import { Dialog } from "../../components/Dialog";
import { FilteredTable } from "../../components/FilteredTable";
import { Chip, PersonName, Points } from "../../components/labels";
import { t } from "../../i18n";
import { render } from "../../messages";
import type { JobInfo, JobItemInfo } from "../../types";

/** So many lines are previewed through without a search. */
const SEARCH_FROM = 8;
const QUIET_OUTCOMES = ["sent", "unchanged"];

export function Report({ job, ended }: { job: JobInfo; ended: boolean }) {
  const [log, setLog] = useState<JobItemInfo | null>(null);
  const items = useMemo(
    () =>
      [...job.items].sort(
        (a, b) =>
          OUTCOME_ORDER.indexOf(a.outcome) - OUTCOME_ORDER.indexOf(b.outcome) ||
          a.label.localeCompare(b.label),
      ),
    [job.items],
  );
  const points = items.some((item) => typeof pointsOf(item) === "number");
  const people = isAboutStudents(job);
  return (
    <section aria-labelledby="kore-report">
      <h2 id="kore-report">{ended ? t("Report") : t("So far")}</h2>
      <FilteredTable
        label={t("Report")}
        rows={items}
        keyOf={(item) => item.key}
        searchLabel={people ? t("Find a student") : t("Search the report")}
        textOf={(item) => `${itemLabel(job, item)} ${item.key}`}
        kinds={OUTCOME_ORDER.map((code) => [code, outcome(code, job.kind)[0]])}
        kindOf={(item) => item.outcome}
        searched={people || items.length > SEARCH_FROM}
        none={people ? t("No student matches.") : t("Nothing matches.")}
        columns={[
          {
            title: people ? t("Student") : t("What"),
            cell: (item) =>
              people ? (
                <PersonName name={item.label} user={item.key} />
              ) : (
                <bdi>{itemLabel(job, item)}</bdi>
              ),
          },
          ...(points
            ? [
                {
                  title: t("Points"),
                  number: true,
                  cell: (item: JobItemInfo) => <ItemPoints item={item} />,
                },
              ]
            : []),
          {
            title: t("What happened"),
            cell: (item) => {
              const [label, tone] = outcome(item.outcome, job.kind);
              return (
                <>
                  <Chip tone={tone}>{label}</Chip>{" "}
                  {!(points && QUIET_OUTCOMES.includes(item.outcome)) &&
                    render(item.message) !== label && (
                      <span dir="auto">{render(item.message)}</span>
                    )}{" "}
                  {typeof item.detail.log === "string" && item.detail.log && (
                    <button type="button" className="kore-link" onClick={() => setLog(item)}>
                      {t("Notebook output")}
                    </button>
                  )}
                </>
              );
            },
          },
        ]}
      />
      {log && (
        <Dialog title={t("Notebook output")} onClose={() => setLog(null)}>
          <p>
            <PersonName name={log.label} user={log.key} />
          </p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
          <pre className="kore-log" tabIndex={0} role="region" aria-label={t("Log")}>
            {String(log.detail.log)}
          </pre>
          <p className="kore-actions">
            <button type="button" className="kore-button" onClick={() => setLog(null)}>
              {t("Close")}
            </button>
          </p>
        </Dialog>
      )}
    </section>
  );
}

/** What was sent for a student, or what their notebook got. */
const pointsOf = (item: JobItemInfo): unknown => item.detail.given ?? item.detail.score;

function ItemPoints({ item }: { item: JobItemInfo }) {
  const { maximum } = item.detail;
  const given = pointsOf(item);
  if (typeof given !== "number" || typeof maximum !== "number") return <>–</>;
  return <Points given={given} maximum={maximum} />;
}
