// What a copy would do, what is in its way, and the copy itself.

import { useState } from "react";
import { Dialog, DialogActions } from "../../components/Dialog";
import { Choice, Field } from "../../components/fields";
import { Failure } from "../../components/notices";
import { useKore } from "../../context";
import { useAct, useStartJob } from "../../hooks";
import type { Collision, CopyPlan, CopyRequest, Course, Source } from "../../types";
import { n, size, t } from "../../words";
import { SourceName } from "./SourceName";

/** What is to be copied, in words and for the request. */
export interface Chosen {
  words: string;
  source: Source;
  assignment: string | null;
  problem: string | null;
}

export function CopyDialog({
  course,
  chosen,
  onClose,
}: {
  course: Course;
  chosen: Chosen;
  onClose: () => void;
}) {
  const kore = useKore();
  const [into, setInto] = useState(chosen.assignment ?? "");
  const [collision, setCollision] = useState<Collision>("keep_both");
  const [plan, setPlan] = useState<CopyPlan | null>(null);
  const looking = useAct();
  const copying = useStartJob();
  const { busy, trouble } = plan ? copying : looking;
  const request: CopyRequest = {
    from: { kind: chosen.source.kind, id: chosen.source.id },
    assignment: chosen.assignment,
    problem: chosen.problem,
    into: chosen.problem ? into.trim() : null,
    collision,
  };
  const look = () =>
    looking.act(async () => {
      setPlan(await kore.send<CopyPlan>("POST", `courses/${course.id}/copies/plan`, request));
    });
  const copy = () => copying.start(`courses/${course.id}/copies`, request);
  const there = plan?.items.filter((item) => item.exists) ?? [];
  return (
    <Dialog title={t("Copy {name}?", { name: chosen.words })} onClose={onClose}>
      <p>
        {t("From")}: <SourceName source={chosen.source} />
      </p>
      {chosen.problem && !plan && (
        <Field
          label={t("Into which assignment of this course")}
          hint={t("A new name makes a new assignment.")}
        >
          {(id, describedBy) => (
            <>
              <input
                id={id}
                aria-describedby={describedBy}
                className="kore-input"
                list={`${id}-there`}
                value={into}
                onChange={(event) => {
                  looking.clear();
                  setInto(event.target.value);
                }}
              />
              <datalist id={`${id}-there`}>
                {course.assignments.map((a) => (
                  <option key={a.name} value={a.name} />
                ))}
              </datalist>
            </>
          )}
        </Field>
      )}
      {plan && (
        <>
          <p>
            {n("{n} item is copied, {size}.", "{n} items are copied, {size}.", plan.items.length, {
              size: size(plan.size),
            })}
          </p>
          {there.length > 0 && (
            <Choice
              legend={n(
                "{n} of that name is in this course already:",
                "{n} of those names are in this course already:",
                there.length,
              )}
              value={collision}
              onChange={setCollision}
              options={[
                ["keep_both", t("Keep both: the copy gets another name")],
                ["replace", t("Replace what is here; a backup of it is made first")],
                ["refuse", t("Do not copy")],
              ]}
            >
              <ul>
                {there.slice(0, 8).map((item) => (
                  <li key={`${item.target}/${item.problem ?? ""}`}>
                    <bdi>{item.problem ?? item.target}</bdi>
                  </li>
                ))}
              </ul>
            </Choice>
          )}
          {there.length > 0 && collision === "keep_both" && (
            <p className="kore-muted">
              {t("New name: {name}", { name: there.map((i) => i.keep_both).join(", ") })}
            </p>
          )}
        </>
      )}
      {trouble && <Failure trouble={trouble} onRetry={plan ? copy : look} />}
      <DialogActions
        onClose={onClose}
        onConfirm={plan ? copy : look}
        busy={busy}
        disabled={
          plan
            ? there.length > 0 && collision === "refuse"
            : chosen.problem !== null && !into.trim()
        }
      >
        {plan ? t("Copy") : t("Continue")}
      </DialogActions>
    </Dialog>
  );
}
