// Links to places in the panel, to formgrader and to the LMS.

import type { ReactNode } from "react";
import { type Host, type Place, usePanel } from "../context";
import { t } from "../i18n";

/** A link to a place in the panel; a button where the host has no addresses. */
export function PlaceLink({
  to,
  className,
  children,
  current,
}: {
  to: Place;
  className?: string;
  children: ReactNode;
  current?: "page" | "true";
}) {
  const { host, go } = usePanel();
  const address = host.address(to);
  if (address === undefined) {
    return (
      <button
        type="button"
        className={className ?? "kore-link"}
        aria-current={current}
        onClick={() => go(to)}
      >
        {children}
      </button>
    );
  }
  return (
    <a
      href={address}
      className={className}
      aria-current={current}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}

/** Return the hub's address that starts a course's server if needed and redirects into it. */
export function serverAddress(host: Host, course: string, part: string): string {
  const server = `${host.hub.replace(/hub\/$/, "")}user/${course}/`;
  return `${host.hub}spawn/${course}?next=${encodeURIComponent(server + part)}`;
}

/** Opens formgrader: in JupyterLab of the course as a tab there, elsewhere in a new browser tab. */
export function Formgrader({ course, children }: { course: string; children?: ReactNode }) {
  const { host } = usePanel();
  return (
    <a
      className="kore-button"
      href={serverAddress(host, course, "formgrader")}
      target="_blank"
      rel="noopener"
      onClick={(event) => {
        if (host.openFormgrader(course)) event.preventDefault();
      }}
    >
      {children ?? t("Open formgrader")}
    </a>
  );
}

/** A link to the activity in the LMS, if its address is known. */
export function OpenLms({ url }: { url: string | null }) {
  if (!url) return null;
  return (
    <a className="kore-button" href={url} target="_top" rel="noopener">
      {t("Open the activity in the LMS")}
    </a>
  );
}
