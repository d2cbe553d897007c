// A source of copies by name: a course, or a backup and when it was taken.

import { Moment } from "../../components/labels";
import { t } from "../../i18n";
import type { Source } from "../../types";

export function SourceName({ source }: { source: Source }) {
  return (
    <>
      <bdi>{source.title}</bdi>{" "}
      {source.kind === "backup" && (
        <span className="kore-muted">
          {t("Backup")}
          {source.taken_at && (
            <>
              , <Moment at={source.taken_at} />
            </>
          )}
        </span>
      )}
    </>
  );
}
