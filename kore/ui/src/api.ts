// Requests to Kore's REST API, and errors that say what a person can do.
//
// The hub decides who is calling, by a session cookie that only the browser sees. Requests that
// change something also carry a CSRF token, which `GET session` gives to pages of this origin.

import { getLocale, t } from "./i18n";
import { render, renderHint } from "./messages";
import { sendFile, type Transfer } from "./transfer";
import type { ErrorDetail, SessionInfo } from "./types";

const TIMEOUT_MS = 30_000;

/** What helps: waiting and trying again, signing in, or neither because Kore has refused. */
export type Recovery = "retry" | "sign-in" | "none";

/** An error as a person reads it. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly hint: string,
    readonly recovery: Recovery,
    readonly code = "",
    readonly status = 0,
  ) {
    super(message);
  }
}

const offline = () =>
  new ApiError(
    t("Kore cannot be reached."),
    t("Check your connection. Nothing is lost, and nothing will be done twice."),
    "retry",
  );
const unavailable = () =>
  new ApiError(
    t("Kore is not responding."),
    t("It may still be starting. Wait a moment."),
    "retry",
  );
const signedOut = () =>
  new ApiError(
    t("You are no longer signed in."),
    t("Sign in again to return to this page. If that fails, open the activity in the LMS."),
    "sign-in",
  );
const unexpected = () =>
  new ApiError(
    t("Something went wrong."),
    t("Reload the page. If the problem persists, tell the administrator."),
    "none",
  );

/** Return whatever was thrown as an error that a person can read. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  console.error(error);
  return unexpected();
}

type Fetch = typeof fetch;
type Query = Record<string, string | number | boolean | null | undefined>;

const isJson = (answer: Response) =>
  (answer.headers.get("Content-Type") ?? "").startsWith("application/json");

/** Return the error that an answer of Kore's reports. */
function fromAnswer(status: number, error: ErrorDetail | undefined): ApiError {
  if (typeof error?.message !== "string") return unexpected();
  const { code, message, params = {}, hint = null } = error;
  const info = { code, text: message, params, hint };
  const recovery = [502, 503, 504].includes(status) ? "retry" : "none";
  return new ApiError(render(info), renderHint(info), recovery, code, status);
}

/** Return a path with its query, without values that are null, undefined or "". */
export function withQuery(path: string, query: Query): string {
  const parts = Object.entries(query)
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return parts.length ? `${path}?${parts.join("&")}` : path;
}

/** A client of the API for one page and the person who is signed in. */
export class Kore {
  private signingIn: Promise<SessionInfo> | null = null;
  private current: SessionInfo | null = null;
  private readonly fetch: Fetch;

  /**
   * `base` is the service's path with a slash at its end. `changed` is called when someone
   * else has signed in in this browser meanwhile: nothing on the page is theirs.
   */
  constructor(
    readonly base: string,
    private readonly changed: () => void = () => {},
    fetcher?: Fetch,
    private readonly transfer: Transfer = sendFile,
  ) {
    this.fetch = fetcher ?? ((...args) => window.fetch(...args));
  }

  /** Return who is signed in; signs in silently while the hub still knows the person. */
  async session(): Promise<SessionInfo> {
    return this.current ?? this.signIn();
  }

  /** Fetch JSON. */
  async get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    return (await this.call("GET", withQuery(path, query), undefined, signal)) as T;
  }

  /** Send a file; `progress` is called with the share that has been sent, up to 1. */
  async upload<T>(
    path: string,
    file: Blob,
    progress: (share: number) => void,
    signal: AbortSignal,
  ): Promise<T> {
    return (await this.call("POST", path, file, signal, progress)) as T;
  }

  /** Send a request that changes something; `body` is sent as JSON. */
  async send<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T> {
    return (await this.call(method, path, body)) as T;
  }

  /** Return the address of something to download. */
  url(path: string): string {
    return this.base + path;
  }

  private async call(
    method: string,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
    progress?: (share: number) => void,
  ): Promise<unknown> {
    const session = await this.session();
    let answer = await this.request(method, path, session.csrf, body, signal, progress);
    if (await this.isStale(answer)) {
      // The session has ended, or belongs to a sign-in before: once more with a new one.
      this.current = null;
      const fresh = await this.signIn();
      if (fresh.user !== session.user) {
        this.changed();
        throw signedOut();
      }
      answer = await this.request(method, path, fresh.csrf, body, signal, progress);
    }
    if (answer.status === 204) return null;
    if (!isJson(answer)) throw answer.status >= 500 ? unavailable() : signedOut();
    const content = await answer.json().catch(() => ({}));
    if (answer.ok) return content;
    if (answer.status === 401) throw signedOut();
    throw fromAnswer(answer.status, content.error);
  }

  private request(
    method: string,
    path: string,
    csrf: string,
    body: unknown,
    signal?: AbortSignal,
    progress?: (share: number) => void,
  ): Promise<Response> {
    const headers: Record<string, string> = {
      Accept: "application/json",
      "Accept-Language": getLocale(),
    };
    const raw = body instanceof Blob;
    if (method !== "GET") headers["X-CSRFToken"] = csrf;
    if (body !== undefined)
      headers["Content-Type"] = raw ? "application/octet-stream" : "application/json";
    // An upload takes as long as it takes.
    const limits = raw ? [] : [AbortSignal.timeout(TIMEOUT_MS)];
    const options = {
      method,
      headers,
      body: raw ? body : body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.any(signal ? [signal, ...limits] : limits),
    };
    return this.reach(path, options, progress);
  }

  private async reach(
    path: string,
    options: RequestInit,
    progress?: (share: number) => void,
  ): Promise<Response> {
    try {
      return progress
        ? await this.transfer(this.base + path, options, progress)
        : await this.fetch(this.base + path, { ...options, credentials: "same-origin" });
    } catch (error) {
      if (options.signal?.aborted && (error as Error).name === "AbortError") throw error;
      throw offline();
    }
  }

  private signIn(): Promise<SessionInfo> {
    this.signingIn ??= this.askSession().finally(() => {
      this.signingIn = null;
    });
    return this.signingIn;
  }

  private async askSession(): Promise<SessionInfo> {
    // The answer may come over the hub's sign-in, by redirections that the browser follows.
    const options = {
      headers: { Accept: "application/json" },
      cache: "no-store" as const,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    let answer: Response;
    try {
      answer = await this.reach("session", options);
    } catch (error) {
      // A sign-in that leads to another host ends here too: Kore itself is there then.
      throw (await this.isThere()) ? signedOut() : error;
    }
    if (answer.status >= 500) throw unavailable();
    if (!answer.ok || !isJson(answer)) throw signedOut();
    this.current = (await answer.json()) as SessionInfo;
    return this.current;
  }

  private async isThere(): Promise<boolean> {
    try {
      const answer = await this.fetch(`${this.base}health`, {
        cache: "no-store",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return answer.ok;
    } catch {
      return false;
    }
  }

  private async isStale(answer: Response): Promise<boolean> {
    if (answer.status === 401) return true;
    if (answer.status !== 403 || !isJson(answer)) return false;
    const content = await answer
      .clone()
      .json()
      .catch(() => ({}));
    return content.error?.code === "csrf";
  }
}
