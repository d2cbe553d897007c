// What stands instead of content: what went wrong, that there is nothing, that it comes.

import type { ReactNode } from "react";
import type { ApiError } from "../api";
import type { Tone } from "../codes";
import { usePanel } from "../context";
import type { Loaded } from "../hooks";
import { n, t } from "../i18n";

export function Notice({
  tone,
  title,
  children,
  live = false,
}: {
  tone: Tone;
  title: string;
  children?: ReactNode;
  live?: boolean;
}) {
  return (
    <div className={`kore-notice kore-tone-${tone}`} role={live ? "alert" : undefined}>
      <p className="kore-notice-title">{title}</p>
      {children}
    </div>
  );
}

/** Whether the same request may pass another time: not where something in it is wrong. */
const canRetry = ({ status }: ApiError) =>
  status < 400 || status >= 500 || [404, 408, 409, 429].includes(status);

/** What went wrong, and the way on. */
export function Failure({
  error,
  retryIn = 0,
  onRetry,
}: {
  error: ApiError;
  retryIn?: number;
  onRetry?: () => void;
}) {
  const { host } = usePanel();
  return (
    <Notice tone="bad" title={error.message} live>
      {error.hint && <p>{error.hint}</p>}
      {retryIn > 0 && (
        <p>{n("Trying again in {n} second.", "Trying again in {n} seconds.", retryIn)}</p>
      )}
      {error.recovery === "sign-in" ? (
        <p className="kore-actions">
          <button
            type="button"
            className="kore-button"
            onClick={() => void host.signIn().then(() => onRetry?.())}
          >
            {t("Sign in again")}
          </button>
        </p>
      ) : (
        onRetry &&
        canRetry(error) && (
          <p className="kore-actions">
            <button type="button" className="kore-button" onClick={onRetry}>
              {retryIn > 0 ? t("Try now") : t("Try again")}
            </button>
          </p>
        )
      )}
    </Notice>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="kore-card kore-empty">
      <p className="kore-notice-title">{title}</p>
      {children}
    </div>
  );
}

/** The room that a table will take, while it is loaded. */
export function Loading({ lines = 5 }: { lines?: number }) {
  return (
    <div className="kore-loading" role="status" aria-label={t("Loading")}>
      {Array.from({ length: lines }, (_, index) => (
        <div key={index} className="kore-skeleton" />
      ))}
    </div>
  );
}

/** Something that is loaded, with its failure above; what was there stays meanwhile. */
export function LoadedContent<T>({
  from,
  lines,
  children,
}: {
  from: Loaded<T>;
  lines?: number;
  children: (value: T) => ReactNode;
}) {
  const { value, error, retryIn, reload } = from;
  return (
    <>
      {error && <Failure error={error} retryIn={retryIn} onRetry={reload} />}
      {value !== undefined ? children(value) : !error && <Loading lines={lines} />}
    </>
  );
}
