// The preview of grades, and sending them.

import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { GradesPreview } from "../src/types";
import { act, at, COURSE, FakeKore, here, JOB, job, plainMessage, show } from "./tools";

const GRADES: GradesPreview = {
  course: COURSE,
  maximum: 10,
  assignments: ["ps1"],
  counts: { send: 1, held_back: 1 },
  last_job: null,
  entries: [
    { user: "u3", name: "Ada", given: 4, maximum: 10, action: "send", reason: null, last: null },
    {
      user: "u4",
      name: "<b>Bo</b>",
      given: null,
      maximum: null,
      action: "held_back",
      reason: plainMessage("Waits for grading by hand: ps1."),
      last: null,
    },
  ],
};

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
  expect(await screen.findByText("It will start in a moment.")).toBeDefined();
  expect(fake.asked.filter(({ what }) => what === "POST grades").map(({ body }) => body)).toEqual([
    { course: COURSE, resend: false, users: null },
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

test("a colleague's sending that begins meanwhile closes no dialog", async () => {
  const grading = job({ kind: "assignment.autograde", state: "running", ended_at: null });
  const sending = job({ id: "3".repeat(32), state: "running", ended_at: null });
  const fake = new FakeKore({ ...here(), "GET grades": { body: GRADES } });
  fake.on("GET jobs", { body: { jobs: [grading] } });
  show(at("grades"), fake);
  await act().click(await screen.findByRole("button", { name: "Send 1 grade" }));
  fake.on("GET jobs", { body: { jobs: [grading, sending] } });
  const under = await screen.findByRole("list", { name: "Running in this course" });
  await within(under).findByText(/Sending grades/, {}, { timeout: 10_000 });
  expect(screen.getByRole("dialog", { name: "Send 1 grade to the LMS?" })).toBeDefined();
  expect(fake.calls("GET grades")).toHaveLength(2);
});
