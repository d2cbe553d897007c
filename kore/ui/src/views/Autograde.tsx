// Grade what is new of an assignment, as a job.

import { useState } from "react";
import { Dialog, DialogActions } from "../components/Dialog";
import { Check } from "../components/fields";
import { Failure } from "../components/notices";
import { useStartJob } from "../hooks";
import type { Assignment } from "../types";
import { n, t } from "../words";

export function Autograde({ course, assignment }: { course: string; assignment: Assignment }) {
  const [open, setOpen] = useState(false);
  const [again, setAgain] = useState(false);
  const { busy, trouble, start, clear } = useStartJob();
  const fresh = assignment.collected - assignment.graded;
  const outside = assignment.handed_in - assignment.collected;
  const begin = () => start(`courses/${course}/autograde`, { assignment: assignment.name, again });
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
          <DialogActions onClose={() => setOpen(false)} onConfirm={begin} busy={busy}>
            {t("Grade")}
          </DialogActions>
        </Dialog>
      )}
    </>
  );
}
