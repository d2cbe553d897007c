// Dialog to reset or delete a course: what will be lost, a backup first, the title to confirm.

import { useState } from "react";
import { Dialog, DialogActions } from "../../components/Dialog";
import { Checkbox } from "../../components/fields";
import { activity } from "../../components/labels";
import { Failure } from "../../components/notices";
import { useStartJob } from "../../hooks";
import { n, t } from "../../i18n";
import type { CourseDetail } from "../../types";
import { ServerStopNotice } from "./ServerStopNotice";
import { TitleField } from "./TitleField";

export function EndCourseDialog({
  course,
  what,
  onClose,
}: {
  course: CourseDetail;
  what: "reset" | "delete";
  onClose: () => void;
}) {
  const [typed, setTyped] = useState("");
  const [backup, setBackup] = useState(true);
  const { busy, error, start } = useStartJob();
  const go = () => start(`courses/${course.id}/${what}`, { confirm: typed, backup });
  const collected = course.assignments.reduce((sum, a) => sum + a.collected, 0);
  return (
    <Dialog
      title={
        what === "reset"
          ? t("Reset {name}?", { name: activity(course) })
          : t("Delete {name}?", { name: activity(course) })
      }
      onClose={onClose}
    >
      <p>{what === "reset" ? t("You will lose:") : t("You will lose the whole course:")}</p>
      <ul>
        <li>
          {n("{n} collected submission", "{n} collected submissions", collected)}
          {t(", and all that are not collected yet")}
        </li>
        <li>{t("all points and all feedback")}</li>
        {what === "delete" && (
          <li>
            {n(
              "{n} assignment with its notebooks",
              "{n} assignments with their notebooks",
              course.assignments.length,
            )}
          </li>
        )}
      </ul>
      <p>
        {what === "reset"
          ? t("Assignments are kept. Grades that are already in the LMS stay there.")
          : t(
              "Grades that are already in the LMS stay there. Opening the activity again creates an empty course.",
            )}
      </p>
      <ServerStopNotice course={course} />
      <Checkbox label={t("Back up everything first")} checked={backup} onChange={setBackup} />
      <TitleField course={course} value={typed} onChange={setTyped} />
      {error && <Failure error={error} onRetry={go} />}
      <DialogActions onClose={onClose} onConfirm={go} busy={busy} disabled={!typed.trim()}>
        {what === "reset" ? t("Reset the course") : t("Delete the course")}
      </DialogActions>
    </Dialog>
  );
}
