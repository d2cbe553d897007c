// Backups of a course: make, fetch, bring back; and what ends a course's content.

import { type ReactNode, useRef, useState } from "react";
import { origin } from "../codes";
import { useAround } from "../context";
import { useAct, useGet } from "../hooks";
import { activity, Chip, Dialog, Empty, Failure, Field, Loading, Table, Way, When } from "../parts";
import type { Backup, Backups as BackupList, Course, Job } from "../types";
import { n, size, t } from "../words";

type Open = { what: "make" | "reset" | "delete" } | { what: "restore" | "remove"; backup: Backup };

export function Backups({ course }: { course: Course }) {
  const { kore } = useAround();
  const list = useGet<BackupList>("backups", { course: course.id });
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  return (
    <>
      <section aria-labelledby="kore-backups">
        <h2 id="kore-backups">{t("Backups of this course")}</h2>
        <p className="kore-actions">
          <button
            type="button"
            className="kore-button kore-main"
            onClick={() => setOpen({ what: "make" })}
          >
            {t("Back up now …")}
          </button>
          <Upload course={course} onDone={list.reload} />
        </p>
        {list.trouble && (
          <Failure trouble={list.trouble} retryIn={list.retryIn} onRetry={list.reload} />
        )}
        {!list.value && !list.trouble && <Loading />}
        {list.value?.backups.length === 0 && (
          <Empty title={t("No backup yet")}>
            <p>{t("A backup keeps the course as it is now. You can download it, too.")}</p>
          </Empty>
        )}
        {list.value && list.value.backups.length > 0 && (
          <Table
            label={t("Backups of this course")}
            rows={list.value.backups}
            keyOf={(backup) => backup.id}
            columns={[
              { title: t("Taken"), cell: (b) => <When at={b.taken_at} /> },
              {
                title: t("Contains"),
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
                title: t("How it came"),
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
                title: t("What to do"),
                cell: (b) => (
                  <span className="kore-actions">
                    <a
                      className="kore-button kore-small"
                      href={kore.url(`backups/${b.id}/archive`)}
                      download
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
                      <Way
                        className="kore-button kore-small"
                        to={{ view: "course", course: course.id, tab: "copy" }}
                      >
                        {t("Copy from it …")}
                      </Way>
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
        {list.value && (
          <p className="kore-muted">
            {t("The backups of this course take {used} of the {quota} that they may.", {
              used: size(list.value.used),
              quota: size(list.value.quota),
            })}
          </p>
        )}
      </section>
      <section aria-labelledby="kore-final" className="kore-card kore-danger">
        <h2 id="kore-final">{t("Begin anew, or end the course")}</h2>
        <p className="kore-muted">
          {t("Both ask for the title of the course, and offer a backup first.")}
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
      {open?.what === "make" && <Make course={course} onClose={close} />}
      {open?.what === "restore" && "backup" in open && (
        <Restore course={course} backup={open.backup} onClose={close} />
      )}
      {open?.what === "remove" && "backup" in open && (
        <Remove
          backup={open.backup}
          onClose={close}
          onDone={() => {
            close();
            list.reload();
          }}
        />
      )}
      {(open?.what === "reset" || open?.what === "delete") && (
        <Final course={course} what={open.what} onClose={close} />
      )}
    </>
  );
}

function Upload({ course, onDone }: { course: Course; onDone: () => void }) {
  const { kore, say } = useAround();
  const input = useRef<HTMLInputElement>(null);
  const { busy, trouble, act } = useAct();
  const upload = (file: File | undefined) => {
    if (!file) return;
    void act(async () => {
      await kore.send("POST", `backups/upload?course=${course.id}`, file);
      say(t("The archive is uploaded."));
      onDone();
    });
  };
  return (
    <>
      <button
        type="button"
        className="kore-button"
        disabled={busy}
        onClick={() => input.current?.click()}
      >
        {busy ? t("Uploading …") : t("Upload a backup …")}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={t("Archive of a backup")}
        onChange={(event) => {
          upload(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
      {trouble && <Failure trouble={trouble} />}
    </>
  );
}

function Buttons({
  onClose,
  onGo,
  busy,
  disabled = false,
  children,
}: {
  onClose: () => void;
  onGo: () => void;
  busy: boolean;
  disabled?: boolean;
  children: ReactNode;
}) {
  return (
    <p className="kore-actions">
      <button type="button" className="kore-button" onClick={onClose}>
        {t("Cancel")}
      </button>
      <button
        type="button"
        className="kore-button kore-main"
        disabled={busy || disabled}
        onClick={onGo}
      >
        {busy ? t("One moment …") : children}
      </button>
    </p>
  );
}

function Radio({
  name,
  checked,
  onChange,
  children,
}: {
  name: string;
  checked: boolean;
  onChange: () => void;
  children: ReactNode;
}) {
  return (
    <label className="kore-check">
      <input type="radio" name={name} checked={checked} onChange={onChange} />
      <span>{children}</span>
    </label>
  );
}

function useJobAct() {
  const { kore, go, jobsChanged } = useAround();
  const action = useAct();
  const begin = (path: string, body: unknown) =>
    action.act(async () => {
      const job = await kore.send<Job>("POST", path, body);
      jobsChanged();
      go({ view: "job", job: job.id });
    });
  return { ...action, begin };
}

function Make({ course, onClose }: { course: Course; onClose: () => void }) {
  const [contents, setContents] = useState<Backup["contents"]>("everything");
  const { busy, trouble, begin } = useJobAct();
  const go = () => begin(`courses/${course.id}/backups`, { contents });
  return (
    <Dialog title={t("Back up the course?")} onClose={onClose}>
      <fieldset className="kore-field">
        <legend>{t("What to keep")}</legend>
        <Radio
          name="kore-contents"
          checked={contents === "everything"}
          onChange={() => setContents("everything")}
        >
          {t("Everything: assignments, students' work, points and feedback")}
        </Radio>
        <Radio
          name="kore-contents"
          checked={contents === "sources"}
          onChange={() => setContents("sources")}
        >
          {t("Assignments only: nothing about students is in it, so it can be passed on")}
        </Radio>
      </fieldset>
      {trouble && <Failure trouble={trouble} onRetry={go} />}
      <Buttons onClose={onClose} onGo={go} busy={busy}>
        {t("Back up")}
      </Buttons>
    </Dialog>
  );
}

function Title({
  course,
  value,
  onChange,
}: {
  course: Course;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <>
      <p>
        {t("The title of the course is")}: <b dir="auto">{course.title}</b>
      </p>
      <Field label={t("Type the title of the course, to be sure")}>
        {(id) => (
          <input
            id={id}
            className="kore-input"
            autoComplete="off"
            spellCheck={false}
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
        )}
      </Field>
    </>
  );
}

function Restore({
  course,
  backup,
  onClose,
}: {
  course: Course;
  backup: Backup;
  onClose: () => void;
}) {
  const [typed, setTyped] = useState("");
  const { busy, trouble, begin } = useJobAct();
  const go = () => begin(`courses/${course.id}/restore`, { backup: backup.id, confirm: typed });
  return (
    <Dialog title={t("Restore from this backup?")} onClose={onClose}>
      <p>
        {t("Taken")} <When at={backup.taken_at} />
      </p>
      <p className="kore-notice kore-tone-warn">
        {t(
          "The whole course becomes as it was then: what was made, handed in and graded since is replaced. A backup of how the course is now is made first.",
        )}
      </p>
      <Title course={course} value={typed} onChange={setTyped} />
      {trouble && <Failure trouble={trouble} onRetry={go} />}
      <Buttons onClose={onClose} onGo={go} busy={busy} disabled={!typed.trim()}>
        {t("Restore")}
      </Buttons>
    </Dialog>
  );
}

function Remove({
  backup,
  onClose,
  onDone,
}: {
  backup: Backup;
  onClose: () => void;
  onDone: () => void;
}) {
  const { kore } = useAround();
  const { busy, trouble, act } = useAct();
  const go = () =>
    act(async () => {
      await kore.send("DELETE", `backups/${backup.id}`);
      onDone();
    });
  return (
    <Dialog title={t("Delete this backup?")} onClose={onClose}>
      <p>
        {t("Taken")} <When at={backup.taken_at} />, {size(backup.size)}.{" "}
        {t("It cannot be brought back. The course itself stays as it is.")}
      </p>
      {trouble && <Failure trouble={trouble} onRetry={go} />}
      <Buttons onClose={onClose} onGo={go} busy={busy}>
        {t("Delete the backup")}
      </Buttons>
    </Dialog>
  );
}

function Final({
  course,
  what,
  onClose,
}: {
  course: Course;
  what: "reset" | "delete";
  onClose: () => void;
}) {
  const [typed, setTyped] = useState("");
  const [backup, setBackup] = useState(true);
  const { busy, trouble, begin } = useJobAct();
  const go = () => begin(`courses/${course.id}/${what}`, { confirm: typed, backup });
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
      <p>{what === "reset" ? t("This is lost:") : t("All of the course is lost:")}</p>
      <ul>
        <li>
          {n("{n} collected submission", "{n} collected submissions", collected)}
          {t(", and what was handed in and not collected yet")}
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
          ? t("Assignments stay. Grades that are in the LMS stay there.")
          : t(
              "Grades that are in the LMS stay there. If the activity is opened again, an empty course begins.",
            )}
      </p>
      <label className="kore-check">
        <input
          type="checkbox"
          checked={backup}
          onChange={(event) => setBackup(event.target.checked)}
        />
        <span>{t("Make a backup of everything first")}</span>
      </label>
      <Title course={course} value={typed} onChange={setTyped} />
      {trouble && <Failure trouble={trouble} onRetry={go} />}
      <Buttons onClose={onClose} onGo={go} busy={busy} disabled={!typed.trim()}>
        {what === "reset" ? t("Reset the course") : t("Delete the course")}
      </Buttons>
    </Dialog>
  );
}
