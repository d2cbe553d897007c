// A job in a list.

import { jobState, jobTitle } from "../codes";
import type { JobInfo } from "../types";
import { Chip, Moment } from "./labels";
import { PlaceLink } from "./links";

/** A job in a list: what it is, how it stands, when it was. */
export function JobListItem({ job }: { job: JobInfo }) {
  const [label, tone] = jobState(job.state);
  return (
    <li>
      <PlaceLink to={{ view: "job", job: job.id }}>{jobTitle(job)}</PlaceLink>{" "}
      <Chip tone={tone}>{label}</Chip>{" "}
      <span className="kore-muted">
        <Moment at={job.ended_at ?? job.created_at} />
      </span>
    </li>
  );
}

/** Leave out successful set-ups: there is one for each person who joins. */
export const withoutRoutineJobs = (jobs: JobInfo[]): JobInfo[] =>
  jobs.filter((job) => job.kind !== "course.provision" || job.state === "failed");
