// Loading with retries, watching jobs, running actions.

import { useCallback, useEffect, useRef, useState } from "react";
import { type ApiError, toApiError } from "./api";
import { useKore, usePanel } from "./context";
import type { JobInfo } from "./types";

const RETRY_SECONDS = [2, 4, 8, 15];
const POLL_MS = 1_000;

export interface Loaded<T> {
  value: T | undefined;
  error: ApiError | null;
  /** Seconds until it is loaded again by itself; 0 if it is not. */
  retryIn: number;
  reload: () => void;
}

/**
 * Load something when the view opens, and again when `key` or `version` changes. The value stays
 * while it is loaded again. After a lost connection it is loaded again with growing pauses, at
 * once when the browser is back online. `pollAfter` returns in how many milliseconds to load
 * again, null for never. Without a `key` nothing is loaded.
 */
export function useLoad<T>(
  key: string | null,
  load: (signal: AbortSignal) => Promise<T>,
  pollAfter?: (value: T) => number | null,
  version = 0,
): Loaded<T> {
  const [value, setValue] = useState<{ key: string; is: T }>();
  const [error, setError] = useState<ApiError | null>(null);
  const [retryIn, setRetryIn] = useState(0);
  const [round, setRound] = useState(0);
  const failures = useRef(0);
  const reload = useCallback(() => setRound((n) => n + 1), []);

  useEffect(() => {
    if (key === null) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const later = (milliseconds: number) => {
      timer = setTimeout(reload, milliseconds);
    };
    load(stop.signal).then(
      (is) => {
        if (stop.signal.aborted) return;
        failures.current = 0;
        setValue({ key, is });
        setError(null);
        setRetryIn(0);
        const wait = pollAfter?.(is);
        if (wait) later(wait);
      },
      (error) => {
        if (stop.signal.aborted) return;
        const failure = toApiError(error);
        setError(failure);
        if (failure.recovery !== "retry") {
          setRetryIn(0);
          return;
        }
        const seconds = RETRY_SECONDS[Math.min(failures.current, RETRY_SECONDS.length - 1)]!;
        failures.current += 1;
        setRetryIn(seconds);
        later(seconds * 1_000);
      },
    );
    const back = () => {
      if (failures.current) reload();
    };
    window.addEventListener("online", back);
    return () => {
      stop.abort();
      clearTimeout(timer);
      window.removeEventListener("online", back);
    };
  }, [key, round, version, reload]);

  return {
    value: key !== null && value?.key === key ? value.is : undefined,
    error,
    retryIn,
    reload,
  };
}

/** Load a path of Kore's API. */
export function useGet<T>(
  path: string | null,
  query: Record<string, string | number | boolean | null | undefined> = {},
  pollAfter?: (value: T) => number | null,
  version = 0,
): Loaded<T> {
  const kore = useKore();
  const key = path === null ? null : JSON.stringify([path, query]);
  return useLoad<T>(key, (signal) => kore.get<T>(path ?? "", query, signal), pollAfter, version);
}

/** Watch a job until it ends. */
export function useJob(id: string): Loaded<JobInfo> {
  return useGet<JobInfo>(`jobs/${id}`, {}, (job) => (job.ended_at ? null : POLL_MS));
}

/** Run an action that a person asked for, one at a time, and keep its error. */
export function useAction(): {
  busy: boolean;
  error: ApiError | null;
  act: (what: () => Promise<void>) => Promise<void>;
  clear: () => void;
} {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const alive = useRef(true);
  useEffect(() => {
    alive.current = true;
    return () => {
      alive.current = false;
    };
  }, []);
  const act = useCallback(async (what: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await what();
    } catch (error) {
      if (alive.current) setError(toApiError(error));
    } finally {
      if (alive.current) setBusy(false);
    }
  }, []);
  return { busy, error, act, clear: useCallback(() => setError(null), []) };
}

/** Start a job that a person asked for, and go to it. */
export function useStartJob() {
  const { kore, go, refreshJobs } = usePanel();
  const { act, ...acting } = useAction();
  const start = (path: string, body: unknown) =>
    act(async () => {
      const job = await kore.send<JobInfo>("POST", path, body);
      refreshJobs();
      go({ view: "job", job: job.id });
    });
  return { ...acting, start };
}

/** Return a value, or the previous one while there is none: what people look at stays in place. */
export function usePrevious<T>(value: T | undefined): T | undefined {
  const previous = useRef(value);
  if (value !== undefined) previous.current = value;
  return previous.current;
}

/** Return a value once it has not changed for a moment. */
export function useDebounced<T>(value: T, milliseconds = 250): T {
  const [debounced, setDebounced] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setDebounced(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return debounced;
}
