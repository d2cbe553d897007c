// Jobs: their reports, their names in lists, and the bell.

import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import {
  act,
  at,
  COURSE,
  FakeKore,
  here,
  host,
  JOB,
  job,
  plain,
  plainMessage,
  show,
} from "./tools";

test("a job that failed half-way offers those that failed, and only them", async () => {
  const items = [
    { key: "u3", label: "Ada", outcome: "sent", message: null, detail: { given: 1, maximum: 2 } },
    { key: "u4", label: "Bo", outcome: "failed", message: plainMessage("No answer."), detail: {} },
    {
      key: "u5",
      label: "Cy",
      outcome: "refused",
      message: plainMessage("Not enrolled."),
      detail: {},
    },
  ];
  const fake = new FakeKore({
    ...here(),
    [`GET jobs/${JOB}`]: {
      body: job({ state: "failed", message: plainMessage("The LMS went away."), items }),
    },
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
  await act().click(screen.getByRole("button", { name: "Resend 2 failed grades" }));
  await waitFor(() => expect(fake.calls("POST")).toHaveLength(1));
  expect(fake.asked.find(({ what }) => what === "POST grades")!.body).toMatchObject({
    users: ["u4", "u5"],
  });
});

test("grading collects first what was handed in since, unless told not to", async () => {
  const fake = new FakeKore({
    ...here(),
    [`POST courses/${COURSE}/autograde`]: { body: job({ kind: "assignment.autograde" }) },
    [`GET jobs/${JOB}`]: { body: job({ kind: "assignment.autograde" }) },
  });
  show({ view: "course", course: COURSE, tab: "overview" }, fake);
  await act().click(await screen.findByRole("button", { name: /^Grade .*ps1/ }));
  expect(screen.getByText(/2 submissions of/)).toBeTruthy();
  const collect = screen.getByRole<HTMLInputElement>("checkbox", { name: /^Collect 1 new/ });
  expect(collect.checked).toBe(true);
  await act().click(screen.getByRole("button", { name: "Grade" }));
  await waitFor(() => expect(fake.calls("POST")).toHaveLength(1));
  expect(fake.asked.find(({ what }) => what.startsWith("POST"))!.body).toEqual({
    assignment: "ps1",
    collect: true,
    regrade: false,
  });
});

test("a grading says of which assignment, and grades those that failed again, and only them", async () => {
  const items = [
    { key: "u3", label: "Ada", outcome: "graded", message: null, detail: { score: 1, maximum: 2 } },
    { key: "u4", label: "Bo", outcome: "failed", message: plainMessage("NameError"), detail: {} },
    { key: "u5", label: "Cy", outcome: "needs_manual", message: null, detail: {} },
  ];
  const grading = job({ kind: "assignment.autograde", subject: "ps1", items });
  const fake = new FakeKore({
    ...here(),
    [`GET jobs/${JOB}`]: { body: grading },
    [`POST courses/${COURSE}/autograde`]: { body: grading },
  });
  show({ view: "job", job: JOB }, fake);
  await act().click(await screen.findByRole("button", { name: "Regrade 1 failed submission" }));
  expect(screen.getByRole("link", { name: "Open formgrader" })).toBeDefined();
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
  const table = await screen.findByRole("table", { name: "Jobs and reports" });
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
  await screen.findByRole("button", { name: "1 job running" });
  fake.on("GET jobs", { body: { jobs: [job({ message: plainMessage("2 sent") })] } });
  await waitFor(() => expect(around.notify).toHaveBeenCalledOnce(), { timeout: 10_000 });
  expect(around.notify).toHaveBeenCalledWith("Sending grades to the LMS – Finished. 2 sent", true, {
    view: "job",
    job: JOB,
  });
});

test("the bell's list is left with Escape, which leads back, and by going elsewhere", async () => {
  const fake = new FakeKore({ ...here(), "GET jobs": { body: { jobs: [job()] } } });
  show(at("overview"), fake);
  const bell = await screen.findByRole("button", { name: "Jobs" });
  const list = () => document.getElementById("kore-bell-list");
  await act().click(bell);
  within(list()!).getByRole("link").focus();
  await act().keyboard("{Escape}");
  expect(list()).toBeNull();
  expect(document.activeElement).toBe(bell);
  await act().click(bell);
  await act().click(screen.getByRole("heading", { level: 1 }));
  expect(list()).toBeNull();
  await act().click(bell);
  fake.on(`GET jobs/${JOB}`, { body: job() });
  await act().click(within(list()!).getByRole("link"));
  expect(list()).toBeNull();
});
