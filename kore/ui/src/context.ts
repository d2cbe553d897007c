// What every view can use: the API, and the host that the panel runs in.

import { createContext, useContext } from "react";
import type { Kore } from "./api";
import type { SessionInfo } from "./types";

export type Tab = "overview" | "grades" | "copy" | "backups" | "history" | "settings";

/** A place in the panel. */
export type Place =
  | { view: "courses"; all?: boolean }
  | { view: "course"; course: string; tab: Tab }
  | { view: "job"; job: string };

/** What differs between JupyterLab and the service's page. */
export interface Host {
  kind: "lab" | "page";
  /** Path of the hub, with a slash at its end. */
  hub: string;
  /** The course whose server this JupyterLab is of; "" elsewhere. */
  course: string;
  /** An address of a place, where the host has such. */
  address: (place: Place) => string | undefined;
  /** Open formgrader of a course. Returns false where a link has to do it. */
  openFormgrader: (course: string) => boolean;
  /** Let the person sign in; settles when it is worth trying again. */
  signIn: () => Promise<void>;
  /** Notify the person that a job ended, wherever they are in JupyterLab. */
  notify: (text: string, good: boolean, place: Place) => void;
}

export interface PanelContext {
  kore: Kore;
  host: Host;
  session: SessionInfo | null;
  place: Place;
  go: (place: Place) => void;
  /** Have screen readers announce a text. */
  announce: (text: string) => void;
  /** Have lists of jobs load again. */
  refreshJobs: () => void;
  /** Grows with each such call. */
  jobsVersion: number;
}

export const Context = createContext<PanelContext | null>(null);

export function usePanel(): PanelContext {
  const around = useContext(Context);
  if (!around) throw new Error("outside the panel");
  return around;
}

export const useKore = (): Kore => usePanel().kore;
