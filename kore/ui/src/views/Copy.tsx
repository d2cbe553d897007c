// Copy assignments and problems: from where, what, into what; a plan first.

import { useState } from "react";
import { cellRole } from "../codes";
import { useAround } from "../context";
import { useAct, useGet, useSettled } from "../hooks";
import { Chip, Dialog, Empty, Failure, Loading, Search, Select, Table, When } from "../parts";
import type {
  Collision,
  CopyPlan,
  CopyRequest,
  Course,
  FoundAssignment,
  FoundProblem,
  Job,
  ProblemPreview,
  Source,
} from "../types";
import { n, number, size, t } from "../words";

const PER_PAGE = 20;

/** What is to be copied, in words and for the request. */
interface Chosen {
  words: string;
  source: Source;
  assignment: string | null;
  problem: string | null;
}

export function Copy({ course }: { course: Course }) {
  const [what, setWhat] = useState("assignments");
  const [wanted, setWanted] = useState("");
  const [kind, setKind] = useState("");
  const [page, setPage] = useState(1);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const search = useSettled(wanted.trim());
  const query = { search, kind, page, per_page: PER_PAGE };
  const anew =
    <V,>(set: (value: V) => void) =>
    (value: V) => {
      set(value);
      setPage(1);
    };
  return (
    <section aria-labelledby="kore-copy">
      <h2 id="kore-copy">{t("Copy into this course")}</h2>
      <p className="kore-muted">
        {t(
          "From your other courses and from backups. An archive that you have as a file: upload it under “Backups” first, then choose from it here. What students did is never copied.",
        )}
      </p>
      <div className="kore-filters">
        <Select
          label={t("What")}
          value={what}
          onChange={anew(setWhat)}
          options={[
            ["assignments", t("Whole assignments")],
            ["problems", t("Single problems (notebooks)")],
          ]}
        />
        <Select
          label={t("From")}
          value={kind}
          onChange={anew(setKind)}
          options={[
            ["", t("Courses and backups")],
            ["course", t("Courses")],
            ["backup", t("Backups")],
          ]}
        />
        <Search
          label={what === "problems" ? t("Find a problem") : t("Find an assignment")}
          value={wanted}
          onChange={anew(setWanted)}
        />
      </div>
      {what === "assignments" ? (
        <Assignments course={course} query={query} onPage={setPage} onChoose={setChosen} />
      ) : (
        <Problems course={course} query={query} onPage={setPage} onChoose={setChosen} />
      )}
      {chosen && <CopyDialog course={course} chosen={chosen} onClose={() => setChosen(null)} />}
    </section>
  );
}

interface ListProps {
  course: Course;
  query: { search: string; kind: string; page: number; per_page: number };
  onPage: (page: number) => void;
  onChoose: (chosen: Chosen) => void;
}

function SourceName({ source }: { source: Source }) {
  return (
    <>
      <bdi>{source.title}</bdi>{" "}
      {source.kind === "backup" && (
        <span className="kore-muted">
          {t("Backup")}
          {source.taken_at && (
            <>
              , <When at={source.taken_at} />
            </>
          )}
        </span>
      )}
    </>
  );
}

function Assignments({ course, query, onPage, onChoose }: ListProps) {
  const list = useGet<{ assignments: FoundAssignment[]; total: number }>("assignments", query);
  const found = (list.value?.assignments ?? []).filter(
    (a) => !(a.source.kind === "course" && a.source.id === course.id),
  );
  return (
    <Found list={list} empty={found.length === 0} q={query.search}>
      <Table
        label={t("Assignments to copy")}
        rows={found}
        keyOf={(a) => `${a.source.kind}/${a.source.id}/${a.name}`}
        columns={[
          { title: t("Assignment"), cell: (a) => <bdi>{a.name}</bdi> },
          { title: t("From"), cell: (a) => <SourceName source={a.source} /> },
          { title: t("Notebooks"), number: true, cell: (a) => number(a.notebooks) },
          { title: t("Size"), number: true, cell: (a) => size(a.size) },
          {
            title: t("Copy"),
            cell: (a) => (
              <span className="kore-actions">
                <button
                  type="button"
                  className="kore-button kore-small"
                  aria-label={t("Copy {name}", { name: a.name })}
                  onClick={() =>
                    onChoose({ words: a.name, source: a.source, assignment: a.name, problem: null })
                  }
                >
                  {t("Copy …")}
                </button>
                <button
                  type="button"
                  className="kore-button kore-small"
                  aria-label={t("Copy all assignments of {name}", { name: a.source.title })}
                  onClick={() =>
                    onChoose({
                      words: t("all assignments of {name}", { name: a.source.title }),
                      source: a.source,
                      assignment: null,
                      problem: null,
                    })
                  }
                >
                  {t("All of this source …")}
                </button>
              </span>
            ),
          },
        ]}
      />
      <Pages total={list.value?.total ?? 0} page={query.page} onPage={onPage} />
    </Found>
  );
}

function Problems({ query, onPage, onChoose }: ListProps) {
  const list = useGet<{ problems: FoundProblem[]; total: number }>("problems", query);
  const found = list.value?.problems ?? [];
  const [looked, setLooked] = useState<FoundProblem | null>(null);
  const choose = (p: FoundProblem) =>
    onChoose({
      words: p.title || p.name,
      source: p.source,
      assignment: p.assignment,
      problem: p.name,
    });
  return (
    <Found list={list} empty={found.length === 0} q={query.search}>
      <Table
        label={t("Problems to copy")}
        rows={found}
        keyOf={(p) => `${p.source.kind}/${p.source.id}/${p.assignment}/${p.name}`}
        columns={[
          { title: t("Problem"), cell: (p) => <bdi>{p.title || p.name}</bdi> },
          { title: t("Assignment"), cell: (p) => <bdi>{p.assignment}</bdi> },
          { title: t("From"), cell: (p) => <SourceName source={p.source} /> },
          {
            title: t("Points"),
            number: true,
            cell: (p) => (p.points === null ? "–" : number(p.points)),
          },
          {
            title: t("Copy"),
            cell: (p) => (
              <span className="kore-actions">
                <button
                  type="button"
                  className="kore-button kore-small"
                  aria-label={t("Look at {name}", { name: p.title || p.name })}
                  onClick={() => setLooked(p)}
                >
                  {t("Look at it")}
                </button>
                <button
                  type="button"
                  className="kore-button kore-small"
                  aria-label={t("Copy {name}", { name: p.title || p.name })}
                  onClick={() => choose(p)}
                >
                  {t("Copy …")}
                </button>
              </span>
            ),
          },
        ]}
      />
      <Pages total={list.value?.total ?? 0} page={query.page} onPage={onPage} />
      {looked && (
        <PreviewDialog
          problem={looked}
          onClose={() => setLooked(null)}
          onCopy={() => {
            setLooked(null);
            choose(looked);
          }}
        />
      )}
    </Found>
  );
}

function Found({
  list,
  empty,
  q,
  children,
}: {
  list: ReturnType<typeof useGet>;
  empty: boolean;
  q: string;
  children: React.ReactNode;
}) {
  if (list.trouble) {
    return <Failure trouble={list.trouble} retryIn={list.retryIn} onRetry={list.reload} />;
  }
  if (!list.value) return <Loading />;
  if (!empty) return <>{children}</>;
  return q ? (
    <Empty title={t("Nothing matches your search.")} />
  ) : (
    <Empty title={t("There is nothing to copy yet")}>
      <p>
        {t(
          "Your other courses have no assignments, and you have no backup with some. Upload an archive under “Backups”, if you have one.",
        )}
      </p>
    </Empty>
  );
}

function Pages({
  total,
  page,
  onPage,
}: {
  total: number;
  page: number;
  onPage: (page: number) => void;
}) {
  const last = Math.max(1, Math.ceil(total / PER_PAGE));
  if (last === 1) return null;
  return (
    <nav className="kore-actions" aria-label={t("Pages of the list")}>
      <button
        type="button"
        className="kore-button"
        disabled={page <= 1}
        onClick={() => onPage(page - 1)}
      >
        {t("Before")}
      </button>
      <span role="status">{t("Page {page} of {last}", { page, last })}</span>
      <button
        type="button"
        className="kore-button"
        disabled={page >= last}
        onClick={() => onPage(page + 1)}
      >
        {t("Next")}
      </button>
    </nav>
  );
}

function PreviewDialog({
  problem,
  onClose,
  onCopy,
}: {
  problem: FoundProblem;
  onClose: () => void;
  onCopy: () => void;
}) {
  const preview = useGet<ProblemPreview>("problems/preview", {
    kind: problem.source.kind,
    source: problem.source.id,
    assignment: problem.assignment,
    problem: problem.name,
  });
  return (
    <Dialog title={problem.title || problem.name} onClose={onClose}>
      {preview.trouble && (
        <Failure trouble={preview.trouble} retryIn={preview.retryIn} onRetry={preview.reload} />
      )}
      {!preview.value && !preview.trouble && <Loading />}
      {preview.value && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
        <div className="kore-cells" tabIndex={0} role="region" aria-label={t("Cells")}>
          {preview.value.cells.map((cell, index) => {
            const [words, tone] = cellRole(cell.role);
            return (
              <div key={index} className="kore-cell">
                <p className="kore-chips">
                  <Chip tone={tone}>{words}</Chip>
                  {cell.points !== null && <Chip>{n("{n} point", "{n} points", cell.points)}</Chip>}
                </p>
                <pre className={cell.kind === "code" ? "kore-code" : "kore-text"}>{cell.text}</pre>
              </div>
            );
          })}
          {preview.value.truncated && (
            <p className="kore-muted">{t("It goes on; this is the beginning.")}</p>
          )}
        </div>
      )}
      <p className="kore-actions">
        <button type="button" className="kore-button" onClick={onClose}>
          {t("Close")}
        </button>
        <button type="button" className="kore-button kore-main" onClick={onCopy}>
          {t("Copy …")}
        </button>
      </p>
    </Dialog>
  );
}

function CopyDialog({
  course,
  chosen,
  onClose,
}: {
  course: Course;
  chosen: Chosen;
  onClose: () => void;
}) {
  const { kore, go, jobsChanged } = useAround();
  const [into, setInto] = useState(chosen.assignment ?? "");
  const [collision, setCollision] = useState<Collision>("keep_both");
  const [plan, setPlan] = useState<CopyPlan | null>(null);
  const { busy, trouble, act, clear } = useAct();
  const request: CopyRequest = {
    from: { kind: chosen.source.kind, id: chosen.source.id },
    assignment: chosen.assignment,
    problem: chosen.problem,
    into: chosen.problem ? into.trim() : null,
    collision,
  };
  const look = () =>
    act(async () => {
      setPlan(await kore.send<CopyPlan>("POST", `courses/${course.id}/copies/plan`, request));
    });
  const copy = () =>
    act(async () => {
      const job = await kore.send<Job>("POST", `courses/${course.id}/copies`, request);
      jobsChanged();
      go({ view: "job", job: job.id });
    });
  const there = plan?.items.filter((item) => item.exists) ?? [];
  return (
    <Dialog title={t("Copy {name}?", { name: chosen.words })} onClose={onClose}>
      <p>
        {t("From")}: <SourceName source={chosen.source} />
      </p>
      {chosen.problem && !plan && (
        <div className="kore-field">
          <label htmlFor="kore-into">{t("Into which assignment of this course")}</label>
          <input
            id="kore-into"
            className="kore-input"
            list="kore-targets"
            value={into}
            onChange={(event) => {
              clear();
              setInto(event.target.value);
            }}
          />
          <datalist id="kore-targets">
            {course.assignments.map((a) => (
              <option key={a.name} value={a.name} />
            ))}
          </datalist>
          <p className="kore-muted">{t("A new name makes a new assignment.")}</p>
        </div>
      )}
      {plan && (
        <>
          <p>
            {n("{n} item is copied, {size}.", "{n} items are copied, {size}.", plan.items.length, {
              size: size(plan.size),
            })}
          </p>
          {there.length > 0 && (
            <fieldset className="kore-field">
              <legend>
                {n(
                  "{n} of that name is in this course already:",
                  "{n} of those names are in this course already:",
                  there.length,
                )}
              </legend>
              <ul>
                {there.slice(0, 8).map((item) => (
                  <li key={`${item.target}/${item.problem ?? ""}`}>
                    <bdi>{item.problem ?? item.target}</bdi>
                  </li>
                ))}
              </ul>
              {(
                [
                  ["keep_both", t("Keep both: the copy gets another name")],
                  ["replace", t("Replace what is here; a backup of it is made first")],
                  ["refuse", t("Do not copy")],
                ] as [Collision, string][]
              ).map(([value, words]) => (
                <label key={value} className="kore-check">
                  <input
                    type="radio"
                    name="kore-collision"
                    checked={collision === value}
                    onChange={() => setCollision(value)}
                  />
                  <span>{words}</span>
                </label>
              ))}
              {collision === "keep_both" && (
                <p className="kore-muted">
                  {t("New name: {name}", { name: there.map((i) => i.keep_both).join(", ") })}
                </p>
              )}
            </fieldset>
          )}
        </>
      )}
      {trouble && <Failure trouble={trouble} onRetry={plan ? copy : look} />}
      <p className="kore-actions">
        <button type="button" className="kore-button" onClick={onClose}>
          {t("Cancel")}
        </button>
        {plan ? (
          <button
            type="button"
            className="kore-button kore-main"
            disabled={busy || (there.length > 0 && collision === "refuse")}
            onClick={copy}
          >
            {busy ? t("One moment …") : t("Copy")}
          </button>
        ) : (
          <button
            type="button"
            className="kore-button kore-main"
            disabled={busy || (chosen.problem !== null && !into.trim())}
            onClick={look}
          >
            {busy ? t("One moment …") : t("Continue")}
          </button>
        )}
      </p>
    </Dialog>
  );
}
