// A notice that a job stops the course's JupyterLab.

import { usePanel } from "../../context";
import { t } from "../../i18n";
import type { CourseDetail } from "../../types";

export function ServerStopNotice({ course }: { course: CourseDetail }) {
  const { host } = usePanel();
  return (
    <p>
      {host.course === course.id
        ? t(
            "This stops this JupyterLab, so save your open files first. It may then say that its server is not running; continue here.",
          )
        : t("This stops this course’s JupyterLab, so save the files that are open there first.")}
    </p>
  );
}
