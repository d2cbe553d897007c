// An archive that somebody has as a file, on its way to the backups of a course.

import { useRef } from "react";
import { Failure } from "../../components/notices";
import { useAround } from "../../context";
import { useAct } from "../../hooks";
import type { Course } from "../../types";
import { t } from "../../words";

export function Upload({ course, onDone }: { course: Course; onDone: () => void }) {
  const { kore, say } = useAround();
  const input = useRef<HTMLInputElement>(null);
  const { busy, trouble, act } = useAct();
  const upload = (file: File | undefined) => {
    if (!file) return;
    void act(async () => {
      await kore.send("POST", `backups/upload?course=${course.id}`, file);
      say(t("The archive is uploaded."));
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
        aria-label={t("Archive of a backup")}
        onChange={(event) => {
          upload(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
      {trouble && <Failure trouble={trouble} />}
    </>
  );
}
