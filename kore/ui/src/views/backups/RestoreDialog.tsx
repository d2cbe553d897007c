// Make a course what it was when a backup was taken.

import { useState } from "react";
import { Dialog, DialogActions } from "../../components/Dialog";
import { When } from "../../components/labels";
import { Failure } from "../../components/notices";
import { useStartJob } from "../../hooks";
import type { Backup, Course } from "../../types";
import { t } from "../../words";
import { StopsLab } from "./StopsLab";
import { TypedTitle } from "./TypedTitle";

export function RestoreDialog({
  course,
  backup,
  onClose,
}: {
  course: Course;
  backup: Backup;
  onClose: () => void;
}) {
  const [typed, setTyped] = useState("");
  const { busy, trouble, start } = useStartJob();
  const go = () => start(`courses/${course.id}/restore`, { backup: backup.id, confirm: typed });
  return (
    <Dialog title={t("Restore from this backup?")} onClose={onClose}>
      <p>
        {t("Taken")} <When at={backup.taken_at} />
      </p>
      <p className="kore-notice kore-tone-warn">
        {t(
          "The whole course becomes as it was then: what was made, handed in and graded since is replaced. A backup of how the course is now is made first.",
        )}
      </p>
      <StopsLab course={course} />
      <TypedTitle course={course} value={typed} onChange={setTyped} />
      {trouble && <Failure trouble={trouble} onRetry={go} />}
      <DialogActions onClose={onClose} onConfirm={go} busy={busy} disabled={!typed.trim()}>
        {t("Restore")}
      </DialogActions>
    </Dialog>
  );
}
