// Settings of a course that lie in its nbgrader_config.py, as a form.

import { useState } from "react";
import { Checkbox, Field, TextField } from "../components/fields";
import { Failure, LoadedContent, Notice } from "../components/notices";
import { usePanel } from "../context";
import { useAction, useGet } from "../hooks";
import { joinNames, t } from "../i18n";
import type { CourseDetail, CourseSettings } from "../types";

/** Unsaved changes and what they began from, by course: they outlive the view. */
const drafts = new Map<string, { base: CourseSettings; now: CourseSettings }>();

/** Return the settings as they are now with a draft's changes: others may have saved. */
function mergeDraft<T>(fresh: T, base: T, now: T): T {
  if (typeof fresh !== "object" || fresh === null || Array.isArray(fresh)) {
    return JSON.stringify(now) === JSON.stringify(base) ? fresh : now;
  }
  const keys = Object.keys(fresh) as (keyof T)[];
  return Object.fromEntries(
    keys.map((key) => [key, mergeDraft(fresh[key], base[key], now[key])]),
  ) as T;
}

const same = (one: CourseSettings, other: CourseSettings) =>
  JSON.stringify(one) === JSON.stringify(other);

export function SettingsView({ course }: { course: CourseDetail }) {
  const found = useGet<CourseSettings>(`courses/${course.id}/settings`);
  return (
    <LoadedContent from={found} lines={8}>
      {(value) => (
        <Form key={JSON.stringify(value)} course={course} before={value} reload={found.reload} />
      )}
    </LoadedContent>
  );
}

function Form({
  course,
  before,
  reload,
}: {
  course: CourseDetail;
  before: CourseSettings;
  reload: () => void;
}) {
  const { kore, announce } = usePanel();
  const [stored, setStored] = useState(before);
  const [now, setNow] = useState(() => {
    const draft = drafts.get(course.id);
    return draft ? mergeDraft(before, draft.base, draft.now) : before;
  });
  const [saved, setSaved] = useState(false);
  const { busy, error, act } = useAction();
  const put = (next: CourseSettings, base = stored) => {
    if (same(next, base)) drafts.delete(course.id);
    else drafts.set(course.id, { base, now: next });
    setNow(next);
  };
  const change = (part: Partial<CourseSettings>) => {
    setSaved(false);
    put({ ...now, ...part });
  };
  const save = () =>
    act(async () => {
      const answer = await kore.send<CourseSettings>("PUT", `courses/${course.id}/settings`, now);
      setStored(answer);
      put(answer, answer);
      setSaved(true);
      announce(t("Settings saved."));
    });
  return (
    <form
      className="kore-form"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <p className="kore-muted">
        {t(
          "These settings are in the course’s nbgrader_config.py. Everything else in that file stays as it is.",
        )}
      </p>
      {now.computed.length > 0 && (
        <Notice tone="warn" title={t("The file computes some of these settings")}>
          <p>
            {t("These values may not be in effect: {names}.", {
              names: joinNames(now.computed),
            })}
          </p>
        </Notice>
      )}
      <fieldset>
        <legend>{t("Feedback for students")}</legend>
        <Checkbox
          label={t("Show hidden tests in the feedback")}
          checked={now.feedback.show_hidden_tests}
          onChange={(v) => change({ feedback: { ...now.feedback, show_hidden_tests: v } })}
        />
        <Checkbox
          label={t("Rerun the notebook for the feedback")}
          checked={now.feedback.run_again}
          onChange={(v) => change({ feedback: { ...now.feedback, run_again: v } })}
        />
      </fieldset>
      <fieldset>
        <legend>{t("Solutions")}</legend>
        <TextField
          label={t("A solution begins with the line")}
          hint={t("Everything between these two lines is removed from the students’ version.")}
          value={now.solution.begin}
          onChange={(v) => change({ solution: { ...now.solution, begin: v } })}
          mono
        />
        <TextField
          label={t("A solution ends with the line")}
          value={now.solution.end}
          onChange={(v) => change({ solution: { ...now.solution, end: v } })}
          mono
        />
        <Field label={t("Code stub for students (Python)")}>
          {(id) => (
            <textarea
              id={id}
              className="kore-input kore-mono"
              rows={3}
              spellCheck={false}
              value={now.code_stub.python}
              onChange={(event) => change({ code_stub: { python: event.target.value } })}
            />
          )}
        </Field>
      </fieldset>
      {error && (
        <Failure error={error} onRetry={error.code === "config_changed" ? reload : undefined} />
      )}
      <p className="kore-actions">
        <button
          type="submit"
          className="kore-button kore-main"
          disabled={busy || same(now, stored)}
        >
          {busy ? t("Please wait …") : t("Save")}
        </button>
        <button
          type="button"
          className="kore-button"
          disabled={busy || same(now, stored)}
          onClick={() => put(stored)}
        >
          {t("Discard changes")}
        </button>
        <span className="kore-muted">{saved ? t("Saved.") : ""}</span>
      </p>
    </form>
  );
}
