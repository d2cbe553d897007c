// What there is to copy: lists of assignments and of problems, in pages.

import { type ReactNode, useState } from "react";
import { Empty, Failure, Loading } from "../../components/notices";
import { Pages, Table } from "../../components/Table";
import { useGet } from "../../hooks";
import type { Course, FoundAssignment, FoundProblem } from "../../types";
import { number, size, t } from "../../words";
import type { Chosen } from "./CopyDialog";
import { PreviewDialog } from "./PreviewDialog";
import { SourceName } from "./SourceName";

export const PER_PAGE = 20;

interface ListProps {
  course: Course;
  query: { search: string; kind: string; page: number; per_page: number };
  onPage: (page: number) => void;
  onChoose: (chosen: Chosen) => void;
}

export function Assignments({ course, query, onPage, onChoose }: ListProps) {
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
      <Pages total={list.value?.total ?? 0} perPage={PER_PAGE} page={query.page} onPage={onPage} />
    </Found>
  );
}

export function Problems({ query, onPage, onChoose }: ListProps) {
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
      <Pages total={list.value?.total ?? 0} perPage={PER_PAGE} page={query.page} onPage={onPage} />
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
  children: ReactNode;
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
