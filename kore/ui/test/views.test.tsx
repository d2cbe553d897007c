// What a person reads and does in each view.

import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Tab } from "../src/context";
import type { Grades } from "../src/types";
import { COURSE, course, error, FakeKore, host, JOB, job, show } from "./tools";

const at = (tab: Tab) => ({ view: "course", course: COURSE, tab }) as const;
const here = (changes = {}) => ({ [`GET courses/${COURSE}`]: { body: course(changes) } });
const act = () => userEvent.setup();
/** Without the marks that keep text from outside in its own direction. */
const plain = (text: string | null) => text?.replace(/[\u2068\u2069]/g, "");

const GRADES: Grades = {
  course: COURSE,
  maximum: 10,
  assignments: ["ps1"],
  counts: { send: 1, held_back: 1 },
  last_job: null,
  entries: [
    { user: "u3", name: "Ada", given: 4, maximum: 10, action: "send", reason: "", last: null },
    {
      user: "u4",
      name: "<b>Bo</b>",
      given: null,
      maximum: null,
      action: "held_back",
      reason: "Waits for grading by hand: ps1.",
      last: null,
    },
  ],
};

test("a course at a glance: its title, its teachers, what waits to be done", async () => {
  show(at("overview"), new FakeKore(here()));
  expect(await screen.findByRole("heading", { level: 1, name: "Week 1" })).toBeDefined();
  const row = screen.getByRole("row", { name: /ps1/ });
  for (const words of ["1 to collect", "2 to grade", "1 to grade by hand"]) {
    expect(within(row).getByText(words)).toBeDefined();
  }
  expect(screen.getByText(/Taught by/).textContent).toContain("Tilda");
});

test("of what this Kore has no routes for, nothing is offered", async () => {
  show(at("backups"), new FakeKore(here(), []));
  await screen.findByRole("heading", { name: "Week 1" });
  const tabs = within(screen.getByRole("navigation", { name: "This course" })).getAllByRole("link");
  expect(tabs.map((tab) => tab.textContent)).toEqual(["Overview", "Grades", "History"]);
  expect(screen.queryByRole("button", { name: /Grade/ })).toBeNull();
});

test("a title full of markup is text", async () => {
  const title = '<img src=x onerror="alert(1)"> {{7*7}}';
  show(at("overview"), new FakeKore(here({ activity_title: title })));
  expect((await screen.findByRole("heading", { level: 1 })).textContent).toBe(title);
  expect(document.querySelector("img")).toBeNull();
});

test("a student reads where the work is, and nothing of others", async () => {
  const seen = { role: "learner" as const, people: [], assignments: [], links: null };
  show(at("grades"), new FakeKore(here(seen)));
  const way = await screen.findByRole("link", { name: "Open JupyterLab" });
  expect(way.getAttribute("href")).toBe("/hub/user-redirect/lab");
  expect(screen.queryByRole("navigation", { name: "This course" })).toBeNull();
  expect(screen.queryByRole("table")).toBeNull();
});

test("who is held back and why comes first, and is said before anything is sent", async () => {
  show(at("grades"), new FakeKore({ ...here(), "GET grades": { body: GRADES } }));
  const rows = await screen.findAllByRole("row");
  expect(rows[1]!.textContent).toContain("<b>Bo</b>");
  expect(rows[1]!.textContent).toContain("Waits for grading by hand: ps1.");
  await act().click(screen.getByRole("button", { name: "Send 1 grade" }));
  expect(screen.getByRole("dialog").textContent).toContain("1 student is held back");
});

test("sending asks first, sends once, and shows the job", async () => {
  const fake = new FakeKore({
    ...here(),
    "GET grades": { body: GRADES },
    "POST grades": { body: job({ state: "queued", ended_at: null }) },
    [`GET jobs/${JOB}`]: { body: job({ state: "queued", ended_at: null, done: 0, total: 0 }) },
  });
  show(at("grades"), fake);
  await act().click(await screen.findByRole("button", { name: "Send 1 grade" }));
  expect(fake.calls("POST")).toEqual([]);
  await act().click(
    within(screen.getByRole("dialog")).getByRole("button", { name: "Send 1 grade" }),
  );
  expect(await screen.findByText("It begins in a moment.")).toBeDefined();
  expect(fake.asked.filter(({ what }) => what === "POST grades").map(({ body }) => body)).toEqual([
    { course: COURSE, resend: false, only: null },
  ]);
});

test("a lost connection in the middle of sending is told, and the same click goes on", async () => {
  const fake = new FakeKore({ ...here(), "GET grades": { body: GRADES }, "POST grades": "lost" });
  show(at("grades"), fake);
  await act().click(await screen.findByRole("button", { name: "Send 1 grade" }));
  const dialog = within(screen.getByRole("dialog"));
  await act().click(dialog.getByRole("button", { name: "Send 1 grade" }));
  expect((await dialog.findByRole("alert")).textContent).toContain("Kore cannot be reached.");
  fake.on("POST grades", { body: job() });
  fake.on(`GET jobs/${JOB}`, { body: job() });
  await act().click(dialog.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("heading", { name: "Sending grades to the LMS" })).toBeDefined();
});

test("students are found without their marks, and a filter that finds none says so", async () => {
  const entries = [{ ...GRADES.entries[0]!, name: "Zoë Çelik" }, GRADES.entries[1]!];
  show(at("grades"), new FakeKore({ ...here(), "GET grades": { body: { ...GRADES, entries } } }));
  const search = await screen.findByRole("searchbox", { name: "Find a student" });
  await act().type(search, "zoe cel");
  expect(screen.getByText(/shown/).textContent).toBe("1 of 2 shown");
  await act().type(search, "xx");
  expect(screen.getByText("No student matches.")).toBeDefined();
});

test("a job that failed half-way offers those that failed, and only them", async () => {
  const items = [
    { key: "u3", label: "Ada", outcome: "sent", words: "", detail: { given: 1, maximum: 2 } },
    { key: "u4", label: "Bo", outcome: "failed", words: "No answer.", detail: {} },
    { key: "u5", label: "Cy", outcome: "refused", words: "Not enrolled.", detail: {} },
  ];
  const fake = new FakeKore({
    ...here(),
    [`GET jobs/${JOB}`]: { body: job({ state: "failed", message: "The LMS went away.", items }) },
    "POST grades": { body: job({ id: "3".repeat(32) }) },
    [`GET jobs/${"3".repeat(32)}`]: { body: job({ id: "3".repeat(32) }) },
  });
  show({ view: "job", job: JOB }, fake);
  expect(await screen.findByText("The LMS went away.")).toBeDefined();
  expect((await screen.findAllByRole("row")).slice(1).map((row) => row.textContent)).toEqual([
    expect.stringContaining("Bo"),
    expect.stringContaining("Cy"),
    expect.stringContaining("Ada"),
  ]);
  await act().click(screen.getByRole("button", { name: "Send the 2 failed ones again" }));
  await waitFor(() => expect(fake.calls("POST")).toHaveLength(1));
  expect(fake.asked.find(({ what }) => what === "POST grades")!.body).toMatchObject({
    only: ["u4", "u5"],
  });
});

test("a grading says of which assignment, and grades those that failed again, and only them", async () => {
  const items = [
    { key: "u3", label: "Ada", outcome: "graded", words: "", detail: { score: 1, maximum: 2 } },
    { key: "u4", label: "Bo", outcome: "failed", words: "NameError", detail: {} },
  ];
  const grading = job({ kind: "assignment.autograde", subject: "ps1", items });
  const fake = new FakeKore({
    ...here(),
    [`GET jobs/${JOB}`]: { body: grading },
    [`POST courses/${COURSE}/autograde`]: { body: grading },
  });
  show({ view: "job", job: JOB }, fake);
  await act().click(await screen.findByRole("button", { name: "Grade the 1 failed one again" }));
  const heading = screen.getByRole("heading", { level: 1 });
  expect(plain(heading.textContent)).toBe("Grading automatically: ps1");
  await waitFor(() => expect(fake.calls("POST")).toHaveLength(1));
  expect(fake.asked.find(({ what }) => what.startsWith("POST"))!.body).toEqual({
    assignment: "ps1",
    students: ["u4"],
  });
});

test("work is named with what it is about, wherever it is listed", async () => {
  const jobs = [
    job({ kind: "assignment.autograde", subject: "ps1" }),
    job({ id: "3".repeat(32), kind: "course.copy", subject: "ps2" }),
    job({ id: "4".repeat(32), kind: "course.copy" }),
  ];
  const audit = { body: { entries: [], total: 0 } };
  const fake = new FakeKore({ ...here(), [`GET courses/${COURSE}/audit`]: audit });
  fake.on("GET jobs", { body: { jobs } });
  show(at("history"), fake);
  const table = await screen.findByRole("table", { name: "Work and its reports" });
  const names = within(table).getAllByRole("rowheader");
  expect(names.map((name) => plain(name.textContent))).toEqual([
    "Grading automatically: ps1",
    "Copying ps2",
    "Copying assignments",
  ]);
});

test("the end of a job is told wherever one is, once", async () => {
  const around = host();
  const running = job({ state: "running", ended_at: null });
  const fake = new FakeKore({
    "GET courses": { body: { courses: [] } },
    "GET jobs": { body: { jobs: [running] } },
  });
  show({ view: "courses" }, fake, around);
  await screen.findByRole("button", { name: "1 job under way" });
  fake.on("GET jobs", { body: { jobs: [job({ message: "2 sent" })] } });
  await waitFor(() => expect(around.notify).toHaveBeenCalledOnce(), { timeout: 5_000 });
  expect(around.notify).toHaveBeenCalledWith("Sending grades to the LMS – Finished. 2 sent", true, {
    view: "job",
    job: JOB,
  });
});

test("what ends a course wants its title typed, says what is lost, and offers a backup", async () => {
  const fake = new FakeKore({
    ...here(),
    "GET backups": { body: { backups: [], used: 0, quota: 1e9 } },
    [`POST courses/${COURSE}/delete`]: error(422, "confirm", "That is not the title."),
  });
  show(at("backups"), fake);
  await act().click(await screen.findByRole("button", { name: "Delete the course …" }));
  const dialog = within(screen.getByRole("dialog"));
  const go = dialog.getByRole("button", { name: "Delete the course" });
  expect(go).toHaveProperty("disabled", true);
  expect(dialog.getByText(/4 collected submissions/)).toBeDefined();
  expect(dialog.getByRole("checkbox", { name: /backup/ })).toHaveProperty("checked", true);
  await act().type(dialog.getByRole("textbox"), "Algebra: Week 1");
  await act().click(go);
  expect((await dialog.findByRole("alert")).textContent).toContain("That is not the title.");
  expect(fake.asked.find(({ what }) => what.startsWith("POST"))!.body).toEqual({
    confirm: "Algebra: Week 1",
    backup: true,
  });
});

test("a copy shows what it meets before it is made, and takes the chosen way", async () => {
  const source = { kind: "course", id: "c-2", course: "c-2", title: "Old", taken_at: null };
  const fake = new FakeKore({
    ...here(),
    "GET assignments": {
      body: {
        assignments: [
          { source, name: "ps1", notebooks: 2, points: 5, size: 900, changed_at: null },
        ],
        total: 1,
      },
    },
    [`POST courses/${COURSE}/copies/plan`]: {
      body: {
        items: [
          { assignment: "ps1", problem: null, target: "ps1", exists: true, keep_both: "ps1-2" },
        ],
        size: 900,
      },
    },
    [`POST courses/${COURSE}/copies`]: { body: job({ kind: "course.copy" }) },
    [`GET jobs/${JOB}`]: { body: job({ kind: "course.copy" }) },
  });
  show(at("copy"), fake);
  await act().click(await screen.findByRole("button", { name: /Copy .*ps1/ }));
  await act().click(screen.getByRole("button", { name: "Continue" }));
  expect((await screen.findByText(/New name/)).textContent).toContain("ps1-2");
  await act().click(screen.getByRole("radio", { name: /Replace/ }));
  await act().click(screen.getByRole("button", { name: "Copy" }));
  await screen.findByRole("heading", { name: "Copying assignments" });
  expect(fake.asked.findLast(({ what }) => what.endsWith("/copies"))!.body).toEqual({
    from: { kind: "course", id: "c-2" },
    assignment: "ps1",
    problem: null,
    into: null,
    collision: "replace",
  });
});

test("settings are saved as they stand in the form", async () => {
  const before = {
    feedback: { show_hidden_tests: false, run_again: false },
    solution: { begin: "### BEGIN", end: "### END" },
    code_stub: { python: "pass" },
    by_hand: [],
  };
  const path = `courses/${COURSE}/settings`;
  const fake = new FakeKore({ ...here(), [`GET ${path}`]: { body: before } });
  fake.on(`PUT ${path}`, (body) => ({ body }));
  show(at("settings"), fake);
  await act().click(await screen.findByRole("checkbox", { name: /hidden tests/ }));
  await act().click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("Saved.")).toBeDefined();
  expect(fake.asked.find(({ what }) => what.startsWith("PUT"))!.body).toEqual({
    ...before,
    feedback: { show_hidden_tests: true, run_again: false },
  });
});

test("a lost connection while reading is tried again by itself", async () => {
  const fake = new FakeKore({ "GET courses": "lost" });
  show({ view: "courses" }, fake);
  expect((await screen.findByRole("alert")).textContent).toContain("The next try is in 2 seconds.");
  fake.on("GET courses", { body: { courses: [course()] } });
  expect(await screen.findByRole("link", { name: "Week 1" }, { timeout: 4_000 })).toBeDefined();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("who is not signed in any more is led to sign in, and goes on", async () => {
  const around = host();
  const fake = new FakeKore({ "GET courses": error(401, "sign_in", "You are not signed in.") });
  show({ view: "courses" }, fake, around);
  const again = await screen.findByRole("button", { name: "Sign in again" });
  fake.on("GET courses", { body: { courses: [course()] } });
  await act().click(again);
  expect(around.signIn).toHaveBeenCalledOnce();
  expect(await screen.findByRole("link", { name: "Week 1" })).toBeDefined();
});
