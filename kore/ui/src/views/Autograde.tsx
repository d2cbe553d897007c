// Grade what is new of an assignment, as a job.

import { useState } from "react";
import { Dialog, DialogActions } from "../components/Dialog";
import { Checkbox } from "../components/fields";
import { Failure } from "../components/notices";
import { useStartJob } from "../hooks";
import { n, t } from "../i18n";
import type { AssignmentInfo } from "../types";

export function Autograde({ course, assignment }: { course: string; assignment: AssignmentInfo }) {
  const [open, setOpen] = useState(false);
  const [collect, setCollect] = useState(true);
  const [again, setAgain] = useState(false);
  const { busy, error, start, clear } = useStartJob();
  const { name, to_collect: outside, to_grade: fresh } = assignment;
  const begin = () =>
    start(`courses/${course}/autograde`, {
      assignment: name,
      collect: collect && outside > 0,
      again,
    });
  return (
    <>
      <button
        type="button"
        className="kore-button kore-small"
        aria-label={t("Grade {name} automatically", { name })}
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
              fresh,
              { name },
            )}{" "}
            {t(
              "Each student's notebook is run, and the tests give the points. You can leave this page meanwhile.",
            )}
          </p>
          {outside > 0 && (
            <Checkbox
              label={n(
                "First collect {n} that has been handed in since",
                "First collect {n} that have been handed in since",
                outside,
              )}
              checked={collect}
              onChange={setCollect}
            />
          )}
          <Checkbox
            label={t("Also grade again what is graded already")}
            checked={again}
            onChange={setAgain}
          />
          {error && <Failure error={error} onRetry={begin} />}
          <DialogActions onClose={() => setOpen(false)} onConfirm={begin} busy={busy}>
            {t("Grade")}
          </DialogActions>
        </Dialog>
      )}
    </>
  );
}
