// A course: its head, its running jobs, its tabs.

import { useEffect, useRef } from "react";
import { jobTitle } from "../codes";
import { Boundary } from "../components/Boundary";
import { withoutRoutineJobs } from "../components/JobListItem";
import { activity } from "../components/labels";
import { OpenLms, PlaceLink } from "../components/links";
import { Failure, Loading, Notice } from "../components/notices";
import { type Tab, usePanel } from "../context";
import { useGet } from "../hooks";
import { joinNames, n, t } from "../i18n";
import { render, renderHint } from "../messages";
import type { CourseDetail, JobInfo } from "../types";
import { Backups } from "./backups/Backups";
import { PersonalLab, Warnings } from "./Courses";
import { Copy } from "./copy/Copy";
import { GradesView } from "./grades/Grades";
import { History } from "./History";
import { Overview } from "./Overview";
import { SettingsView } from "./Settings";

const POLL_MS = 2_000;
const TABS: [Tab, () => string][] = [
  ["overview", () => t("Overview")],
  ["grades", () => t("Grades")],
  ["copy", () => t("Copy and import")],
  ["backups", () => t("Backups")],
  ["history", () => t("History")],
  ["settings", () => t("Settings")],
];

export function Course({ id, tab }: { id: string; tab: Tab }) {
  const { jobsVersion } = usePanel();
  const { value, error, retryIn, reload } = useGet<CourseDetail>(`courses/${id}`, {}, (course) =>
    course.state === "new" ? POLL_MS : null,
  );
  const teaching = value?.role === "instructor" || value?.role === "admin";
  const found = useGet<{ jobs: JobInfo[] }>(
    teaching ? "jobs" : null,
    { course: id },
    ({ jobs }) => (jobs.some((job) => !job.ended_at) ? POLL_MS : null),
    jobsVersion,
  );
  // What a job has done shows in the course: look when there is one less under way.
  const under = found.value?.jobs.filter((job) => !job.ended_at).length ?? 0;
  const before = useRef(0);
  useEffect(() => {
    if (under < before.current) reload();
    before.current = under;
  }, [under, reload]);
  const failure = error && <Failure error={error} retryIn={retryIn} onRetry={reload} />;
  if (!value) {
    return failure ? (
      <>
        <h1 tabIndex={-1}>{t("Course")}</h1>
        {failure}
      </>
    ) : (
      <Loading lines={8} />
    );
  }
  const everything = found.value?.jobs ?? [];
  const jobs = withoutRoutineJobs(everything);
  return (
    <>
      <Head course={value} teaching={teaching} />
      {failure}
      {!teaching ? (
        <>
          <PersonalLab />
          <p className="kore-actions">
            <OpenLms url={value.return_url} />
          </p>
        </>
      ) : value.state === "new" ? (
        <SetupState jobs={everything} />
      ) : (
        <>
          <nav className="kore-tabs" aria-label={t("This course")}>
            {TABS.map(([key, label]) => (
              <PlaceLink
                key={key}
                to={{ view: "course", course: id, tab: key }}
                current={key === tab ? "page" : undefined}
              >
                {label()}
              </PlaceLink>
            ))}
          </nav>
          <RunningJobs jobs={jobs} />
          <Boundary key={tab}>
            {tab === "overview" && <Overview course={value} jobs={jobs} reload={reload} />}
            {tab === "grades" && <GradesView course={value} jobs={jobs} />}
            {tab === "copy" && <Copy course={value} />}
            {tab === "backups" && <Backups course={value} />}
            {tab === "history" && (
              <History course={value} list={{ ...found, value: found.value && { jobs } }} />
            )}
            {tab === "settings" && <SettingsView course={value} />}
          </Boundary>
        </>
      )}
    </>
  );
}

function Head({ course, teaching }: { course: CourseDetail; teaching: boolean }) {
  const owners = course.people.filter((person) => person.role === "instructor");
  return (
    <div className="kore-course-head">
      {course.activity_title && course.context_title && (
        <p className="kore-eyebrow" dir="auto">
          {course.context_title}
        </p>
      )}
      <h1
        tabIndex={-1}
        dir="auto"
        className={activity(course).length > 80 ? "kore-long" : undefined}
      >
        {activity(course)}
      </h1>
      {teaching && (
        <p className="kore-muted">
          {owners.length > 0 &&
            t("Taught by {names}", {
              names: joinNames(
                owners.map((person) => person.name || t("someone whose name is unknown")),
              ),
            })}
          {owners.length > 0 && " · "}
          {n("{n} student", "{n} students", course.learners)}
        </p>
      )}
      {teaching && <Warnings course={{ ...course, state: "ready", grades_enabled: true }} />}
    </div>
  );
}

function RunningJobs({ jobs }: { jobs: JobInfo[] }) {
  const under = jobs.filter((job) => !job.ended_at);
  if (!under.length) return null;
  return (
    <ul className="kore-list kore-running" aria-label={t("Running in this course")}>
      {under.map((job) => (
        <li key={job.id}>
          <span>
            {jobTitle(job)}
            {job.total > 0 && ` – ${t("{done} of {total}", { done: job.done, total: job.total })}`}
          </span>{" "}
          <PlaceLink to={{ view: "job", job: job.id }}>{t("Show progress")}</PlaceLink>
        </li>
      ))}
    </ul>
  );
}

function SetupState({ jobs }: { jobs: JobInfo[] }) {
  const last = jobs.find((job) => job.kind === "course.provision");
  if (last?.state === "failed") {
    return (
      <Notice tone="bad" title={t("The course could not be set up")} live>
        <p>
          {render(last.message)} {renderHint(last.message)}
        </p>
        <p>{t("Open the activity in the LMS again. Kore then completes the set-up.")}</p>
      </Notice>
    );
  }
  return (
    <div role="status">
      <Notice tone="info" title={t("The course is being set up")}>
        <p>{t("This takes a few seconds. You do not need to do anything.")}</p>
        <progress aria-label={t("The course is being set up")} />
      </Notice>
    </div>
  );
}
