// Lists the person's jobs and notifies them when one ends.

import { useEffect, useRef, useState } from "react";
import { jobState, jobTitle } from "./codes";
import { JobListItem, withoutRoutineJobs } from "./components/JobListItem";
import { usePanel } from "./context";
import { useGet } from "./hooks";
import { n, t } from "./i18n";
import { render } from "./messages";
import type { JobInfo } from "./types";

const POLL_RUNNING_MS = 3_000;
const POLL_IDLE_MS = 60_000;
const MAX_JOBS = 10;

export function Bell() {
  const { host, place, announce, jobsVersion } = usePanel();
  const { value } = useGet<{ jobs: JobInfo[] }>(
    "jobs",
    {},
    ({ jobs }) => (jobs.some((job) => !job.ended_at) ? POLL_RUNNING_MS : POLL_IDLE_MS),
    jobsVersion,
  );
  const [open, setOpen] = useState(false);
  const [fresh, setFresh] = useState(0);
  const running = useRef<Set<string> | null>(null);
  const jobs = withoutRoutineJobs(value?.jobs ?? []).slice(0, MAX_JOBS);
  const under = jobs.filter((job) => !job.ended_at).length;

  useEffect(() => {
    if (!value) return;
    const before = running.current;
    running.current = new Set(value.jobs.filter((job) => !job.ended_at).map((job) => job.id));
    if (!before) return;
    for (const job of value.jobs) {
      if (!job.ended_at || !before.has(job.id)) continue;
      const text = `${jobTitle(job)} – ${jobState(job.state)[0]}. ${render(job.message)}`;
      host.notify(text, job.state === "done", { view: "job", job: job.id });
      setFresh((count) => count + 1);
      // The report announces its own end.
      if (place.view !== "job" || place.job !== job.id) announce(text);
    }
  }, [value]);
  useEffect(() => setOpen(false), [place]);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      button.current?.focus();
    };
    const elsewhere = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("keydown", onKey);
    document.addEventListener("pointerdown", elsewhere);
    document.addEventListener("focusin", elsewhere);
    return () => {
      document.removeEventListener("keydown", onKey);
      document.removeEventListener("pointerdown", elsewhere);
      document.removeEventListener("focusin", elsewhere);
    };
  }, [open]);

  const text =
    under > 0
      ? n("{n} job running", "{n} jobs running", under)
      : fresh > 0
        ? n("{n} job finished", "{n} jobs finished", fresh)
        : t("Jobs");
  // Students start no jobs.
  if (!value?.jobs.length) return null;
  return (
    <div className="kore-bell" ref={box}>
      <button
        ref={button}
        type="button"
        className="kore-button"
        aria-expanded={open}
        aria-controls="kore-bell-list"
        onClick={() => {
          setOpen(!open);
          setFresh(0);
        }}
      >
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">
          <path
            fill="currentColor"
            d="M8 1a1 1 0 0 0-1 1v.6A4.5 4.5 0 0 0 3.5 7v3L2 12v1h12v-1l-1.5-2V7A4.5 4.5 0 0 0 9 2.6V2a1 1 0 0 0-1-1zM6.5 14a1.5 1.5 0 0 0 3 0z"
          />
        </svg>{" "}
        {text}
      </button>
      {open && (
        <div className="kore-bell-list" id="kore-bell-list">
          {jobs.length === 0 && <p>{t("No jobs yet.")}</p>}
          <ul className="kore-list">
            {jobs.map((job) => (
              <JobListItem key={job.id} job={job} />
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
