// What views are made of: loading with retries, and jobs that are watched until they end.

import { useCallback, useEffect, useRef, useState } from "react";
import { asTrouble, type Trouble } from "./api";
import { useAround, useKore } from "./context";
import type { Job } from "./types";

const RETRY_SECONDS = [2, 4, 8, 15];
const LOOK = 1_000;

export interface Loaded<T> {
  value: T | undefined;
  trouble: Trouble | null;
  /** Seconds until it is tried again by itself; 0 if it is not. */
  retryIn: number;
  reload: () => void;
}

/**
 * Load something when the view opens and whenever `key` changes. What was there stays while
 * it is loaded anew. A lost connection is tried again by itself, sooner when the browser
 * says that it is back. `again` tells from a value in how many milliseconds to look anew, and
 * another `turn` is a reason to look at once. Without a `key` nothing is loaded.
 */
export function useLoad<T>(
  key: string | null,
  load: (signal: AbortSignal) => Promise<T>,
  again?: (value: T) => number | null,
  turn = 0,
): Loaded<T> {
  const [value, setValue] = useState<{ key: string; is: T }>();
  const [trouble, setTrouble] = useState<Trouble | null>(null);
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
        setTrouble(null);
        setRetryIn(0);
        const wait = again?.(is);
        if (wait) later(wait);
      },
      (error) => {
        if (stop.signal.aborted) return;
        const told = asTrouble(error);
        setTrouble(told);
        if (told.way !== "again") {
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
  }, [key, round, turn, reload]);

  return {
    value: key !== null && value?.key === key ? value.is : undefined,
    trouble,
    retryIn,
    reload,
  };
}

/** Load a path of Kore's API. */
export function useGet<T>(
  path: string | null,
  query: Record<string, string | number | boolean | null | undefined> = {},
  again?: (value: T) => number | null,
  turn = 0,
): Loaded<T> {
  const kore = useKore();
  const key = path === null ? null : JSON.stringify([path, query]);
  return useLoad<T>(key, (signal) => kore.get<T>(path ?? "", query, signal), again, turn);
}

/** Watch a job until it ends. */
export function useJob(id: string): Loaded<Job> {
  return useGet<Job>(`jobs/${id}`, {}, (job) => (job.ended_at ? null : LOOK));
}

/** Do something that a person asked for: one thing at a time, trouble in words. */
export function useAct(): {
  busy: boolean;
  trouble: Trouble | null;
  act: (what: () => Promise<void>) => Promise<void>;
  clear: () => void;
} {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const alive = useRef(true);
  useEffect(() => {
    alive.current = true;
    return () => {
      alive.current = false;
    };
  }, []);
  const act = useCallback(async (what: () => Promise<void>) => {
    setBusy(true);
    setTrouble(null);
    try {
      await what();
    } catch (error) {
      if (alive.current) setTrouble(asTrouble(error));
    } finally {
      if (alive.current) setBusy(false);
    }
  }, []);
  return { busy, trouble, act, clear: useCallback(() => setTrouble(null), []) };
}

/** Begin a job that a person asked for, and go to it. */
export function useStartJob() {
  const { kore, go, jobsChanged } = useAround();
  const { act, ...acting } = useAct();
  const start = (path: string, body: unknown) =>
    act(async () => {
      const job = await kore.send<Job>("POST", path, body);
      jobsChanged();
      go({ view: "job", job: job.id });
    });
  return { ...acting, start };
}

/** What there was last, while something else is loaded: what people look at stays in place. */
export function useKept<T>(value: T | undefined): T | undefined {
  const kept = useRef(value);
  if (value !== undefined) kept.current = value;
  return kept.current;
}

/** A value that follows another once that has been still for a moment. */
export function useSettled<T>(value: T, milliseconds = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}
