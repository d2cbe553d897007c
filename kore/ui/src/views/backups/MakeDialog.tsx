// Dialog to back up a course.

import { useState } from "react";
import { Dialog, DialogActions } from "../../components/Dialog";
import { RadioGroup } from "../../components/fields";
import { Failure } from "../../components/notices";
import { useStartJob } from "../../hooks";
import { t } from "../../i18n";
import type { BackupInfo, CourseDetail } from "../../types";

export function MakeDialog({ course, onClose }: { course: CourseDetail; onClose: () => void }) {
  const [contents, setContents] = useState<BackupInfo["contents"]>("everything");
  const { busy, error, start } = useStartJob();
  const go = () => start(`courses/${course.id}/backups`, { contents });
  return (
    <Dialog title={t("Back up the course?")} onClose={onClose}>
      <RadioGroup
        legend={t("What to back up")}
        value={contents}
        onChange={setContents}
        options={[
          ["everything", t("Everything: assignments, student work, points and feedback")],
          ["sources", t("Assignments only: contains no student data, so you can share it")],
        ]}
      />
      {error && <Failure error={error} onRetry={go} />}
      <DialogActions onClose={onClose} onConfirm={go} busy={busy}>
        {t("Back up")}
      </DialogActions>
    </Dialog>
  );
}
