// A job: how far it is, then what can be done after it.

import { useEffect, useRef } from "react";
import { isAboutStudents, jobState, jobTitle, OUTCOME_ORDER, outcome } from "../../codes";
import { activity, Chip, Moment } from "../../components/labels";
import { Formgrader, PlaceLink, serverAddress } from "../../components/links";
import { Failure, Loading } from "../../components/notices";
import { usePanel } from "../../context";
import { toCsv } from "../../csv";
import { saveTable } from "../../download";
import { useAction, useGet, useJob, useStartJob } from "../../hooks";
import { n, number, t } from "../../i18n";
import { render, renderHint } from "../../messages";
import type { CourseDetail, JobInfo } from "../../types";
import { Report } from "./Report";

export function Job({ id }: { id: string }) {
  const { announce, refreshJobs } = usePanel();
  const { value: job, error, retryIn, reload } = useJob(id);
  const quarter = useRef(0);
  const ended = Boolean(job?.ended_at);
  const watched = useRef(false);
  useEffect(() => {
    if (!job) return;
    if (job.ended_at) {
      if (watched.current) {
        announce(`${jobTitle(job)} – ${summary(job)}`);
        // The bell would find out a moment later.
        refreshJobs();
      }
      watched.current = false;
      return;
    }
    watched.current = true;
    // Each second would be too much to listen to.
    const reached = job.total ? Math.floor((4 * job.done) / job.total) : 0;
    if (reached > quarter.current) announce(progressText(job));
    quarter.current = reached;
  }, [job, announce, refreshJobs]);
  if (!job) {
    return (
      <>
        <h1 tabIndex={-1}>{t("Report")}</h1>
        {error ? (
          <Failure error={error} retryIn={retryIn} onRetry={reload} />
        ) : (
          <Loading lines={8} />
        )}
      </>
    );
  }
  return (
    <>
      {job.course && <Crumb course={job.course} />}
      <h1 tabIndex={-1}>{jobTitle(job)}</h1>
      {error && <Failure error={error} retryIn={retryIn} onRetry={reload} />}
      <State job={job} reload={reload} />
      {job.items.length > 0 && <Report job={job} ended={ended} />}
    </>
  );
}

function Crumb({ course }: { course: string }) {
  const { value } = useGet<CourseDetail>(`courses/${course}`);
  return (
    <nav aria-label={t("Breadcrumbs")} className="kore-crumbs">
      <span aria-hidden="true">← </span>
      <PlaceLink to={{ view: "course", course, tab: "overview" }}>
        <bdi>{value ? activity(value) : t("The course")}</bdi>
      </PlaceLink>
    </nav>
  );
}

const progressText = (job: JobInfo) =>
  [
    job.total
      ? t("{done} of {total}", { done: job.done, total: job.total })
      : job.message
        ? ""
        : t("It will start in a moment."),
    render(job.message),
  ]
    .filter(Boolean)
    .join(" – ");

function summary(job: JobInfo): string {
  if (job.state === "failed") return render(job.message) || t("The job failed.");
  if (!isAboutStudents(job) && job.message) return render(job.message);
  const tally = OUTCOME_ORDER.map(
    (code) => [code, job.items.filter((item) => item.outcome === code).length] as const,
  ).filter(([, count]) => count);
  if (!tally.length) return render(job.message) || t("There was nothing to do.");
  return tally.map(([code, count]) => `${outcome(code, job.kind)[0]}: ${number(count)}`).join(", ");
}

function State({ job, reload }: { job: JobInfo; reload: () => void }) {
  const { kore } = usePanel();
  const { busy, error, act } = useAction();
  const [label, tone] = jobState(job.state);
  const stop = () =>
    act(async () => {
      await kore.send("POST", `jobs/${job.id}/cancel`);
      reload();
    });
  return (
    <section className="kore-card" aria-label={t("State")}>
      <p className="kore-chips">
        <Chip tone={tone}>{label}</Chip>
        <span className="kore-muted">
          {t("Started")} <Moment at={job.started_at ?? job.created_at} />
          {job.ended_at && (
            <>
              , {t("ended")} <Moment at={job.ended_at} />
            </>
          )}
        </span>
      </p>
      {job.ended_at ? (
        <>
          <p className="kore-job-text">{summary(job)}</p>
          {job.state === "failed" && renderHint(job.message) && <p>{renderHint(job.message)}</p>}
          {job.state === "cancelled" && job.kind === "grades.send" && (
            <p>
              {t("Students who are not in the report have the same points in the LMS as before.")}
            </p>
          )}
          <NextSteps job={job} />
        </>
      ) : (
        <>
          <p className="kore-job-text">{progressText(job)}</p>
          <progress
            aria-label={t("Progress")}
            {...(job.total ? { max: job.total, value: job.done } : {})}
          />
          <p className="kore-muted">
            {t(
              "You can leave this page. The job keeps running, the bell tells you when it ends, and the report is kept.",
            )}
          </p>
          {error && <Failure error={error} onRetry={stop} />}
          <p className="kore-actions">
            <button type="button" className="kore-button" disabled={busy} onClick={stop}>
              {busy ? t("Stopping …") : t("Stop")}
            </button>
          </p>
        </>
      )}
    </section>
  );
}

/** The way to do once more what a job could not do for some, and only that. */
function getRetry(job: JobInfo): { label: string; path: string; body: object } | null {
  const failed = job.items
    .filter((item) => item.outcome === "failed" || item.outcome === "refused")
    .map((item) => item.key);
  if (!failed.length) return null;
  if (job.kind === "grades.send") {
    return {
      label: n("Resend {n} failed grade", "Resend {n} failed grades", failed.length),
      path: "grades",
      body: { course: job.course, resend: false, users: failed },
    };
  }
  if (job.kind === "assignment.autograde" && job.subject) {
    return {
      label: n("Regrade {n} failed submission", "Regrade {n} failed submissions", failed.length),
      path: `courses/${job.course}/autograde`,
      body: { assignment: job.subject, students: failed },
    };
  }
  return null;
}

/** In JupyterLab of the course whose server a job has stopped: the way to start it again. */
function RestartLab({ job }: { job: JobInfo }) {
  const { host } = usePanel();
  const stopped = job.kind === "course.reset" || job.kind === "course.restore";
  if (!stopped || host.course !== job.course || job.state !== "done") return null;
  return (
    <a className="kore-button kore-main" href={serverAddress(host, job.course, "lab")}>
      {t("Start JupyterLab again")}
    </a>
  );
}

function NextSteps({ job }: { job: JobInfo }) {
  const { busy, error, start } = useStartJob();
  const retry = getRetry(job);
  const again = () => retry && start(retry.path, retry.body);
  return (
    <>
      {error && <Failure error={error} onRetry={again} />}
      <p className="kore-actions">
        <RestartLab job={job} />
        {retry && (
          <button type="button" className="kore-button kore-main" disabled={busy} onClick={again}>
            {retry.label}
          </button>
        )}
        {job.course && job.items.some((item) => item.outcome === "needs_manual") && (
          <Formgrader course={job.course} />
        )}
        {job.items.length > 0 && (
          <button
            type="button"
            className="kore-button"
            onClick={() => saveTable(`report-${job.created_at.slice(0, 10)}.csv`, toCsv(job))}
          >
            {t("Download as CSV")}
          </button>
        )}
        {job.course && job.kind !== "course.delete" && (
          <PlaceLink
            className="kore-button"
            to={{ view: "course", course: job.course, tab: "overview" }}
          >
            {t("Back to the course")}
          </PlaceLink>
        )}
      </p>
    </>
  );
}
