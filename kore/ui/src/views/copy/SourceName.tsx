// A source of copies by name: a course, or a backup and when it was taken.

import { When } from "../../components/labels";
import type { Source } from "../../types";
import { t } from "../../words";

export function SourceName({ source }: { source: Source }) {
  return (
    <>
      <bdi>{source.title}</bdi>{" "}
      {source.kind === "backup" && (
        <span className="kore-muted">
          {t("Backup")}
          {source.taken_at && (
            <>
              , <When at={source.taken_at} />
            </>
          )}
        </span>
      )}
    </>
  );
}
