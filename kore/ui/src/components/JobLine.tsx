// Jobs in lists: which are worth a line, and the line.

import { jobState, jobTitle } from "../codes";
import type { Job } from "../types";
import { Chip, When } from "./labels";
import { Way } from "./links";

/** A job in a list: what it is, how it stands, when it was. */
export function JobLine({ job }: { job: Job }) {
  const [words, tone] = jobState(job.state);
  return (
    <li>
      <Way to={{ view: "job", job: job.id }}>{jobTitle(job)}</Way> <Chip tone={tone}>{words}</Chip>{" "}
      <span className="kore-muted">
        <When at={job.ended_at ?? job.created_at} />
      </span>
    </li>
  );
}

/** Leave out the set-ups that went well: there is one for each person who joins. */
export const worthShowing = (jobs: Job[]): Job[] =>
  jobs.filter((job) => job.kind !== "course.provision" || job.state === "failed");
