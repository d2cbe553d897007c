// The frame, the list of courses, and a course at a glance.

import { screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { act, at, course, errorAnswer, FakeKore, here, host, show } from "./tools";

test("a course at a glance: its title, its teachers, what waits to be done", async () => {
  show(at("overview"), new FakeKore(here()));
  expect(await screen.findByRole("heading", { level: 1, name: "Week 1" })).toBeDefined();
  const row = screen.getByRole("row", { name: /ps1/ });
  for (const words of ["1 to collect", "2 to grade", "1 to grade manually"]) {
    expect(within(row).getByText(words)).toBeDefined();
  }
  expect(screen.getByText(/Taught by/).textContent).toContain("Tilda");
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

test("a lost connection while reading is tried again by itself", async () => {
  const fake = new FakeKore({ "GET courses": "lost" });
  show({ view: "courses" }, fake);
  expect((await screen.findByRole("alert")).textContent).toContain("Trying again in 2 seconds.");
  fake.on("GET courses", { body: { courses: [course()] } });
  expect(await screen.findByRole("link", { name: "Week 1" }, { timeout: 10_000 })).toBeDefined();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("who is not signed in any more is led to sign in, and goes on", async () => {
  const around = host();
  const fake = new FakeKore({
    "GET courses": errorAnswer(401, "sign_in", "You are not signed in."),
  });
  show({ view: "courses" }, fake, around);
  const again = await screen.findByRole("button", { name: "Sign in again" });
  fake.on("GET courses", { body: { courses: [course()] } });
  await act().click(again);
  expect(around.signIn).toHaveBeenCalledOnce();
  expect(await screen.findByRole("link", { name: "Week 1" })).toBeDefined();
});

test("a view that stumbles leaves the others as they are", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  const fake = new FakeKore({ ...here(), "GET grades": { body: { entries: 7 } } });
  show(at("grades"), fake);
  expect((await screen.findByRole("alert")).textContent).toContain("Something went wrong.");
  await act().click(screen.getByRole("link", { name: "Overview" }));
  expect(await screen.findByRole("heading", { name: "Assignments" })).toBeDefined();
  expect(screen.queryByRole("alert")).toBeNull();
  logged.mockRestore();
});
