// Inline labels: dates, points, names, states.

import type { ReactNode } from "react";
import type { Tone } from "../codes";
import { moment, t } from "../i18n";
import type { CourseSummary } from "../types";

export function Chip({ tone = "plain", children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`kore-chip kore-tone-${tone}`}>{children}</span>;
}

export function Moment({ at }: { at: string }) {
  return (
    <time dateTime={at} title={moment(at, "long")}>
      {moment(at)}
    </time>
  );
}

export function Points({ given, maximum }: { given: number; maximum: number }) {
  return <span className="kore-points">{t("{given} of {maximum}", { given, maximum })}</span>;
}

/** A person by name, or by account where the name is unknown. */
export function PersonName({ name, user }: { name: string; user: string }) {
  if (name && name !== user) return <bdi className="kore-name">{name}</bdi>;
  return (
    <span className="kore-muted">
      {t("Name unknown")} (<bdi>{user}</bdi>)
    </span>
  );
}

/** What the LMS calls a course: its activity. */
export const activity = (course: CourseSummary): string =>
  course.activity_title || course.context_title || t("Untitled activity");
