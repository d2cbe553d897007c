// Pieces that several views share.

import { type ReactNode, useEffect, useId, useRef } from "react";
import type { Trouble } from "./api";
import { jobState, jobTitle, type Tone } from "./codes";
import { type Place, useAround } from "./context";
import type { CourseSummary, Job } from "./types";
import { moment, n, t, told } from "./words";

export function Chip({ tone = "plain", children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`kore-chip kore-tone-${tone}`}>{children}</span>;
}

export function When({ at }: { at: string }) {
  return (
    <time dateTime={at} title={moment(at, "long")}>
      {moment(at)}
    </time>
  );
}

export function Points({ given, maximum }: { given: number; maximum: number }) {
  return <span className="kore-points">{t("{given} of {maximum}", { given, maximum })}</span>;
}

/** A person by name; who has none gets the name of the account, to tell them apart. */
export function Name({ name, user }: { name: string; user: string }) {
  if (name && name !== user) return <bdi className="kore-name">{name}</bdi>;
  return (
    <span className="kore-muted">
      {t("No name known")} (<bdi>{user}</bdi>)
    </span>
  );
}

/** What the LMS calls a course: its activity. */
export const activity = (course: CourseSummary): string =>
  course.activity_title || course.context_title || t("Activity without a title");

/** A way to a place in the panel; a real link where the host has addresses. */
export function Way({
  to,
  className,
  children,
  current,
}: {
  to: Place;
  className?: string;
  children: ReactNode;
  current?: "page" | "true";
}) {
  const { host, go } = useAround();
  const address = host.address(to);
  if (address === undefined) {
    return (
      <button
        type="button"
        className={className ?? "kore-link"}
        aria-current={current}
        onClick={() => go(to)}
      >
        {children}
      </button>
    );
  }
  return (
    <a
      href={address}
      className={className}
      aria-current={current}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}

/** Open formgrader: in JupyterLab of the course beside the panel, elsewhere in a new tab. */
export function Formgrader({ course, children }: { course: string; children?: ReactNode }) {
  const { host } = useAround();
  const base = host.hub.replace(/hub\/$/, "");
  return (
    <a
      className="kore-button"
      href={`${host.hub}spawn/${course}?next=${encodeURIComponent(`${base}user/${course}/formgrader`)}`}
      target="_blank"
      rel="noopener"
      onClick={(event) => {
        if (host.openFormgrader(course)) event.preventDefault();
      }}
    >
      {children ?? t("Open formgrader")}
    </a>
  );
}

/** The activity as the LMS shows it, where the LMS has told where that is. */
export function OpenLms({ url }: { url: string | null }) {
  if (!url) return null;
  return (
    <a className="kore-button" href={url} target="_top" rel="noopener">
      {t("Open the activity in the LMS")}
    </a>
  );
}

/** A job in a list: what it is, how it stands, when it was. */
export function JobLine({ job }: { job: Job }) {
  const [words, tone] = jobState(job.state);
  return (
    <li>
      <Way to={{ view: "job", job: job.id }}>{jobTitle(job)}</Way> <Chip tone={tone}>{words}</Chip>{" "}
      <span className="kore-muted">
        <When at={job.ended_at ?? job.created_at} />
      </span>
    </li>
  );
}

export function Notice({
  tone,
  title,
  children,
  live = false,
}: {
  tone: Tone;
  title: string;
  children?: ReactNode;
  live?: boolean;
}) {
  return (
    <div className={`kore-notice kore-tone-${tone}`} role={live ? "alert" : undefined}>
      <p className="kore-notice-title">{title}</p>
      {children}
    </div>
  );
}

/** What went wrong, and the way on. */
export function Failure({
  trouble,
  retryIn = 0,
  onRetry,
}: {
  trouble: Trouble;
  retryIn?: number;
  onRetry?: () => void;
}) {
  const { host } = useAround();
  return (
    <Notice tone="bad" title={told(trouble.message)} live>
      {trouble.hint && <p>{told(trouble.hint)}</p>}
      {retryIn > 0 && (
        <p>{n("The next try is in {n} second.", "The next try is in {n} seconds.", retryIn)}</p>
      )}
      {trouble.way === "sign-in" ? (
        <p className="kore-actions">
          <button
            type="button"
            className="kore-button"
            onClick={() => void host.signIn().then(() => onRetry?.())}
          >
            {t("Sign in again")}
          </button>
        </p>
      ) : (
        onRetry && (
          <p className="kore-actions">
            <button type="button" className="kore-button" onClick={onRetry}>
              {retryIn > 0 ? t("Try now") : t("Try again")}
            </button>
          </p>
        )
      )}
    </Notice>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="kore-card kore-empty">
      <p className="kore-notice-title">{title}</p>
      {children}
    </div>
  );
}

/** The room that a table will take, while it is loaded. */
export function Loading({ lines = 5 }: { lines?: number }) {
  return (
    <div className="kore-loading" role="status" aria-label={t("Loading")}>
      {Array.from({ length: lines }, (_, index) => (
        <div key={index} className="kore-bone" />
      ))}
    </div>
  );
}

export function Field({
  label,
  hint,
  children,
}: {
  label: string;
  hint?: string;
  children: (id: string, describedBy: string | undefined) => ReactNode;
}) {
  const id = useId();
  return (
    <div className="kore-field">
      <label htmlFor={id}>{label}</label>
      {children(id, hint ? `${id}-hint` : undefined)}
      {hint && (
        <p className="kore-muted" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

export function Check({
  label,
  checked,
  onChange,
}: {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}) {
  return (
    <label className="kore-check">
      <input type="checkbox" checked={checked} onChange={(e) => onChange(e.target.checked)} />
      <span>{label}</span>
    </label>
  );
}

export function Search({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <input
          id={id}
          className="kore-input"
          type="search"
          autoComplete="off"
          spellCheck={false}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

export function Select({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: string;
  options: [value: string, words: string][];
  onChange: (value: string) => void;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <select
          id={id}
          className="kore-input"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        >
          {options.map(([key, words]) => (
            <option key={key} value={key}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** A dialog above everything; focus comes back to where it was. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const box = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const dialog = box.current!;
    if (!dialog.open) dialog.showModal();
    return () => {
      dialog.close();
      before?.focus?.();
    };
  }, []);
  return (
    <dialog
      ref={box}
      className="kore-dialog"
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={heading}>{title}</h2>
      {children}
    </dialog>
  );
}

export interface ColumnOf<Row> {
  title: string;
  /** Numbers stand at the right. */
  number?: boolean;
  cell: (row: Row) => ReactNode;
}

/** A table that turns into cards where it is narrow. The first column names the row. */
export function Table<Row>({
  label,
  columns,
  rows,
  keyOf,
}: {
  label: string;
  columns: ColumnOf<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
}) {
  const side = (column: ColumnOf<Row>) => (column.number ? "kore-number" : undefined);
  return (
    <table className="kore-table" role="table" aria-label={label}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column.title} role="columnheader" scope="col" className={side(column)}>
              {column.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={keyOf(row)} role="row">
            {columns.map((column, index) =>
              index === 0 ? (
                <th key={column.title} role="rowheader" scope="row">
                  {column.cell(row)}
                </th>
              ) : (
                <td
                  key={column.title}
                  role="cell"
                  data-label={column.title}
                  className={side(column)}
                >
                  {column.cell(row)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
