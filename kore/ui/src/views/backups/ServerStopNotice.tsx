// Says that a course's JupyterLab is stopped for what is about to be done.

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
