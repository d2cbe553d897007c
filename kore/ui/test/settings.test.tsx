// The settings of a course.

import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { act, at, COURSE, FakeKore, here, show } from "./tools";

const before = {
  feedback: { show_hidden_tests: false, run_again: false },
  solution: { begin: "### BEGIN", end: "### END" },
  code_stub: { python: "pass" },
  computed: [],
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
  await act().click(screen.getByRole("button", { name: "Discard changes" }));
  expect(box.checked).toBe(false);
});

test("a draft changes only what it changed, also where others have saved meanwhile", async () => {
  const fake = new FakeKore({ ...here(), [`GET ${path}`]: { body: before } });
  const { unmount } = show(at("settings"), fake);
  await act().click(await screen.findByRole("checkbox", { name: /hidden tests/ }));
  unmount();
  const theirs = { ...before, code_stub: { python: "..." } };
  fake.on(`GET ${path}`, { body: theirs });
  fake.on(`PUT ${path}`, (body) => ({ body }));
  show(at("settings"), fake);
  await screen.findByDisplayValue("...");
  await act().click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("Saved.")).toBeDefined();
  expect(fake.asked.find(({ what }) => what.startsWith("PUT"))!.body).toEqual({
    ...theirs,
    feedback: { show_hidden_tests: true, run_again: false },
  });
});

test("settings that someone else changed in this moment are loaded again", async () => {
  const fake = new FakeKore({ ...here(), [`GET ${path}`]: { body: before } });
  fake.on(`PUT ${path}`, {
    status: 409,
    body: { error: { code: "config_changed", message: "Changed.", hint: "" } },
  });
  show(at("settings"), fake);
  await act().click(await screen.findByRole("checkbox", { name: /hidden tests/ }));
  await act().click(screen.getByRole("button", { name: "Save" }));
  fake.on(`GET ${path}`, { body: { ...before, code_stub: { python: "..." } } });
  await act().click(await screen.findByRole("button", { name: "Try again" }));
  await screen.findByDisplayValue("...");
  const box = screen.getByRole<HTMLInputElement>("checkbox", { name: /hidden tests/ });
  expect(box.checked).toBe(true);
  await act().click(screen.getByRole("button", { name: "Discard changes" }));
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
