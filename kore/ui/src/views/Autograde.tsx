// Grade what is new of an assignment, as a job.

import { useState } from "react";
import { useAround } from "../context";
import { useAct } from "../hooks";
import { Check, Dialog, Failure } from "../parts";
import type { Assignment, Job } from "../types";
import { n, t } from "../words";

export function Autograde({ course, assignment }: { course: string; assignment: Assignment }) {
  const { kore, go, jobsChanged } = useAround();
  const [open, setOpen] = useState(false);
  const [again, setAgain] = useState(false);
  const { busy, trouble, act, clear } = useAct();
  const fresh = assignment.collected - assignment.graded;
  const outside = assignment.handed_in - assignment.collected;
  const begin = () =>
    act(async () => {
      const job = await kore.send<Job>("POST", `courses/${course}/autograde`, {
        assignment: assignment.name,
        again,
      });
      jobsChanged();
      go({ view: "job", job: job.id });
    });
  return (
    <>
      <button
        type="button"
        className="kore-button kore-small"
        aria-label={t("Grade {name} automatically", { name: assignment.name })}
        onClick={() => {
          clear();
          setOpen(true);
        }}
      >
        {t("Grade automatically")}
      </button>
      {open && (
        <Dialog title={t("Grade automatically?")} onClose={() => setOpen(false)}>
          <p>
            {n(
              "{n} submission of {name} waits for grading.",
              "{n} submissions of {name} wait for grading.",
              Math.max(0, fresh),
              { name: assignment.name },
            )}{" "}
            {t(
              "Each student's notebook is run, and the tests give the points. You can leave this page meanwhile.",
            )}
          </p>
          {outside > 0 && (
            <p>
              {n(
                "{n} more has been handed in and is not collected: collect it in formgrader first.",
                "{n} more have been handed in and are not collected: collect them in formgrader first.",
                outside,
              )}
            </p>
          )}
          <Check
            label={t("Also grade again what is graded already")}
            checked={again}
            onChange={setAgain}
          />
          {trouble && <Failure trouble={trouble} onRetry={begin} />}
          <p className="kore-actions">
            <button type="button" className="kore-button" onClick={() => setOpen(false)}>
              {t("Cancel")}
            </button>
            <button type="button" className="kore-button kore-main" disabled={busy} onClick={begin}>
              {busy ? t("One moment …") : t("Grade")}
            </button>
          </p>
        </Dialog>
      )}
    </>
  );
}
