// Who would get what, what is held back and why; then send.

import { useMemo, useState } from "react";
import { ACTION_ORDER, action } from "../codes";
import { useAround } from "../context";
import { useAct, useGet } from "../hooks";
import {
  Chip,
  Dialog,
  Empty,
  Failure,
  Loading,
  Name,
  Notice,
  OpenLms,
  Points,
  Search,
  Select,
  Table,
  Way,
  When,
} from "../parts";
import type { Course, GradeEntry, Grades, Job } from "../types";
import { fold, listed, n, number, t, told } from "../words";

/** What a line of the preview is filed under: its action, or that it went wrong before. */
export function entryKind(entry: GradeEntry): string {
  const unsettled = entry.last && ["refused", "failed"].includes(entry.last.state);
  return entry.action === "send" && unsettled ? "again" : entry.action;
}

export function GradesView({ course, jobs }: { course: Course; jobs: Job[] }) {
  if (!course.grades_enabled) return <Off course={course} />;
  const sending = jobs.some((job) => job.kind === "grades.send" && !job.ended_at);
  // What was sent is the state to begin from: the table is loaded anew when a sending ends.
  return <Preview key={String(sending)} course={course} under={sending} />;
}

function Off({ course }: { course: Course }) {
  return (
    <Notice tone="warn" title={t("The LMS takes no grades from this activity")}>
      <p>{t("Grading here works as always; only sending is off. To switch it on:")}</p>
      <ol>
        <li>
          {t(
            "Open the settings of the activity in the LMS, and let it accept grades from the tool (in Moodle: Privacy → “Accept grades from the tool”).",
          )}
        </li>
        <li>
          {t(
            "If there is no such setting, ask the administrator of the LMS to let this tool use the gradebook (“Assignment and Grade Services”).",
          )}
        </li>
        <li>{t("Open the activity in the LMS once more, then come back here.")}</li>
      </ol>
      <p className="kore-actions">
        <OpenLms url={course.return_url} />
      </p>
    </Notice>
  );
}

function Preview({ course, under }: { course: Course; under: boolean }) {
  const { value, trouble, retryIn, reload } = useGet<Grades>("grades", { course: course.id });
  const [sending, setSending] = useState<"send" | "resend" | null>(null);
  const entries = useMemo(
    () =>
      [...(value?.entries ?? [])].sort(
        (a, b) =>
          ACTION_ORDER.indexOf(entryKind(a)) - ACTION_ORDER.indexOf(entryKind(b)) ||
          a.name.localeCompare(b.name),
      ),
    [value],
  );
  if (!value) {
    return trouble ? (
      <Failure trouble={trouble} retryIn={retryIn} onRetry={reload} />
    ) : (
      <Loading lines={10} />
    );
  }
  if (!entries.length) {
    return (
      <Empty title={t("No students yet")}>
        <p>
          {t("Students are enrolled when they open the activity in the LMS for the first time.")}
        </p>
      </Empty>
    );
  }
  const send = value.counts.send ?? 0;
  const unchanged = value.counts.unchanged ?? 0;
  const held = value.counts.held_back ?? 0;
  return (
    <>
      {trouble && <Failure trouble={trouble} retryIn={retryIn} onRetry={reload} />}
      <section className="kore-card" aria-label={t("What sending would do")}>
        <ul className="kore-figures">
          <li>
            <b>{number(send)}</b> {t("to send")}
          </li>
          <li>
            <b>{number(unchanged)}</b> {t("unchanged")}
          </li>
          <li>
            <b>{number(held)}</b> {t("held back")}
          </li>
        </ul>
        {held > 0 && (
          <p>
            {n(
              "{n} student is held back: nothing is sent for them, and the table says why.",
              "{n} students are held back: nothing is sent for them, and the table says why.",
              held,
            )}
          </p>
        )}
        <p className="kore-actions">
          {send > 0 && !under && (
            <button
              type="button"
              className="kore-button kore-main"
              onClick={() => setSending("send")}
            >
              {n("Send {n} grade", "Send {n} grades", send)}
            </button>
          )}
          {unchanged > 0 && !under && (
            <button type="button" className="kore-button" onClick={() => setSending("resend")}>
              {t("Send unchanged ones again")}
            </button>
          )}
          <button type="button" className="kore-button" onClick={reload}>
            {t("Look again")}
          </button>
          {value.last_job && (
            <Way className="kore-button" to={{ view: "job", job: value.last_job }}>
              {t("Report of the last time")}
            </Way>
          )}
        </p>
        <p className="kore-muted">
          {send === 0 && unchanged === 0
            ? t("There is nothing to send: all are held back, and the table says why.")
            : send === 0
              ? t("There is nothing new to send: the LMS has all points as they are here.")
              : null}{" "}
          {value.assignments.length > 0 &&
            t(
              "Points are the sum over {names}, {maximum} at most, less what is taken off for lateness.",
              { names: listed(value.assignments), maximum: number(value.maximum) },
            )}
        </p>
      </section>
      <Entries entries={entries} />
      {sending && (
        <SendDialog
          course={course.id}
          count={sending === "send" ? send : send + unchanged}
          held={held}
          resend={sending === "resend"}
          onClose={() => setSending(null)}
        />
      )}
    </>
  );
}

function Entries({ entries }: { entries: GradeEntry[] }) {
  const [wanted, setWanted] = useState("");
  const [kind, setKind] = useState("");
  const shown = entries.filter(
    (entry) =>
      fold(`${entry.name} ${entry.user}`).includes(fold(wanted.trim())) &&
      (!kind || entryKind(entry) === kind),
  );
  const kinds = ACTION_ORDER.map(
    (code) => [code, entries.filter((e) => entryKind(e) === code).length] as const,
  ).filter(([, count]) => count);
  return (
    <section aria-labelledby="kore-entries">
      <h2 id="kore-entries">{t("Every student")}</h2>
      <div className="kore-filters">
        <Search label={t("Find a student")} value={wanted} onChange={setWanted} />
        <Select
          label={t("Show")}
          value={kind}
          onChange={setKind}
          options={[
            ["", t("All")],
            ...kinds.map(
              ([code, count]) => [code, `${action(code)[0]} (${count})`] as [string, string],
            ),
          ]}
        />
        <p role="status" className="kore-muted">
          {shown.length === entries.length
            ? t("{n} in all", { n: entries.length })
            : t("{shown} of {n} shown", { shown: shown.length, n: entries.length })}
        </p>
      </div>
      {shown.length === 0 ? (
        <Empty title={t("No student matches.")} />
      ) : (
        <Table
          label={t("Every student")}
          rows={shown}
          keyOf={(entry) => entry.user}
          columns={[
            {
              title: t("Student"),
              cell: (entry) => <Name name={entry.name} user={entry.user} />,
            },
            {
              title: t("Points"),
              number: true,
              cell: (entry) =>
                entry.given === null || entry.maximum === null ? (
                  "–"
                ) : (
                  <Points given={entry.given} maximum={entry.maximum} />
                ),
            },
            { title: t("In the LMS before"), cell: (entry) => <Before entry={entry} /> },
            { title: t("What will happen"), cell: (entry) => <Will entry={entry} /> },
          ]}
        />
      )}
    </section>
  );
}

function Before({ entry }: { entry: GradeEntry }) {
  const last = entry.last;
  if (!last) return <span className="kore-muted">{t("Nothing")}</span>;
  if (last.state === "sent") {
    return (
      <>
        <Points given={last.given} maximum={last.maximum} />{" "}
        <span className="kore-muted">
          <When at={last.sent_at} />
        </span>
      </>
    );
  }
  const words =
    last.state === "sending"
      ? t("Not known: sending was interrupted")
      : last.state === "refused"
        ? t("Refused by the LMS")
        : t("Did not arrive");
  return (
    <>
      <Chip tone="bad">{words}</Chip> <span dir="auto">{told(last.words)}</span>
    </>
  );
}

function Will({ entry }: { entry: GradeEntry }) {
  const [words, tone] = action(entryKind(entry));
  return (
    <>
      <Chip tone={tone}>{words}</Chip> <span dir="auto">{told(entry.reason)}</span>
    </>
  );
}

function SendDialog({
  course,
  count,
  held,
  resend,
  onClose,
}: {
  course: string;
  count: number;
  held: number;
  resend: boolean;
  onClose: () => void;
}) {
  const { kore, go, jobsChanged } = useAround();
  const { busy, trouble, act } = useAct();
  const send = () =>
    act(async () => {
      const job = await kore.send<Job>("POST", "grades", { course, resend, only: null });
      jobsChanged();
      go({ view: "job", job: job.id });
    });
  return (
    <Dialog
      title={n("Send {n} grade to the LMS?", "Send {n} grades to the LMS?", count)}
      onClose={onClose}
    >
      <p>
        {n(
          "{n} student gets points in the LMS's gradebook.",
          "{n} students get points in the LMS's gradebook.",
          count,
        )}{" "}
        {resend && t("What a teacher has changed there by hand is written over.")}
      </p>
      {held > 0 && (
        <p>
          {n(
            "{n} student is held back, and keeps what is there.",
            "{n} students are held back, and keep what is there.",
            held,
          )}
        </p>
      )}
      {trouble && <Failure trouble={trouble} onRetry={send} />}
      <p className="kore-actions">
        <button type="button" className="kore-button" onClick={onClose}>
          {t("Cancel")}
        </button>
        <button type="button" className="kore-button kore-main" disabled={busy} onClick={send}>
          {busy ? t("One moment …") : n("Send {n} grade", "Send {n} grades", count)}
        </button>
      </p>
    </Dialog>
  );
}
