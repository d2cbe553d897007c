// The settings of a course.

import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { act, at, COURSE, FakeKore, here, show } from "./tools";

const before = {
  feedback: { show_hidden_tests: false, run_again: false },
  solution: { begin: "### BEGIN", end: "### END" },
  code_stub: { python: "pass" },
  by_hand: [],
};
const path = `courses/${COURSE}/settings`;

test("what was changed and not saved is there again after a look at another view", async () => {
  const fake = new FakeKore({ ...here(), [`GET ${path}`]: { body: before } });
  const { unmount } = show(at("settings"), fake);
  await act().click(await screen.findByRole("checkbox", { name: /hidden tests/ }));
  unmount();
  show(at("settings"), fake);
  const box = await screen.findByRole<HTMLInputElement>("checkbox", { name: /hidden tests/ });
  expect(box.checked).toBe(true);
  await act().click(screen.getByRole("button", { name: "Undo changes" }));
  expect(box.checked).toBe(false);
});

test("settings are saved as they stand in the form", async () => {
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
