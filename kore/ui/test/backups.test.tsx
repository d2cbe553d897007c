// Backups: uploads, downloads, and what ends a course.

import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { act, at, backup, COURSE, errorAnswer, FakeKore, here, plain, show } from "./tools";

const BACKUPS = { backups: [backup()], used: 900, quota: 1000 };
const withBackups = (body = BACKUPS) => new FakeKore({ ...here(), "GET backups": { body } });
const chooseFile = async (size = 100) => {
  const input = await screen.findByLabelText<HTMLInputElement>("Backup archive");
  expect(input.accept).toBe(".tar");
  const file = new File(["x".repeat(size)], "course.tar");
  await act().upload(input, file);
};

test("what ends a course wants its title typed, says what is lost, and offers a backup", async () => {
  const fake = new FakeKore({
    ...here(),
    "GET backups": { body: { backups: [], used: 0, quota: 1e9 } },
    [`POST courses/${COURSE}/delete`]: errorAnswer(422, "confirm", "That is not the title."),
  });
  show(at("backups"), fake);
  await act().click(await screen.findByRole("button", { name: "Delete the course …" }));
  const dialog = within(screen.getByRole("dialog"));
  const go = dialog.getByRole("button", { name: "Delete the course" });
  expect(go).toHaveProperty("disabled", true);
  expect(dialog.getByText(/4 collected submissions/)).toBeDefined();
  expect(dialog.getByRole("checkbox", { name: /Back up/ })).toHaveProperty("checked", true);
  await act().type(dialog.getByRole("textbox"), "Algebra: Week 1");
  await act().click(go);
  expect((await dialog.findByRole("alert")).textContent).toContain("That is not the title.");
  expect(fake.asked.find(({ what }) => what.startsWith("POST"))!.body).toEqual({
    confirm: "Algebra: Week 1",
    backup: true,
  });
});

test("an upload says how far it is, and can be stopped", async () => {
  const fake = withBackups();
  fake.on("POST backups", () => new Promise(() => {}));
  show(at("backups"), fake);
  await screen.findByRole("table");
  await chooseFile();
  expect(await screen.findByText(/50%.* of .*100 bytes/)).toBeDefined();
  expect(screen.getByRole("progressbar")).toHaveProperty("value", 0.5);
  await act().click(screen.getByRole("button", { name: "Stop" }));
  expect(await screen.findByText("The upload was stopped. Nothing was stored.")).toBeDefined();
  expect(screen.getByRole("button", { name: "Upload a backup …" })).toBeDefined();
});

test("an archive that there is no room for is not sent", async () => {
  const fake = withBackups();
  show(at("backups"), fake);
  await screen.findByRole("table");
  await chooseFile(101);
  expect(plain((await screen.findByRole("alert")).textContent)).toContain(
    "The archive is 101 bytes. Backups of this course can use 100 bytes more.",
  );
  expect(fake.calls("POST")).toEqual([]);
});

test("an upload that was cut off goes again with one click", async () => {
  const fake = withBackups();
  fake.on("POST backups", "lost");
  show(at("backups"), fake);
  await screen.findByRole("table");
  await chooseFile();
  const again = await screen.findByRole("button", { name: "Try again" });
  fake.on("POST backups", { status: 201, body: backup() });
  await act().click(again);
  expect(await screen.findByText("The archive was uploaded.")).toBeDefined();
});

test("a download begins only where an archive comes, and no page of a sign-in", async () => {
  const fetched = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
  const fake = withBackups();
  show(at("backups"), fake);
  const download = await screen.findByRole("link", { name: "Download" });
  fake.on("GET session", "page");
  fake.on("GET backups", errorAnswer(401, "sign_in", "You are not signed in."));
  await act().click(download);
  expect(await screen.findByRole("button", { name: "Sign in again" })).toBeDefined();
  fake.on("GET backups", { body: { ...BACKUPS, backups: [backup({ id: "6".repeat(32) })] } });
  fake.on("GET session", { body: { user: "u1", csrf: "new", admin: false } });
  await act().click(download);
  expect((await screen.findByRole("alert")).textContent).toContain("This backup no longer exists.");
  expect(fetched).not.toHaveBeenCalled();
  await act().click(await screen.findByRole("link", { name: "Download" }));
  await waitFor(() => expect(fetched).toHaveBeenCalledOnce());
  fetched.mockRestore();
});
