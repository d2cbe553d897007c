// Labels for codes of the API: states, outcomes, kinds of jobs.

import { t } from "./i18n";
import type { JobInfo, JobItemInfo } from "./types";

export type Tone = "plain" | "info" | "good" | "warn" | "bad";
type Word = [() => string, Tone];
const look = (table: Record<string, Word>, code: string, other: () => string): [string, Tone] => {
  const [word, tone] = Object.hasOwn(table, code) ? table[code]! : [other, "plain" as Tone];
  return [word(), tone];
};

const ROLES: Record<string, Word> = {
  instructor: [() => t("Teacher"), "plain"],
  learner: [() => t("Student"), "plain"],
  observer: [() => t("Guest"), "plain"],
  admin: [() => t("Administrator"), "plain"],
};
export const role = (code: string): string => look(ROLES, code, () => "")[0];

const ASSIGNMENTS: Record<string, Word> = {
  draft: [() => t("Draft"), "plain"],
  released: [() => t("Released"), "plain"],
  collected: [() => t("Collected"), "info"],
  graded: [() => t("Graded"), "good"],
};
export const assignmentState = (code: string) => look(ASSIGNMENTS, code, () => "–");

const KINDS: Record<string, Word> = {
  "grades.send": [() => t("Sending grades to the LMS"), "plain"],
  "course.provision": [() => t("Setting up the course"), "plain"],
  "course.copy": [() => t("Copying assignments"), "plain"],
  "course.backup": [() => t("Backing up the course"), "plain"],
  "course.restore": [() => t("Restoring from a backup"), "plain"],
  "course.reset": [() => t("Resetting the course"), "plain"],
  "course.delete": [() => t("Deleting the course"), "plain"],
  "assignment.autograde": [() => t("Grading automatically"), "plain"],
};
const ABOUT: Record<string, (name: string) => string> = {
  "course.copy": (name) => t("Copying {name}", { name }),
  "assignment.autograde": (name) => t("Grading automatically: {name}", { name }),
};
/** What a job does, and with what. */
export const jobTitle = ({ kind, subject }: Pick<JobInfo, "kind" | "subject">): string =>
  subject && Object.hasOwn(ABOUT, kind)
    ? ABOUT[kind]!(subject)
    : look(KINDS, kind, () => t("Job"))[0];

/** Whether a job's report has a line for each student. */
export const isAboutStudents = ({ kind }: { kind: string }): boolean =>
  kind === "grades.send" || kind === "assignment.autograde";

const JOBS: Record<string, Word> = {
  queued: [() => t("Waiting to start"), "info"],
  running: [() => t("Running"), "info"],
  done: [() => t("Finished"), "good"],
  failed: [() => t("Failed"), "bad"],
  cancelled: [() => t("Stopped"), "warn"],
};
export const jobState = (code: string) => look(JOBS, code, () => "–");

const OUTCOMES: Record<string, Word> = {
  failed: [() => t("Failed"), "bad"],
  refused: [() => t("Refused by the LMS"), "bad"],
  needs_manual: [() => t("Needs manual grading"), "warn"],
  held_back: [() => t("Held back"), "warn"],
  skipped: [() => t("Skipped"), "warn"],
  left_out: [() => t("Skipped"), "warn"],
  sent: [() => t("Sent"), "good"],
  graded: [() => t("Graded"), "good"],
  copied: [() => t("Copied"), "good"],
  backed_up: [() => t("Backed up first"), "good"],
  replaced: [() => t("Replaced"), "good"],
  kept: [() => t("Kept"), "info"],
  done: [() => t("Done"), "good"],
  unchanged: [() => t("Unchanged"), "plain"],
};
const SENDING: Record<string, Word> = { failed: [() => t("Not delivered"), "bad"] };
/** Exceptions first: the order of a report's lines. */
export const OUTCOME_ORDER = Object.keys(OUTCOMES);
export const outcome = (code: string, kind = "") =>
  look(kind === "grades.send" && code in SENDING ? SENDING : OUTCOMES, code, () => code);

/** What a line of a report is about: others' names, but for the parts of a restored course. */
export const itemLabel = ({ kind }: JobInfo, { key, label, outcome }: JobItemInfo): string => {
  if (kind !== "course.restore") return label;
  if (outcome === "backed_up") return t("Backup");
  return key === "exchange" ? t("Exchange") : label;
};

const ACTIONS: Record<string, Word> = {
  again: [() => t("Will be sent again"), "bad"],
  held_back: [() => t("Held back"), "warn"],
  send: [() => t("Will be sent"), "info"],
  unchanged: [() => t("Unchanged"), "plain"],
};
/** Exceptions first: the order of a preview's lines. */
export const ACTION_ORDER = Object.keys(ACTIONS);
export const action = (code: string) => look(ACTIONS, code, () => code);

const AUDIT: Record<string, Word> = {
  asked: [() => t("Requested"), "info"],
  done: [() => t("Done"), "good"],
  failed: [() => t("Failed"), "bad"],
  cancelled: [() => t("Stopped"), "warn"],
  refused: [() => t("Refused"), "bad"],
};
export const auditOutcome = (code: string) => look(AUDIT, code, () => code);

const ORIGINS: Record<string, Word> = {
  made: [() => t("Created by a teacher"), "plain"],
  uploaded: [() => t("Uploaded"), "plain"],
  before_reset: [() => t("Created before a reset"), "plain"],
  before_delete: [() => t("Created before the course was deleted"), "plain"],
  before_restore: [() => t("Created before a restore"), "plain"],
  before_replace: [() => t("Created before content was replaced"), "plain"],
};
export const origin = (code: string): string => look(ORIGINS, code, () => "")[0];

const CELLS: Record<string, Word> = {
  text: [() => t("Text"), "plain"],
  solution: [() => t("Answer with solution"), "info"],
  tests: [() => t("Tests"), "warn"],
  task: [() => t("Manually graded task"), "info"],
  read_only: [() => t("Read-only"), "plain"],
};
export const cellRole = (code: string) => look(CELLS, code, () => "");
