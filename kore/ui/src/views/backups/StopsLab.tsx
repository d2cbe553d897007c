// Says that a course's JupyterLab is stopped for what is about to be done.

import { useAround } from "../../context";
import type { Course } from "../../types";
import { t } from "../../words";

export function StopsLab({ course }: { course: Course }) {
  const { host } = useAround();
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
