// Upload of an archive as a backup of a course.

import { useRef, useState } from "react";
import { ApiError, toApiError } from "../../api";
import { Failure } from "../../components/notices";
import { usePanel } from "../../context";
import { useAction } from "../../hooks";
import { percent, size, t } from "../../i18n";

/** `left` is how many bytes the course's backups may still take, where that is known. */
export function Upload({
  course,
  left,
  onDone,
}: {
  course: string;
  left: number | undefined;
  onDone: () => void;
}) {
  const { kore, announce } = usePanel();
  const input = useRef<HTMLInputElement>(null);
  const stopping = useRef<AbortController | null>(null);
  const [file, setFile] = useState<File | null>(null);
  const [gone, setGone] = useState(0);
  const { busy, error, act } = useAction();
  const upload = (archive: File) => {
    const stop = new AbortController();
    stopping.current = stop;
    setFile(archive);
    setGone(0);
    void act(async () => {
      if (left !== undefined && archive.size > left) throw noRoomFor(archive.size, left);
      // It goes on while one looks at another view; who closes the tab would lose the rest.
      const askFirst = (event: BeforeUnloadEvent) => event.preventDefault();
      window.addEventListener("beforeunload", askFirst);
      try {
        await kore.upload(`backups/upload?course=${course}`, archive, setGone, stop.signal);
      } catch (error) {
        if (!stop.signal.aborted) {
          // The person may be in another view by now.
          announce(toApiError(error).message);
          throw error;
        }
        announce(t("The upload was stopped. Nothing was stored."));
        return;
      } finally {
        window.removeEventListener("beforeunload", askFirst);
      }
      announce(t("The archive was uploaded."));
      onDone();
    });
  };
  return (
    <>
      <button
        type="button"
        className="kore-button"
        disabled={busy}
        onClick={() => input.current?.click()}
      >
        {busy ? t("Uploading …") : t("Upload a backup …")}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".tar"
        aria-label={t("Backup archive")}
        onChange={(event) => {
          const [selection] = event.target.files ?? [];
          if (selection) upload(selection);
          event.target.value = "";
        }}
      />
      {busy && file && (
        <div className="kore-upload">
          <progress aria-label={t("Progress")} value={gone} />
          <span>
            {gone < 1
              ? t("{percent} of {size}", {
                  percent: percent(Math.floor(100 * gone) / 100),
                  size: size(file.size),
                })
              : t("The archive is being checked.")}
          </span>
          <button
            type="button"
            className="kore-button kore-small"
            onClick={() => stopping.current?.abort()}
          >
            {t("Stop")}
          </button>
        </div>
      )}
      {error && (
        <Failure
          error={error}
          onRetry={error.recovery === "none" || !file ? undefined : () => upload(file)}
        />
      )}
    </>
  );
}

const noRoomFor = (has: number, left: number) =>
  new ApiError(
    t("The archive is {size}. Backups of this course can use {left} more.", {
      size: size(has),
      left: size(left),
    }),
    t("Delete backups that you no longer need, or ask the administrator for more space."),
    "none",
  );
