// Make a course what it was when a backup was taken.

import { useState } from "react";
import { Dialog, DialogActions } from "../../components/Dialog";
import { Moment } from "../../components/labels";
import { Failure } from "../../components/notices";
import { useStartJob } from "../../hooks";
import { t } from "../../i18n";
import type { BackupInfo, CourseDetail } from "../../types";
import { ServerStopNotice } from "./ServerStopNotice";
import { TitleField } from "./TitleField";

export function RestoreDialog({
  course,
  backup,
  onClose,
}: {
  course: CourseDetail;
  backup: BackupInfo;
  onClose: () => void;
}) {
  const [typed, setTyped] = useState("");
  const { busy, error, start } = useStartJob();
  const go = () => start(`courses/${course.id}/restore`, { backup: backup.id, confirm: typed });
  return (
    <Dialog title={t("Restore from this backup?")} onClose={onClose}>
      <p>
        {t("Created")} <Moment at={backup.taken_at} />
      </p>
      <p className="kore-notice kore-tone-warn">
        {t(
          "This returns the whole course to the state of the backup and replaces everything that was created, submitted and graded since. The current state is backed up first.",
        )}
      </p>
      <ServerStopNotice course={course} />
      <TitleField course={course} value={typed} onChange={setTyped} />
      {error && <Failure error={error} onRetry={go} />}
      <DialogActions onClose={onClose} onConfirm={go} busy={busy} disabled={!typed.trim()}>
        {t("Restore")}
      </DialogActions>
    </Dialog>
  );
}
