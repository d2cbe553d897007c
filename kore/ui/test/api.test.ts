// Requests: who is asked for what, and what goes wrong in words.

import { expect, test, vi } from "vitest";
import { type ApiError, Kore, toApiError, withQuery } from "../src/api";
import { errorAnswer, FakeKore } from "./tools";

const made = (fake: FakeKore, changed = () => {}) =>
  new Kore("/services/kore/", changed, fake.fetch);
const error = (promise: Promise<unknown>): Promise<ApiError> =>
  promise.then(
    () => {
      throw new Error("it succeeded");
    },
    (thrown) => toApiError(thrown),
  );

test("one sign-in serves all requests of a page, and changing ones carry its token", async () => {
  const fake = new FakeKore({
    "GET courses": { body: { courses: [] } },
    "POST grades": { body: {} },
  });
  const kore = made(fake);
  await Promise.all([
    kore.get("courses"),
    kore.get("courses"),
    kore.send("POST", "grades", { a: 1 }),
  ]);
  expect(fake.calls("GET session")).toHaveLength(1);
  expect(fake.asked.find(({ what }) => what === "POST grades")).toMatchObject({
    body: { a: 1 },
    csrf: "token",
  });
  expect(fake.asked.find(({ what }) => what === "GET courses")!.csrf).toBeNull();
});

test("an expired session signs in again, and the request is sent once more with the new token", async () => {
  let expired = true;
  const fake = new FakeKore({
    "POST grades": () => {
      if (!expired) return { body: { id: "j" } };
      expired = false;
      fake.on("GET session", { body: { user: "u1", csrf: "new", admin: false } });
      return errorAnswer(401, "sign_in", "You are not signed in.");
    },
  });
  expect(await made(fake).send("POST", "grades", {})).toEqual({ id: "j" });
  expect(fake.asked.map(({ what }) => what)).toEqual([
    "GET session",
    "POST grades",
    "GET session",
    "POST grades",
  ]);
  expect(fake.asked.at(-1)!.csrf).toBe("new");
});

test("what one person began is not sent for another who has signed in meanwhile", async () => {
  const changed = vi.fn();
  const fake = new FakeKore({
    "POST grades": () => {
      fake.on("GET session", { body: { user: "u2", csrf: "x", admin: false } });
      return errorAnswer(403, "csrf", "Not from a page of Kore.");
    },
  });
  expect((await error(made(fake, changed).send("POST", "grades", {}))).recovery).toBe("sign-in");
  expect(changed).toHaveBeenCalledOnce();
  expect(fake.calls("POST")).toHaveLength(1);
});

test.each([
  ["lost" as const, "retry"],
  [errorAnswer(503, "hub_away", "JupyterHub does not answer."), "retry"],
  [errorAnswer(409, "busy", "Grades are being sent."), "none"],
  ["page" as const, "sign-in"],
  [{ status: 500, body: "no envelope" }, "none"],
])("an answer %j tells what can be done: %s", async (answer, recovery) => {
  const found = await error(made(new FakeKore({ "GET courses": answer })).get("courses"));
  expect(found.recovery).toBe(recovery);
  expect(found.message).not.toContain("TypeError");
});

test("Kore's own words and hint are passed on, with its code", async () => {
  const fake = new FakeKore({ "GET courses": errorAnswer(409, "busy", "Not now.", "Wait.") });
  expect(await error(made(fake).get("courses"))).toMatchObject({
    message: "Not now.",
    hint: "Wait.",
    code: "busy",
    status: 409,
  });
});

test("a sign-in that leads to another host is told from a lost connection", async () => {
  const fake = new FakeKore({ "GET session": "lost", "GET health": { body: { status: "ok" } } });
  expect((await error(made(fake).session())).recovery).toBe("sign-in");
  fake.on("GET health", "lost");
  expect((await error(made(fake).session())).recovery).toBe("retry");
});

test("names from outside are quoted in queries, and what is empty is left out", () => {
  expect(withQuery("jobs", { course: "a&b=c d", page: 0, none: null, empty: "" })).toBe(
    "jobs?course=a%26b%3Dc%20d&page=0",
  );
});
