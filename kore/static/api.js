// Requests to Kore's REST API, and what goes wrong with them in words.

import { words } from "./words.js";

const PATIENCE = 30_000;

/** What a person is told: `message`, `hint`, and in `kind` what can be done about it. */
export class Trouble extends Error {
  constructor({ message, hint = "" }, kind) {
    super(message);
    this.hint = hint;
    /** "again": may go away by itself; "sign-in"; "refused": Kore said no. */
    this.kind = kind;
  }
}

const isJson = (answer) =>
  (answer.headers.get("Content-Type") ?? "").startsWith("application/json");

const proof = () => document.querySelector('meta[name="csrf-token"]');

async function send(url, method, body) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") {
    headers["X-CSRFToken"] = proof().content;
    if (body !== undefined) headers["Content-Type"] = "application/json";
  }
  return reach(url, { method, headers, body: body && JSON.stringify(body) });
}

async function reach(url, options) {
  try {
    return await fetch(url, {
      ...options,
      credentials: "same-origin",
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch {
    // A sign-in that leads to another host ends here too: Kore itself is there then.
    throw (await isThere()) ? new Trouble(words.signedOut, "sign-in") : new Trouble(words.offline, "again");
  }
}

async function isThere() {
  try {
    const options = { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) };
    return (await fetch(import.meta.url, options)).ok;
  } catch {
    return false;
  }
}

/** Fetch a page of Kore anew, signed in again by the hub if it still knows the person. */
export async function fetchPage(url) {
  const answer = await reach(url, { headers: { Accept: "text/html" } });
  if (answer.status >= 500) throw new Trouble(words.away, "again");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const token = page.querySelector('meta[name="csrf-token"]');
  if (!token || new URL(answer.url).pathname !== new URL(url, location.href).pathname) {
    throw new Trouble(words.signedOut, "sign-in");
  }
  proof().content = token.content;
  return page;
}

/**
 * Send a request, and return the JSON that comes back. Throws `Trouble`.
 * A session that has ended is renewed once where that needs nothing of the person.
 */
export async function call(url, { method = "GET", body } = {}) {
  let answer = await send(url, method, body);
  if (method !== "GET" && (await needsSession(answer))) {
    await fetchPage(location.href);
    answer = await send(url, method, body);
  }
  if (!isJson(answer)) {
    throw answer.status >= 500 ? new Trouble(words.away, "again") : new Trouble(words.signedOut, "sign-in");
  }
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  if (answer.status === 401) throw new Trouble(words.signedOut, "sign-in");
  throw new Trouble(content.error ?? words.odd, answer.status >= 500 ? "again" : "refused");
}

async function needsSession(answer) {
  if (answer.status === 401) return true;
  if (answer.status !== 403 || !isJson(answer)) return false;
  return (await answer.clone().json()).error?.code === "csrf";
}
