// Back a course up: with or without what is about students.

import { useState } from "react";
import { Dialog, DialogActions } from "../../components/Dialog";
import { Choice } from "../../components/fields";
import { Failure } from "../../components/notices";
import { useStartJob } from "../../hooks";
import type { Backup, Course } from "../../types";
import { t } from "../../words";

export function MakeDialog({ course, onClose }: { course: Course; onClose: () => void }) {
  const [contents, setContents] = useState<Backup["contents"]>("everything");
  const { busy, trouble, start } = useStartJob();
  const go = () => start(`courses/${course.id}/backups`, { contents });
  return (
    <Dialog title={t("Back up the course?")} onClose={onClose}>
      <Choice
        legend={t("What to keep")}
        value={contents}
        onChange={setContents}
        options={[
          ["everything", t("Everything: assignments, students' work, points and feedback")],
          [
            "sources",
            t("Assignments only: nothing about students is in it, so it can be passed on"),
          ],
        ]}
      />
      {trouble && <Failure trouble={trouble} onRetry={go} />}
      <DialogActions onClose={onClose} onConfirm={go} busy={busy}>
        {t("Back up")}
      </DialogActions>
    </Dialog>
  );
}
