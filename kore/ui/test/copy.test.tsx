// Copies into a course.

import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { act, at, COURSE, FakeKore, here, JOB, job, show } from "./tools";

const source = { kind: "course", id: "c-2", course: "c-2", title: "Old", taken_at: null };
const found = (name: string) => ({
  source,
  name,
  notebooks: 2,
  points: 5,
  size: 900,
  changed_at: null,
});
const planned = (name: string, exists = false) => ({
  assignment: name,
  problem: null,
  target: name,
  exists,
  keep_both: exists ? `${name}-2` : name,
  size: 900,
});

test("a copy shows what it meets before it is made, and takes the selection way", async () => {
  const fake = new FakeKore({
    ...here(),
    "GET assignments": {
      body: { assignments: [found("ps1")], total: 1 },
    },
    [`POST courses/${COURSE}/copies/plan`]: {
      body: { items: [planned("ps1", true)], size: 900 },
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
    assignments: null,
    problem: null,
    into: null,
    collision: "replace",
  });
});

test("of a whole source some are left out, and what is then in the way counts", async () => {
  const fake = new FakeKore({
    ...here(),
    "GET assignments": { body: { assignments: [found("ps1")], total: 1 } },
    [`POST courses/${COURSE}/copies/plan`]: {
      body: { items: [planned("ps1", true), planned("ps2"), planned("ps3")], size: 2700 },
    },
    [`POST courses/${COURSE}/copies`]: { body: job({ kind: "course.copy" }) },
    [`GET jobs/${JOB}`]: { body: job({ kind: "course.copy" }) },
  });
  show(at("copy"), fake);
  await act().click(await screen.findByRole("button", { name: /Copy all assignments from/ }));
  await act().click(screen.getByRole("button", { name: "Continue" }));
  expect(await screen.findByText(/^3 items to copy, .*2.7 kB/)).toBeDefined();
  const go = screen.getByRole("button", { name: "Copy" });
  await act().click(screen.getByRole("checkbox", { name: "All of them" }));
  expect(screen.getByText("Nothing is selected.")).toBeDefined();
  expect(go).toHaveProperty("disabled", true);
  expect(screen.queryByRole("radio")).toBeNull();
  await act().click(screen.getByRole("checkbox", { name: "ps2" }));
  await act().click(screen.getByRole("checkbox", { name: "ps3" }));
  expect(screen.getByText(/^2 items to copy, .*1.8 kB/)).toBeDefined();
  await act().click(go);
  await waitFor(() => expect(fake.calls("POST")).toHaveLength(2));
  expect(fake.asked.findLast(({ what }) => what.endsWith("/copies"))!.body).toMatchObject({
    assignment: null,
    assignments: ["ps2", "ps3"],
  });
});

test("the course itself is left out by Kore, and a page stays until the next one is there", async () => {
  const fake = new FakeKore(here());
  let answer = (_page: unknown) => {};
  fake.on("GET assignments", () => ({ body: { assignments: [found("ps1")], total: 21 } }));
  show(at("copy"), fake);
  await screen.findByRole("row", { name: /ps1/ });
  expect(fake.calls("GET assignments").at(-1)).toContain(`without=${COURSE}`);
  fake.on(
    "GET assignments",
    () =>
      new Promise((done) => {
        answer = (body) => done({ body });
      }),
  );
  await act().click(screen.getByRole("button", { name: "Next" }));
  expect(screen.getByRole("row", { name: /ps1/ })).toBeDefined();
  answer({ assignments: [found("ps21")], total: 21 });
  await screen.findByRole("row", { name: /ps21/ });
});
