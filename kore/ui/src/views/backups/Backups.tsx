// Backups of a course, and what ends a course's content.

import { useRef, useState } from "react";
import { ApiError } from "../../api";
import { origin } from "../../codes";
import { Chip, Moment } from "../../components/labels";
import { PlaceLink } from "../../components/links";
import { Empty, Failure, LoadedContent } from "../../components/notices";
import { Table } from "../../components/Table";
import { useKore } from "../../context";
import { fetchFile } from "../../download";
import { useAction, useGet } from "../../hooks";
import { n, size, t } from "../../i18n";
import type { BackupInfo, BackupList, CourseDetail } from "../../types";
import { DeleteDialog } from "./DeleteDialog";
import { EndCourseDialog } from "./EndCourseDialog";
import { MakeDialog } from "./MakeDialog";
import { RestoreDialog } from "./RestoreDialog";
import { Upload } from "./Upload";

type Open =
  | { what: "make" | "reset" | "delete" }
  | { what: "restore" | "remove"; backup: BackupInfo };

export function Backups({ course }: { course: CourseDetail }) {
  const kore = useKore();
  const list = useGet<BackupList>("backups", { course: course.id });
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const fetching = useAction();
  const wanted = useRef<BackupInfo | null>(null);
  const archiveOf = (backup: BackupInfo) => kore.url(`backups/${backup.id}/archive`);
  // A browser would save a sign-in page, or an error, as the archive.
  const fetchArchive = (backup: BackupInfo) => {
    wanted.current = backup;
    void fetching.act(async () => {
      const { backups } = await kore.get<BackupList>("backups", { course: course.id });
      if (!backups.some(({ id }) => id === backup.id)) {
        list.reload();
        throw new ApiError(t("This backup no longer exists."), "", "none");
      }
      fetchFile(archiveOf(backup));
    });
  };
  return (
    <>
      <section aria-labelledby="kore-backups">
        <h2 id="kore-backups">{t("Backups of this course")}</h2>
        <div className="kore-actions">
          <button
            type="button"
            className="kore-button kore-main"
            onClick={() => setOpen({ what: "make" })}
          >
            {t("Back up now …")}
          </button>
          <Upload
            course={course.id}
            left={list.value && list.value.quota - list.value.used}
            onDone={list.reload}
          />
        </div>
        {fetching.error && (
          <Failure
            error={fetching.error}
            onRetry={
              fetching.error.recovery === "none"
                ? undefined
                : () => wanted.current && fetchArchive(wanted.current)
            }
          />
        )}
        <LoadedContent from={list}>
          {({ backups, used, quota }) => (
            <>
              {backups.length === 0 ? (
                <Empty title={t("No backups yet")}>
                  <p>{t("A backup keeps the course as it is now. You can also download it.")}</p>
                </Empty>
              ) : (
                <Table
                  label={t("Backups of this course")}
                  rows={backups}
                  keyOf={(backup) => backup.id}
                  columns={[
                    { title: t("Created"), cell: (b) => <Moment at={b.taken_at} /> },
                    {
                      title: t("Contents"),
                      cell: (b) => (
                        <>
                          <Chip tone={b.contents === "everything" ? "good" : "plain"}>
                            {b.contents === "everything" ? t("Everything") : t("Assignments only")}
                          </Chip>{" "}
                          <span className="kore-muted">
                            {n("{n} assignment", "{n} assignments", b.assignments)}
                            {b.contents === "everything" &&
                              `, ${n("{n} student", "{n} students", b.students)}`}
                          </span>
                        </>
                      ),
                    },
                    {
                      title: t("Origin"),
                      cell: (b) => (
                        <>
                          {origin(b.origin)}
                          {b.taken_by_name && (
                            <>
                              , <bdi>{b.taken_by_name}</bdi>
                            </>
                          )}
                        </>
                      ),
                    },
                    { title: t("Size"), number: true, cell: (b) => size(b.size) },
                    {
                      title: t("Actions"),
                      cell: (b) => (
                        <span className="kore-actions">
                          <a
                            className="kore-button kore-small"
                            href={archiveOf(b)}
                            download
                            onClick={(event) => {
                              event.preventDefault();
                              fetchArchive(b);
                            }}
                          >
                            {t("Download")}
                          </a>
                          {b.contents === "everything" && b.course === course.id ? (
                            <button
                              type="button"
                              className="kore-button kore-small"
                              onClick={() => setOpen({ what: "restore", backup: b })}
                            >
                              {t("Restore …")}
                            </button>
                          ) : (
                            <PlaceLink
                              className="kore-button kore-small"
                              to={{ view: "course", course: course.id, tab: "copy" }}
                            >
                              {t("Copy from this …")}
                            </PlaceLink>
                          )}
                          {b.mine && (
                            <button
                              type="button"
                              className="kore-button kore-small"
                              onClick={() => setOpen({ what: "remove", backup: b })}
                            >
                              {t("Delete …")}
                            </button>
                          )}
                        </span>
                      ),
                    },
                  ]}
                />
              )}
              <p className="kore-muted">
                {t("Backups of this course use {used} of {quota}.", {
                  used: size(used),
                  quota: size(quota),
                })}
              </p>
            </>
          )}
        </LoadedContent>
      </section>
      <section aria-labelledby="kore-end" className="kore-card kore-danger">
        <h2 id="kore-end">{t("Reset or delete the course")}</h2>
        <p className="kore-muted">
          {t("You type the course title to confirm, and you can make a backup first.")}
        </p>
        <p className="kore-actions">
          <button type="button" className="kore-button" onClick={() => setOpen({ what: "reset" })}>
            {t("Reset the course …")}
          </button>
          <button type="button" className="kore-button" onClick={() => setOpen({ what: "delete" })}>
            {t("Delete the course …")}
          </button>
        </p>
      </section>
      {open?.what === "make" && <MakeDialog course={course} onClose={close} />}
      {open?.what === "restore" && "backup" in open && (
        <RestoreDialog course={course} backup={open.backup} onClose={close} />
      )}
      {open?.what === "remove" && "backup" in open && (
        <DeleteDialog
          backup={open.backup}
          onClose={close}
          onDone={() => {
            close();
            list.reload();
          }}
        />
      )}
      {(open?.what === "reset" || open?.what === "delete") && (
        <EndCourseDialog course={course} what={open.what} onClose={close} />
      )}
    </>
  );
}
