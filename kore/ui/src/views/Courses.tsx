// The person's courses; for a student, and nothing else, the way to them.

import { useState } from "react";
import { role } from "../codes";
import { Shown } from "../components/FilteredTable";
import { Search } from "../components/fields";
import { activity, Chip, Moment } from "../components/labels";
import { PlaceLink } from "../components/links";
import { Empty, Failure, Loading } from "../components/notices";
import { usePanel } from "../context";
import { useGet } from "../hooks";
import { fold, n, t } from "../i18n";
import type { CourseSummary } from "../types";

const SEARCH_FROM = 8;
const teaches = (course: CourseSummary) => course.role === "instructor" || course.role === "admin";

export function Courses({ all }: { all: boolean }) {
  const { session, host } = usePanel();
  const admin = session?.admin ?? false;
  const everything = all && admin;
  const { value, error, retryIn, reload } = useGet<{ courses: CourseSummary[] }>("courses", {
    all: everything || null,
  });
  const [wanted, setWanted] = useState("");
  const courses = value?.courses ?? [];
  const shown = courses.filter((course) => fold(course.title).includes(fold(wanted.trim())));
  const teaching = courses.some(teaches);
  return (
    <>
      <div className="kore-head">
        <h1 tabIndex={-1}>{everything ? t("All courses") : t("Your courses")}</h1>
        {admin && (
          <nav className="kore-switch" aria-label={t("Which courses")}>
            <PlaceLink to={{ view: "courses" }} current={everything ? undefined : "true"}>
              {t("Yours")}
            </PlaceLink>
            <PlaceLink
              to={{ view: "courses", all: true }}
              current={everything ? "true" : undefined}
            >
              {t("All in this hub")}
            </PlaceLink>
          </nav>
        )}
      </div>
      {error && <Failure error={error} retryIn={retryIn} onRetry={reload} />}
      {!value && !error && <Loading lines={4} />}
      {value && courses.length > 0 && !teaching && <PersonalLab />}
      {value && courses.length === 0 && <NoCourses everything={everything} />}
      {courses.length > SEARCH_FROM && (
        <div className="kore-filters">
          <Search label={t("Find a course")} value={wanted} onChange={setWanted} />
          <Shown shown={shown.length} of={courses.length} />
        </div>
      )}
      {value && courses.length > 0 && shown.length === 0 && (
        <Empty title={t("No course matches your search.")} />
      )}
      <ul className="kore-courses">
        {shown.map((course) => (
          <li key={course.id} className="kore-card">
            <Titles course={course} />
            {teaches(course) ? (
              <>
                <p className="kore-muted">
                  {role(course.role)} · {n("{n} student", "{n} students", course.learners)} ·{" "}
                  {n("{n} teacher", "{n} teachers", course.instructors)}
                </p>
                <p className="kore-muted">
                  {t("Last opened")} <Moment at={course.launched_at} />
                </p>
                <Warnings course={course} />
              </>
            ) : (
              teaching && (
                <p className="kore-muted">
                  {t("You are a student in this course. Your work is in your own JupyterLab.")}{" "}
                  <a href={`${host.hub}user-redirect/lab`}>{t("Open JupyterLab")}</a>
                </p>
              )
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function Titles({ course }: { course: CourseSummary }) {
  return (
    <>
      {course.activity_title && course.context_title && (
        <p className="kore-eyebrow" dir="auto">
          {course.context_title}
        </p>
      )}
      <h2 dir="auto" className="kore-clip">
        {teaches(course) ? (
          <PlaceLink to={{ view: "course", course: course.id, tab: "overview" }}>
            {activity(course)}
          </PlaceLink>
        ) : (
          activity(course)
        )}
      </h2>
    </>
  );
}

export function Warnings({ course }: { course: CourseSummary }) {
  if (course.state === "ready" && course.opened_by_teacher && course.grades_enabled) return null;
  return (
    <p className="kore-chips">
      {course.state === "new" && <Chip tone="info">{t("Being set up")}</Chip>}
      {!course.opened_by_teacher && <Chip tone="warn">{t("Not opened by a teacher yet")}</Chip>}
      {!course.grades_enabled && <Chip>{t("The LMS does not accept grades")}</Chip>}
    </p>
  );
}

export function PersonalLab() {
  const { host } = usePanel();
  return (
    <>
      <p className="kore-lead">
        {t("Your work for all your courses is in your own JupyterLab, in the assignment list.")}
      </p>
      {host.kind === "page" && (
        <p className="kore-actions">
          <a className="kore-button kore-main" href={`${host.hub}user-redirect/lab`}>
            {t("Open JupyterLab")}
          </a>
        </p>
      )}
    </>
  );
}

function NoCourses({ everything }: { everything: boolean }) {
  if (everything) {
    return (
      <Empty title={t("No courses yet")}>
        <p>
          {t(
            "A course is created when someone first opens a Jupyter activity in the learning management system (LMS).",
          )}
        </p>
      </Empty>
    );
  }
  return (
    <Empty title={t("You have no courses yet")}>
      <p>
        {t(
          "A course is created when its activity is first opened in your learning management system (LMS). There is nothing to set up here.",
        )}
      </p>
      <ol>
        <li>{t("Go to your course in the LMS.")}</li>
        <li>
          {t("Open its Jupyter activity. If you teach the course and there is none, add one.")}
        </li>
        <li>{t("Come back here: the course will be in this list.")}</li>
      </ol>
    </Empty>
  );
}
