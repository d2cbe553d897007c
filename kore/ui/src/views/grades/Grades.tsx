// Preview of the grades that will be sent, and the button to send them.

import { useMemo, useState } from "react";
import { ACTION_ORDER } from "../../codes";
import { Formgrader, OpenLms, PlaceLink } from "../../components/links";
import { Empty, Failure, Loading, Notice } from "../../components/notices";
import { useGet } from "../../hooks";
import { joinNames, n, number, t } from "../../i18n";
import type { CourseDetail, GradesPreview, JobInfo } from "../../types";
import { classifyEntry, Entries } from "./Entries";
import { SendDialog } from "./SendDialog";

export function GradesView({ course, jobs }: { course: CourseDetail; jobs: JobInfo[] }) {
  if (!course.grades_enabled) return <GradesDisabled course={course} />;
  const sending = jobs.some((job) => job.kind === "grades.send" && !job.ended_at);
  return <Preview course={course} under={sending} />;
}

function GradesDisabled({ course }: { course: CourseDetail }) {
  return (
    <Notice tone="warn" title={t("The LMS does not accept grades from this activity")}>
      <p>{t("You can grade as usual, but you cannot send grades. To turn sending on:")}</p>
      <ol>
        <li>
          {t(
            "Open the settings of the activity in the LMS, and let it accept grades from the tool (in Moodle: Privacy → “Accept grades from the tool”).",
          )}
        </li>
        <li>
          {t(
            "If there is no such setting, ask the LMS administrator to give this tool access to the gradebook (“Assignment and Grade Services”).",
          )}
        </li>
        <li>{t("Open the activity in the LMS again, then come back here.")}</li>
      </ol>
      <p className="kore-actions">
        <OpenLms url={course.return_url} />
      </p>
    </Notice>
  );
}

function Preview({ course, under }: { course: CourseDetail; under: boolean }) {
  const { value, error, retryIn, reload } = useGet<GradesPreview>(
    "grades",
    { course: course.id },
    undefined,
    // Loaded again when sending ends: what was sent is then in the LMS.
    under ? 1 : 0,
  );
  const [sending, setSending] = useState<"send" | "resend" | null>(null);
  const entries = useMemo(
    () =>
      [...(value?.entries ?? [])].sort(
        (a, b) =>
          ACTION_ORDER.indexOf(classifyEntry(a)) - ACTION_ORDER.indexOf(classifyEntry(b)) ||
          a.name.localeCompare(b.name),
      ),
    [value],
  );
  if (!value) {
    return error ? (
      <Failure error={error} retryIn={retryIn} onRetry={reload} />
    ) : (
      <Loading lines={10} />
    );
  }
  if (!entries.length) {
    return (
      <Empty title={t("No students yet")}>
        <p>
          {t("Students are enrolled when they open the activity in the LMS for the first time.")}
        </p>
      </Empty>
    );
  }
  const send = value.counts.send ?? 0;
  const unchanged = value.counts.unchanged ?? 0;
  const held = value.counts.held_back ?? 0;
  const outside = course.assignments.filter((assignment) => assignment.to_collect > 0);
  return (
    <>
      {error && <Failure error={error} retryIn={retryIn} onRetry={reload} />}
      <section className="kore-card" aria-label={t("What will be sent")}>
        <ul className="kore-figures">
          <li>
            <b>{number(send)}</b> {t("to send")}
          </li>
          <li>
            <b>{number(unchanged)}</b> {t("unchanged")}
          </li>
          <li>
            <b>{number(held)}</b> {t("held back")}
          </li>
        </ul>
        {held > 0 && (
          <p>
            {n(
              "{n} student is held back: nothing is sent for them. The table says why.",
              "{n} students are held back: nothing is sent for them. The table says why.",
              held,
            )}
          </p>
        )}
        {outside.length > 0 && (
          <p>
            {t(
              "Not all submissions are collected yet: {names}. Only collected and graded work counts.",
              { names: joinNames(outside.map((assignment) => assignment.name)) },
            )}
          </p>
        )}
        <p className="kore-actions">
          {send > 0 && !under && (
            <button
              type="button"
              className="kore-button kore-main"
              onClick={() => setSending("send")}
            >
              {n("Send {n} grade", "Send {n} grades", send)}
            </button>
          )}
          {unchanged > 0 && !under && (
            <button type="button" className="kore-button" onClick={() => setSending("resend")}>
              {t("Also resend unchanged grades")}
            </button>
          )}
          <button type="button" className="kore-button" onClick={reload}>
            {t("Refresh")}
          </button>
          {held > 0 && <Formgrader course={course.id} />}
          {value.last_job && (
            <PlaceLink className="kore-button" to={{ view: "job", job: value.last_job }}>
              {t("Last report")}
            </PlaceLink>
          )}
        </p>
        <p className="kore-muted">
          {send === 0 && unchanged === 0
            ? t("Nothing to send: all grades are held back. The table says why.")
            : send === 0
              ? t("Nothing new to send: the LMS already has all points.")
              : null}{" "}
          {value.assignments.length > 0 &&
            t("Points are the sum of {names}, at most {maximum}, minus late penalties.", {
              names: joinNames(value.assignments),
              maximum: number(value.maximum),
            })}
        </p>
      </section>
      <Entries entries={entries} />
      {sending && (
        <SendDialog
          course={course.id}
          count={sending === "send" ? send : send + unchanged}
          held={held}
          resend={sending === "resend"}
          onClose={() => setSending(null)}
        />
      )}
    </>
  );
}
