// Addresses of places, below the service's path.

import type { Place, Tab } from "./context";

const TABS: Tab[] = ["overview", "grades", "copy", "backups", "history", "settings"];

/** Write a place as an address below `base`. */
export function toAddress(base: string, place: Place): string {
  switch (place.view) {
    case "courses":
      return place.all ? `${base}?all=true` : base;
    case "course":
      return `${base}page/courses/${place.course}${place.tab === "overview" ? "" : `/${place.tab}`}`;
    case "job":
      return `${base}page/jobs/${place.job}`;
  }
}

/** Read an address; what leads nowhere is the list of courses. */
export function fromAddress(base: string, path: string, search: string): Place {
  const parts = path.startsWith(base) ? path.slice(base.length).split("/") : [];
  const [page, kind, id, tab] = parts;
  if (page === "page" && kind === "courses" && id && /^c-[0-9a-f]{16}$/.test(id)) {
    return {
      view: "course",
      course: id,
      tab: TABS.includes(tab as Tab) ? (tab as Tab) : "overview",
    };
  }
  if (page === "page" && kind === "jobs" && id && /^[0-9a-f]{32}$/.test(id)) {
    return { view: "job", job: id };
  }
  return { view: "courses", all: new URLSearchParams(search).get("all") === "true" };
}
