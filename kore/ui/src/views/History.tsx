// What was done in a course, by whom, and what came of it.

import { useState } from "react";
import { auditOutcome, jobState, jobTitle } from "../codes";
import { Chip, Moment } from "../components/labels";
import { PlaceLink } from "../components/links";
import { Empty, LoadedContent } from "../components/notices";
import { Pages, Table } from "../components/Table";
import { type Loaded, useGet } from "../hooks";
import { t } from "../i18n";
import { render } from "../messages";
import type { AuditPage, CourseDetail, JobInfo } from "../types";

const PER_PAGE = 50;

type JobList = Loaded<{ jobs: JobInfo[] }>;

export function History({ course, list }: { course: CourseDetail; list: JobList }) {
  return (
    <>
      <Jobs course={course} list={list} />
      <AuditList course={course} />
    </>
  );
}

function Jobs({ course, list }: { course: CourseDetail; list: JobList }) {
  const names = new Map(course.people.map((person) => [person.user, person.name]));
  return (
    <section aria-labelledby="kore-jobs">
      <h2 id="kore-jobs">{t("Jobs and reports")}</h2>
      <LoadedContent from={list}>
        {({ jobs }) =>
          jobs.length === 0 ? (
            <Empty title={t("No jobs yet.")} />
          ) : (
            <Table
              label={t("Jobs and reports")}
              rows={jobs}
              keyOf={(job) => job.id}
              columns={[
                {
                  title: t("What"),
                  cell: (job) => (
                    <PlaceLink to={{ view: "job", job: job.id }}>{jobTitle(job)}</PlaceLink>
                  ),
                },
                {
                  title: t("State"),
                  cell: (job) => {
                    const [label, tone] = jobState(job.state);
                    return <Chip tone={tone}>{label}</Chip>;
                  },
                },
                { title: t("When"), cell: (job) => <Moment at={job.created_at} /> },
                {
                  title: t("By"),
                  cell: (job) => <bdi>{names.get(job.created_by) || t("Someone else")}</bdi>,
                },
                { title: t("Result"), cell: (job) => <span>{render(job.message)}</span> },
              ]}
            />
          )
        }
      </LoadedContent>
    </section>
  );
}

function AuditList({ course }: { course: CourseDetail }) {
  const [page, setPage] = useState(1);
  const list = useGet<AuditPage>(`courses/${course.id}/audit`, { page, per_page: PER_PAGE });
  return (
    <section aria-labelledby="kore-audit">
      <h2 id="kore-audit">{t("Activity log")}</h2>
      <LoadedContent from={list}>
        {({ entries }) =>
          entries.length === 0 ? (
            <Empty title={t("No entries yet.")} />
          ) : (
            <Table
              label={t("Activity log")}
              rows={entries}
              keyOf={(entry) => `${entry.at}/${entry.action}/${entry.outcome}/${entry.by}`}
              columns={[
                { title: t("When"), cell: (entry) => <Moment at={entry.at} /> },
                {
                  title: t("Who"),
                  cell: (entry) => <bdi>{entry.by_name || t("Someone else")}</bdi>,
                },
                {
                  title: t("What"),
                  cell: (entry) => (
                    <>
                      <span dir="auto">{render(entry.message)}</span>{" "}
                      {entry.job && (
                        <PlaceLink to={{ view: "job", job: entry.job }}>{t("Report")}</PlaceLink>
                      )}
                    </>
                  ),
                },
                {
                  title: t("Result"),
                  cell: (entry) => {
                    const [label, tone] = auditOutcome(entry.outcome);
                    return <Chip tone={tone}>{label}</Chip>;
                  },
                },
              ]}
            />
          )
        }
      </LoadedContent>
      <Pages total={list.value?.total ?? 0} perPage={PER_PAGE} page={page} onPage={setPage} />
    </section>
  );
}
