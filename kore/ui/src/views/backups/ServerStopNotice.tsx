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
            "This JupyterLab is stopped for it: save what is open. It may say then that its server is not running; go on here.",
          )
        : t("JupyterLab of this course is stopped for it: save what is open there.")}
    </p>
  );
}
