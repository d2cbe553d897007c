// What Kore's REST API answers, as far as the panel reads it: see /openapi.json.

export type Role = "instructor" | "learner" | "observer" | "admin";

export interface Session {
  user: string;
  csrf: string;
  admin: boolean;
}

export interface CourseSummary {
  id: string;
  title: string;
  context_title: string;
  activity_title: string;
  state: "new" | "ready";
  opened_by_teacher: boolean;
  role: Role;
  grades_enabled: boolean;
  created_at: string;
  launched_at: string;
  instructors: number;
  learners: number;
}

export interface Person {
  user: string;
  name: string;
  role: Exclude<Role, "admin">;
  launched_at: string;
}

export interface Assignment {
  name: string;
  due_at: string | null;
  state: "draft" | "released" | "collected" | "graded";
  max_score: number;
  submitted: number;
  collected: number;
  graded: number;
  /** Whose latest work was not collected, and whose collected work was not graded. */
  to_collect: number;
  to_grade: number;
  needs_manual: number;
}

export interface Course extends CourseSummary {
  server: "stopped" | "starting" | "stopping" | "running" | null;
  return_url: string | null;
  links: { lab: string; formgrader: string } | null;
  people: Person[];
  assignments: Assignment[];
}

export interface Exchange {
  /** Bytes, but for `files`. */
  limits: { file: number; submission: number; person: number; course: number; files: number };
  used: number;
}

export interface LastScore {
  given: number;
  maximum: number;
  state: "sending" | "sent" | "refused" | "failed";
  words: string;
  sent_at: string;
}

export interface GradeEntry {
  user: string;
  name: string;
  given: number | null;
  maximum: number | null;
  action: "send" | "unchanged" | "held_back";
  reason: string;
  last: LastScore | null;
}

export interface Grades {
  course: string;
  maximum: number;
  assignments: string[];
  entries: GradeEntry[];
  counts: Record<string, number>;
  last_job: string | null;
}

export interface JobItem {
  key: string;
  label: string;
  outcome: string;
  words: string;
  detail: Record<string, unknown>;
}

export interface Job {
  id: string;
  kind: string;
  course: string | null;
  /** The one assignment, or copied problem, that it is about. */
  subject: string | null;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  done: number;
  total: number;
  message: string;
  hint: string;
  created_by: string;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  items: JobItem[];
}

export interface Source {
  kind: "course" | "backup";
  id: string;
  course: string | null;
  title: string;
  taken_at: string | null;
}

export interface FoundAssignment {
  source: Source;
  name: string;
  notebooks: number;
  points: number | null;
  size: number;
  changed_at: string | null;
}

export interface FoundProblem {
  source: Source;
  assignment: string;
  name: string;
  title: string;
  points: number | null;
  cells: number;
  size: number;
  changed_at: string | null;
}

export interface Cell {
  kind: "markdown" | "code" | "raw";
  role: "text" | "solution" | "tests" | "task" | "read_only";
  points: number | null;
  text: string;
}

export interface ProblemPreview {
  name: string;
  title: string;
  points: number | null;
  cells: Cell[];
  truncated: boolean;
}

export type Collision = "keep_both" | "replace";

export interface CopyRequest {
  from: { kind: Source["kind"]; id: string };
  assignment: string | null;
  /** Some of the source's; null for all, or where one is named. */
  assignments: string[] | null;
  problem: string | null;
  into: string | null;
  collision: Collision;
}

export interface CopyItem {
  assignment: string;
  problem: string | null;
  target: string;
  exists: boolean;
  keep_both: string;
  size: number;
}

export interface CopyPlan {
  items: CopyItem[];
  size: number;
}

export interface Backup {
  id: string;
  course: string | null;
  title: string;
  contents: "sources" | "everything";
  origin:
    | "made"
    | "uploaded"
    | "before_reset"
    | "before_delete"
    | "before_restore"
    | "before_replace";
  size: number;
  sha256: string;
  taken_at: string;
  taken_by: string;
  taken_by_name: string;
  assignments: number;
  students: number;
  mine: boolean;
}

export interface Backups {
  backups: Backup[];
  used: number;
  quota: number;
}

export interface AuditEntry {
  at: string;
  by: string;
  by_name: string;
  action: string;
  words: string;
  outcome: "asked" | "done" | "failed" | "cancelled" | "refused";
  job: string | null;
}

export interface Audit {
  entries: AuditEntry[];
  total: number;
}

export interface Settings {
  feedback: { show_hidden_tests: boolean; run_again: boolean };
  solution: { begin: string; end: string };
  code_stub: { python: string };
  /** What the file computes: what is shown may not be in force. */
  computed: string[];
}
