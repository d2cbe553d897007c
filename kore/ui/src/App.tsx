// The panel: the frame around the view of a place.

import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type ApiError, type Kore, toApiError } from "./api";
import { Bell } from "./Bell";
import { Boundary } from "./components/Boundary";
import { PlaceLink } from "./components/links";
import { Failure, Loading } from "./components/notices";
import { Context, type Host, type PanelContext, type Place } from "./context";
import { t } from "./i18n";
import type { SessionInfo } from "./types";
import { Course } from "./views/Course";
import { Courses } from "./views/Courses";
import { Job } from "./views/job/Job";

// JupyterLab has a landmark for its main area already.
const LANDMARKS = {
  page: () => ({ role: "main", id: "main" }),
  lab: () => ({ role: "region", "aria-label": t("Kore") }),
};

/** The place that the host shows, and how the panel goes to another one. */
export interface Navigation {
  place: Place;
  go: (place: Place) => void;
}

export function App({
  kore,
  host,
  place,
  go,
  bell = true,
}: { kore: Kore; host: Host; bell?: boolean } & Navigation) {
  const [session, setSession] = useState<SessionInfo | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [announcement, setAnnouncement] = useState("");
  const [jobsVersion, setJobsVersion] = useState(0);
  const [try_, setTry] = useState(0);
  const main = useRef<HTMLDivElement>(null);
  const first = useRef(true);

  useEffect(() => {
    let current = true;
    kore.session().then(
      (found) => {
        if (!current) return;
        setSession(found);
        setError(null);
      },
      (error) => current && setError(toApiError(error)),
    );
    return () => {
      current = false;
    };
  }, [kore, try_]);
  useEffect(() => {
    if (error?.recovery !== "retry") return;
    const timer = setTimeout(() => setTry((n) => n + 1), 4_000);
    return () => clearTimeout(timer);
  }, [error]);

  // Who goes to another place by keyboard or ear is at its beginning.
  const where = JSON.stringify(place);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    main.current?.focus();
    main.current?.scrollIntoView?.({ block: "nearest" });
  }, [where]);

  const refreshJobs = useCallback(() => setJobsVersion((n) => n + 1), []);
  const around = useMemo<PanelContext>(
    () => ({
      kore,
      host,
      session,
      place,
      go,
      announce: setAnnouncement,
      refreshJobs,
      jobsVersion,
    }),
    [kore, host, session, place, go, refreshJobs, jobsVersion],
  );
  return (
    <Context.Provider value={around}>
      <div className="kore">
        {session && (
          <div className="kore-bar">
            <nav aria-label={t("Kore")}>
              <PlaceLink to={{ view: "courses" }}>{t("Your courses")}</PlaceLink>
            </nav>
            {bell && (
              <Boundary quiet>
                <Bell />
              </Boundary>
            )}
          </div>
        )}
        <div ref={main} className="kore-main-area" tabIndex={-1} {...LANDMARKS[host.kind]()}>
          {session ? (
            <Boundary key={place.view === "course" ? place.course : where} title={t("Kore")}>
              <View place={place} />
            </Boundary>
          ) : error ? (
            <>
              <h1 tabIndex={-1}>{t("Kore")}</h1>
              <Failure error={error} onRetry={() => setTry((n) => n + 1)} />
            </>
          ) : (
            <Loading lines={6} />
          )}
        </div>
        <p className="kore-hidden" role="status">
          {announcement}
        </p>
      </div>
    </Context.Provider>
  );
}

function View({ place }: { place: Place }): ReactNode {
  switch (place.view) {
    case "courses":
      return <Courses all={place.all ?? false} />;
    case "course":
      return <Course key={place.course} id={place.course} tab={place.tab} />;
    case "job":
      return <Job key={place.job} id={place.job} />;
  }
}
