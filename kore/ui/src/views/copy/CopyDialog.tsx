// Dialog to copy: the plan, name conflicts, and the start of the job.

import { useState } from "react";
import { Dialog, DialogActions } from "../../components/Dialog";
import { Checkbox, RadioGroup, TextField } from "../../components/fields";
import { Failure } from "../../components/notices";
import { useKore } from "../../context";
import { useAction, useStartJob } from "../../hooks";
import { n, size, t } from "../../i18n";
import type { CopyItem, CopyPlan, CopyRequest, CourseDetail, Source } from "../../types";
import { SourceName } from "./SourceName";

const MAX_NAMES = 8;

/** What was selected for copying. */
export interface Selection {
  title: string;
  source: Source;
  assignment: string | null;
  problem: string | null;
}

export function CopyDialog({
  course,
  selection,
  onClose,
}: {
  course: CourseDetail;
  selection: Selection;
  onClose: () => void;
}) {
  const kore = useKore();
  const [into, setInto] = useState(selection.assignment ?? "");
  const [collision, setCollision] = useState<CopyRequest["collision"]>("keep_both");
  const [plan, setPlan] = useState<CopyPlan | null>(null);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const looking = useAction();
  const copying = useStartJob();
  const { busy, error } = plan ? copying : looking;
  const request: CopyRequest = {
    from: { kind: selection.source.kind, id: selection.source.id },
    assignment: selection.assignment,
    assignments: null,
    problem: selection.problem,
    into: selection.problem ? into.trim() : null,
    collision,
  };
  const items = plan?.items.filter((item) => !left.has(item.assignment)) ?? [];
  const there = items.filter((item) => item.exists);
  const look = () =>
    looking.act(async () => {
      setPlan(await kore.send<CopyPlan>("POST", `courses/${course.id}/copies/plan`, request));
    });
  const copy = () =>
    copying.start(`courses/${course.id}/copies`, {
      ...request,
      assignments: left.size ? items.map((item) => item.assignment) : null,
    });
  return (
    <Dialog title={selection.title} onClose={onClose}>
      <p>
        {t("From")}: <SourceName source={selection.source} />
      </p>
      {selection.problem && !plan && (
        <TextField
          label={t("Assignment in this course")}
          hint={t("A new name creates a new assignment.")}
          suggestions={course.assignments.map((each) => each.name)}
          value={into}
          onChange={(name) => {
            looking.clear();
            setInto(name);
          }}
        />
      )}
      {plan && plan.items.length > 1 && (
        <AssignmentChoice items={plan.items} left={left} onChange={setLeft} />
      )}
      {plan && (
        <p role="status">
          {items.length === 0
            ? t("Nothing is selected.")
            : n("{n} item to copy, {size}.", "{n} items to copy, {size}.", items.length, {
                size: size(items.reduce((sum, item) => sum + item.size, 0)),
              })}
        </p>
      )}
      {there.length > 0 && (
        <NameConflicts there={there} value={collision} onChange={setCollision} />
      )}
      {error && <Failure error={error} onRetry={plan ? copy : look} />}
      <DialogActions
        onClose={onClose}
        onConfirm={plan ? copy : look}
        busy={busy}
        disabled={plan ? items.length === 0 : selection.problem !== null && !into.trim()}
      >
        {plan ? t("Copy") : t("Continue")}
      </DialogActions>
    </Dialog>
  );
}

/** Which of a source's assignments are copied: all, but for those that are left out. */
function AssignmentChoice({
  items,
  left,
  onChange,
}: {
  items: CopyItem[];
  left: ReadonlySet<string>;
  onChange: (left: ReadonlySet<string>) => void;
}) {
  const names = items.map((item) => item.assignment);
  return (
    <fieldset className="kore-field">
      <legend>{t("Which assignments")}</legend>
      <Checkbox
        label={t("All of them")}
        checked={left.size === 0}
        onChange={(all) => onChange(new Set(all ? [] : names))}
      />
      <div className="kore-choices">
        {items.map(({ assignment, exists }) => (
          <Checkbox
            key={assignment}
            label={
              exists
                ? t("{name} (name already in use in this course)", { name: assignment })
                : assignment
            }
            checked={!left.has(assignment)}
            onChange={(taken) =>
              onChange(
                new Set(names.filter((name) => (name === assignment ? !taken : left.has(name)))),
              )
            }
          />
        ))}
      </div>
    </fieldset>
  );
}

function NameConflicts({
  there,
  value,
  onChange,
}: {
  there: CopyItem[];
  value: CopyRequest["collision"];
  onChange: (value: CopyRequest["collision"]) => void;
}) {
  return (
    <>
      <RadioGroup
        legend={n(
          "{n} name is already in use in this course:",
          "{n} names are already in use in this course:",
          there.length,
        )}
        value={value}
        onChange={onChange}
        options={[
          ["keep_both", t("Keep both: the copy gets a new name")],
          ["replace", t("Replace the existing content after backing it up")],
        ]}
      >
        <ul>
          {there.slice(0, MAX_NAMES).map((item) => (
            <li key={`${item.target}/${item.problem ?? ""}`}>
              <bdi>{item.problem ?? item.target}</bdi>
            </li>
          ))}
        </ul>
      </RadioGroup>
      {value === "keep_both" && (
        <p className="kore-muted">
          {t("New name: {name}", { name: there.map((i) => i.keep_both).join(", ") })}
        </p>
      )}
    </>
  );
}
