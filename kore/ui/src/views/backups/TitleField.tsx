// A field for the course title, typed to confirm a destructive job.

import { TextField } from "../../components/fields";
import { t } from "../../i18n";
import type { CourseDetail } from "../../types";

export function TitleField({
  course,
  value,
  onChange,
}: {
  course: CourseDetail;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <>
      <p>
        {t("The course title is")}: <b dir="auto">{course.title}</b>
      </p>
      <TextField
        label={t("Type the course title to confirm")}
        hint={t("Capitals, spaces and the kind of dashes do not matter.")}
        value={value}
        onChange={onChange}
      />
    </>
  );
}
