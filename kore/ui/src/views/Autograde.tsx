// Button and dialog to grade an assignment automatically.

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
  const [regrade, setRegrade] = useState(false);
  const { busy, error, start, clear } = useStartJob();
  const { name, to_collect: outside, to_grade: fresh } = assignment;
  const begin = () =>
    start(`courses/${course}/autograde`, {
      assignment: name,
      collect: collect && outside > 0,
      regrade,
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
              "{n} submission of {name} is waiting to be graded.",
              "{n} submissions of {name} are waiting to be graded.",
              fresh,
              { name },
            )}{" "}
            {t(
              "Kore runs each student’s notebook, and its tests give the points. You can leave this page in the meantime.",
            )}
          </p>
          {outside > 0 && (
            <Checkbox
              label={n(
                "Collect {n} new submission first",
                "Collect {n} new submissions first",
                outside,
              )}
              checked={collect}
              onChange={setCollect}
            />
          )}
          <Checkbox
            label={t("Regrade submissions that are already graded")}
            checked={regrade}
            onChange={setRegrade}
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
