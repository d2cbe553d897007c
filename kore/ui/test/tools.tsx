// A panel in a test, with a Kore that answers as it is told.

import { cleanup, configure, render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { type ReactNode, useState } from "react";
import { afterEach, vi } from "vitest";
import { App } from "../src/App";
import { Kore } from "../src/api";
import type { Host, Place, Tab } from "../src/context";
import { setLanguage } from "../src/i18n";
import { toAddress } from "../src/places";
import type { Transfer } from "../src/transfer";
import type { BackupInfo, CourseDetail, JobInfo, MessageInfo } from "../src/types";

// What is waited for comes late on a busy machine; what never comes ends the test all the same.
configure({ asyncUtilTimeout: 5_000 });

export const COURSE = `c-${"1".repeat(16)}`;
export const JOB = "2".repeat(32);
const BASE = "/services/kore/";

type Answer = { status?: number; body?: unknown } | "lost" | "page";
type Handler = Answer | ((body: unknown) => Answer | Promise<Answer>);

/** Answers by method and path, with the query where it matters: `"GET courses"`. */
export class FakeKore {
  readonly asked: { what: string; body: unknown; csrf: string | null }[] = [];
  readonly answers = new Map<string, Handler>();

  constructor(answers: Record<string, Handler> = {}) {
    this.on("GET session", { body: { user: "u1", csrf: "token", admin: false } });
    this.on("GET jobs", { body: { jobs: [] } });
    this.on("GET exchange", {
      body: { limits: { file: 1, submission: 1, person: 1, course: 1, files: 1 }, used: 0 },
    });
    for (const [what, answer] of Object.entries(answers)) this.on(what, answer);
  }

  on(what: string, answer: Handler): void {
    this.answers.set(what, answer);
  }

  /** What was asked of it, without reading sessions. */
  calls(method: string): string[] {
    return this.asked.filter(({ what }) => what.startsWith(method)).map(({ what }) => what);
  }

  /** Takes files; by then half of one is said to have gone. */
  readonly transfer: Transfer = async (address, options, progress) => {
    progress(0.5);
    const stopped = new Promise<never>((_, fail) =>
      options.signal?.addEventListener("abort", () => fail(new DOMException("", "AbortError"))),
    );
    return Promise.race([this.fetch(address, options), stopped]);
  };

  readonly fetch = async (input: RequestInfo | URL, options: RequestInit = {}) => {
    const path = String(input).slice(BASE.length);
    const what = `${options.method ?? "GET"} ${path}`;
    const body = typeof options.body === "string" ? JSON.parse(options.body) : options.body;
    this.asked.push({ what, body, csrf: new Headers(options.headers).get("X-CSRFToken") });
    // The longest of what was told: a whole path before the beginning of one.
    const known = [...this.answers.keys()].filter(
      (key) => what === key || what.startsWith(`${key}?`) || what.startsWith(`${key}/`),
    );
    const found = known.sort((a, b) => b.length - a.length)[0];
    const handler = found ? this.answers.get(found)! : NOT_THERE;
    const answer = typeof handler === "function" ? await handler(body) : handler;
    if (answer === "lost") throw new TypeError("Failed to fetch");
    if (answer === "page") {
      return new Response("<!doctype html>", { headers: { "Content-Type": "text/html" } });
    }
    const { status = 200, body: content } = answer;
    return new Response(status === 204 ? null : JSON.stringify(content), {
      status,
      headers: { "Content-Type": "application/json" },
    });
  };
}

const NOT_THERE: Answer = {
  status: 404,
  body: { error: { code: "unknown", message: "Not there." } },
};

export const errorAnswer = (status: number, code: string, message: string, hint = ""): Answer => ({
  status,
  body: { error: { code, message, params: {}, hint } },
});

export function host(changes: Partial<Host> = {}): Host {
  return {
    kind: "page",
    hub: "/hub/",
    course: "",
    address: (place) => toAddress(BASE, place),
    openFormgrader: () => false,
    signIn: vi.fn(async () => {}),
    notify: vi.fn(),
    ...changes,
  };
}

/** Show the panel at a place, and let it go to others. */
export function show(place: Place, fake: FakeKore, around: Host = host()) {
  const kore = new Kore(BASE, () => {}, fake.fetch, fake.transfer);
  return render(<Shell kore={kore} around={around} from={place} />);
}

function Shell({ kore, around, from }: { kore: Kore; around: Host; from: Place }): ReactNode {
  const [here, go] = useState<Place>(from);
  return <App kore={kore} host={around} place={here} go={go} />;
}

/** A tab of the course. */
export const at = (tab: Tab) => ({ view: "course", course: COURSE, tab }) as const;
/** The course, as Kore answers it. */
export const here = (changes = {}) => ({ [`GET courses/${COURSE}`]: { body: course(changes) } });
export const act = () => userEvent.setup();
/** A text without the marks that keep words from outside in their own direction. */
export const plain = (text: string | null) => text?.replace(/[\u2068\u2069]/g, "");

export function course(changes: Partial<CourseDetail> = {}): CourseDetail {
  return {
    id: COURSE,
    title: "Algebra: Week 1",
    context_title: "Algebra",
    activity_title: "Week 1",
    state: "ready",
    opened_by_teacher: true,
    role: "instructor",
    grades_enabled: true,
    created_at: "2026-11-01T08:00:00Z",
    launched_at: "2026-11-02T08:00:00Z",
    instructors: 1,
    learners: 2,
    server: "stopped",
    return_url: "https://lms.example/activity",
    links: { lab: "/user/x/lab", formgrader: "/user/x/formgrader" },
    people: [
      { user: "u1", name: "Tilda", role: "instructor", launched_at: "2026-11-02T08:00:00Z" },
    ],
    assignments: [
      {
        name: "ps1",
        due_at: null,
        state: "collected",
        max_score: 10,
        submitted: 5,
        collected: 4,
        graded: 2,
        to_collect: 1,
        to_grade: 2,
        needs_manual: 1,
      },
    ],
    ...changes,
  };
}

export function job(changes: Partial<JobInfo> = {}): JobInfo {
  return {
    id: JOB,
    kind: "grades.send",
    course: COURSE,
    subject: null,
    state: "done",
    done: 2,
    total: 2,
    message: null,
    created_by: "u1",
    created_at: "2026-11-02T08:00:00Z",
    started_at: "2026-11-02T08:00:00Z",
    ended_at: "2026-11-02T08:01:00Z",
    items: [],
    ...changes,
  };
}

/** A message with text of others: what no catalog translates. */
export const plainMessage = (text: string): MessageInfo => ({
  code: "plain",
  text,
  params: { text },
  hint: null,
});

export function backup(changes: Partial<BackupInfo> = {}): BackupInfo {
  return {
    id: "5".repeat(32),
    course: COURSE,
    title: "Algebra: Week 1",
    contents: "everything",
    origin: "made",
    size: 900,
    sha256: "0".repeat(64),
    taken_at: "2026-11-02T08:00:00Z",
    taken_by: "u1",
    taken_by_name: "Tilda",
    assignments: 1,
    students: 2,
    mine: true,
    ...changes,
  };
}

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  setLanguage("en");
});
