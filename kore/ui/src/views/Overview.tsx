// The course at a glance: assignments, grades in the LMS, recent activity, people.

import { assignmentState } from "../codes";
import { JobListItem } from "../components/JobListItem";
import { Chip, Moment, PersonName } from "../components/labels";
import { Formgrader, OpenLms, PlaceLink, serverAddress } from "../components/links";
import { Empty } from "../components/notices";
import { Table } from "../components/Table";
import { usePanel } from "../context";
import { useGet } from "../hooks";
import { n, number, size, t } from "../i18n";
import { render } from "../messages";
import type { AssignmentInfo, CourseDetail, ExchangeState, JobInfo, Person } from "../types";
import { Autograde } from "./Autograde";

const MAX_RECENT = 5;

export function Overview({
  course,
  jobs,
  reload,
}: {
  course: CourseDetail;
  jobs: JobInfo[];
  reload: () => void;
}) {
  const { host } = usePanel();
  const elsewhere = host.course !== course.id;
  return (
    <>
      <p className="kore-actions">
        {elsewhere && (
          <a
            className="kore-button kore-main"
            href={serverAddress(host, course.id, "lab")}
            target={host.kind === "lab" ? "_blank" : undefined}
          >
            {t("Open the course in JupyterLab")}
          </a>
        )}
        <Formgrader course={course.id} />
        <OpenLms url={course.return_url} />
      </p>
      {elsewhere && course.server && course.server !== "running" && (
        <p className="kore-muted">
          {t("This course’s JupyterLab is not running. It starts when you open it.")}
        </p>
      )}
      <section aria-labelledby="kore-assignments">
        <div className="kore-head">
          <h2 id="kore-assignments">{t("Assignments")}</h2>
          <button type="button" className="kore-button kore-small" onClick={reload}>
            {t("Refresh")}
          </button>
        </div>
        {course.assignments.length === 0 ? (
          <Empty title={t("No assignments yet")}>
            <p>
              {t(
                "Add one in formgrader (“Add new assignment”), write it in JupyterLab, then generate and release it in formgrader. Students find it in their JupyterLab.",
              )}
            </p>
            <p>
              <PlaceLink to={{ view: "course", course: course.id, tab: "copy" }}>
                {t("Or copy one from another course or a backup")}
              </PlaceLink>
            </p>
          </Empty>
        ) : (
          <Assignments course={course} />
        )}
        <Limits course={course.id} />
      </section>
      <LmsGrades course={course} jobs={jobs} />
      <RecentActivity jobs={jobs} course={course.id} />
      <People people={course.people} />
    </>
  );
}

function State({ assignment: a }: { assignment: AssignmentInfo }) {
  const [label, tone] = assignmentState(a.state);
  return (
    <span className="kore-chips">
      <Chip tone={tone}>{label}</Chip>
      {a.to_collect > 0 && (
        <Chip tone="info">{n("{n} to collect", "{n} to collect", a.to_collect)}</Chip>
      )}
      {a.to_grade > 0 && <Chip tone="info">{n("{n} to grade", "{n} to grade", a.to_grade)}</Chip>}
      {a.needs_manual > 0 && (
        <Chip tone="warn">
          {n("{n} to grade manually", "{n} to grade manually", a.needs_manual)}
        </Chip>
      )}
    </span>
  );
}

function Assignments({ course }: { course: CourseDetail }) {
  return (
    <Table
      label={t("Assignments")}
      rows={course.assignments}
      keyOf={(a) => a.name}
      columns={[
        { title: t("Assignment"), cell: (a) => <bdi>{a.name}</bdi> },
        { title: t("State"), cell: (a) => <State assignment={a} /> },
        {
          title: t("Due"),
          cell: (a) =>
            a.due_at ? (
              <Moment at={a.due_at} />
            ) : (
              <span className="kore-muted">{t("No due date")}</span>
            ),
        },
        {
          title: t("Submitted"),
          number: true,
          cell: (a) => number(Math.max(a.submitted, a.collected)),
        },
        { title: t("Graded"), number: true, cell: (a) => number(a.graded) },
        {
          title: t("Points"),
          number: true,
          cell: (a) => (a.max_score ? number(a.max_score) : "–"),
        },
        {
          title: t("Grading"),
          cell: (a) =>
            a.collected > 0 || a.to_collect > 0 ? (
              <Autograde course={course.id} assignment={a} />
            ) : (
              <span>–</span>
            ),
        },
      ]}
    />
  );
}

function Limits({ course }: { course: string }) {
  const { value } = useGet<ExchangeState>(`exchange/${course}`);
  return (
    <p className="kore-muted kore-limits">
      {value &&
        t(
          "A submission can have up to {files} files and {submission}, each file up to {file}. Released assignments and submissions use {used} of {course} in this course. Your administrator can raise these limits.",
          {
            submission: size(value.limits.submission),
            files: value.limits.files,
            file: size(value.limits.file),
            used: size(value.used),
            course: size(value.limits.course),
          },
        )}
    </p>
  );
}

function LmsGrades({ course, jobs }: { course: CourseDetail; jobs: JobInfo[] }) {
  const last = jobs.find((job) => job.kind === "grades.send" && job.ended_at);
  const graded = course.assignments.some((a) => a.graded > 0);
  return (
    <section aria-labelledby="kore-sent">
      <h2 id="kore-sent">{t("Grades in the LMS")}</h2>
      {!course.grades_enabled ? (
        <p>{t("The LMS does not accept grades from this activity.")}</p>
      ) : last?.ended_at ? (
        <p>
          {t("Last sent")} <Moment at={last.ended_at} />
          {last.message && `: ${render(last.message)}`}{" "}
          <PlaceLink to={{ view: "job", job: last.id }}>{t("Report")}</PlaceLink>
        </p>
      ) : (
        <p>{t("Nothing has been sent to the LMS yet.")}</p>
      )}
      <p className="kore-actions">
        <PlaceLink
          className={graded && course.grades_enabled ? "kore-button kore-main" : "kore-button"}
          to={{ view: "course", course: course.id, tab: "grades" }}
        >
          {course.grades_enabled ? t("Review and send grades") : t("How to turn it on")}
        </PlaceLink>
      </p>
    </section>
  );
}

function RecentActivity({ jobs, course }: { jobs: JobInfo[]; course: string }) {
  if (!jobs.length) return null;
  return (
    <section aria-labelledby="kore-recent">
      <h2 id="kore-recent">{t("Recent activity")}</h2>
      <ul className="kore-list">
        {jobs.slice(0, MAX_RECENT).map((job) => (
          <JobListItem key={job.id} job={job} />
        ))}
      </ul>
      {jobs.length > MAX_RECENT && (
        <p>
          <PlaceLink to={{ view: "course", course, tab: "history" }}>{t("Full history")}</PlaceLink>
        </p>
      )}
    </section>
  );
}

function People({ people }: { people: Person[] }) {
  const groups: [Person["role"], (count: number) => string][] = [
    ["instructor", (count) => n("{n} teacher", "{n} teachers", count)],
    ["learner", (count) => n("{n} student", "{n} students", count)],
    ["observer", (count) => n("{n} guest", "{n} guests", count)],
  ];
  return (
    <section aria-labelledby="kore-people">
      <h2 id="kore-people">{t("People")}</h2>
      {groups.map(([role, label]) => {
        const group = people.filter((person) => person.role === role);
        if (!group.length && role === "observer") return null;
        return (
          <details key={role} className="kore-people">
            <summary>{label(group.length)}</summary>
            {group.length === 0 && (
              <p className="kore-muted">
                {t("No one yet. People are enrolled when they open the activity in the LMS.")}
              </p>
            )}
            <ul className="kore-list">
              {group.map((person) => (
                <li key={person.user}>
                  <PersonName name={person.name} user={person.user} />{" "}
                  <span className="kore-muted">
                    {t("last active")} <Moment at={person.launched_at} />
                  </span>
                </li>
              ))}
            </ul>
          </details>
        );
      })}
    </section>
  );
}
