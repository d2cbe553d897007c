// Requests: who is asked for what, and what goes wrong in words.

import { expect, test, vi } from "vitest";
import { asTrouble, Kore, type Trouble, withQuery } from "../src/api";
import { error, FakeKore } from "./tools";

const made = (fake: FakeKore, changed = () => {}) =>
  new Kore("/services/kore/", changed, fake.fetch);
const trouble = (promise: Promise<unknown>): Promise<Trouble> =>
  promise.then(
    () => {
      throw new Error("it succeeded");
    },
    (thrown) => asTrouble(thrown),
  );

test("one sign-in serves all requests of a page, and changing ones carry its proof", async () => {
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
    csrf: "proof",
  });
  expect(fake.asked.find(({ what }) => what === "GET courses")!.csrf).toBeNull();
});

test("an expired session signs in again, and the request is sent once more with the new proof", async () => {
  let expired = true;
  const fake = new FakeKore({
    "POST grades": () => {
      if (!expired) return { body: { id: "j" } };
      expired = false;
      fake.on("GET session", { body: { user: "u1", csrf: "new", admin: false } });
      return error(401, "sign_in", "You are not signed in.");
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
      return error(403, "csrf", "Not from a page of Kore.");
    },
  });
  expect((await trouble(made(fake, changed).send("POST", "grades", {}))).way).toBe("sign-in");
  expect(changed).toHaveBeenCalledOnce();
  expect(fake.calls("POST")).toHaveLength(1);
});

test.each([
  ["lost" as const, "again"],
  [error(503, "hub_away", "JupyterHub does not answer."), "again"],
  [error(409, "busy", "Grades are being sent."), "refused"],
  ["page" as const, "sign-in"],
  [{ status: 500, body: "no envelope" }, "refused"],
])("an answer %j tells what can be done: %s", async (answer, way) => {
  const found = await trouble(made(new FakeKore({ "GET courses": answer })).get("courses"));
  expect(found.way).toBe(way);
  expect(found.message).not.toContain("TypeError");
});

test("Kore's own words and hint are passed on, with its code", async () => {
  const fake = new FakeKore({ "GET courses": error(409, "busy", "Not now.", "Wait.") });
  expect(await trouble(made(fake).get("courses"))).toMatchObject({
    message: "Not now.",
    hint: "Wait.",
    code: "busy",
    status: 409,
  });
});

test("a sign-in that leads to another host is told from a lost connection", async () => {
  const fake = new FakeKore({ "GET session": "lost", "GET health": { body: { status: "ok" } } });
  expect((await trouble(made(fake).session())).way).toBe("sign-in");
  fake.on("GET health", "lost");
  expect((await trouble(made(fake).session())).way).toBe("again");
});

test("names from outside are quoted in queries, and what is empty is left out", () => {
  expect(withQuery("jobs", { course: "a&b=c d", page: 0, none: null, empty: "" })).toBe(
    "jobs?course=a%26b%3Dc%20d&page=0",
  );
});
