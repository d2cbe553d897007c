// Lists of assignments and problems that can be copied, in pages.

import { type ReactNode, useState } from "react";
import { Empty, Failure, Loading } from "../../components/notices";
import { Pages, Table } from "../../components/Table";
import { type Loaded, useGet, usePrevious } from "../../hooks";
import { number, size, t } from "../../i18n";
import type { CourseDetail, FoundAssignment, FoundProblem } from "../../types";
import type { Selection } from "./CopyDialog";
import { PreviewDialog } from "./PreviewDialog";
import { SourceName } from "./SourceName";

export const PER_PAGE = 20;

/** The search, and which page of its results. */
interface Query {
  search: string;
  kind: string;
  page: number;
  per_page: number;
  [name: string]: string | number;
}

interface ListProps {
  course: CourseDetail;
  query: Query;
  onPage: (page: number) => void;
  onChoose: (selection: Selection) => void;
}

export function Assignments({ course, query, onPage, onChoose }: ListProps) {
  const list = useGet<{ assignments: FoundAssignment[]; total: number }>("assignments", {
    ...query,
    without: course.id,
  });
  return (
    <ResultPage list={list} query={query} onPage={onPage}>
      {({ assignments }) => (
        <Table
          label={t("Assignments to copy")}
          rows={assignments}
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
                    aria-label={t("Copy {name} from {source}", {
                      name: a.name,
                      source: a.source.title,
                    })}
                    onClick={() =>
                      onChoose({
                        title: t("Copy {name}?", { name: a.name }),
                        source: a.source,
                        assignment: a.name,
                        problem: null,
                      })
                    }
                  >
                    {t("Copy …")}
                  </button>
                  <button
                    type="button"
                    className="kore-button kore-small"
                    aria-label={t("Copy all assignments from {name}", { name: a.source.title })}
                    onClick={() =>
                      onChoose({
                        title: t("Copy all assignments from {name}?", { name: a.source.title }),
                        source: a.source,
                        assignment: null,
                        problem: null,
                      })
                    }
                  >
                    {t("Copy all from there …")}
                  </button>
                </span>
              ),
            },
          ]}
        />
      )}
    </ResultPage>
  );
}

export function Problems({ query, onPage, onChoose }: ListProps) {
  const list = useGet<{ problems: FoundProblem[]; total: number }>("problems", query);
  const [previewed, setPreviewed] = useState<FoundProblem | null>(null);
  const choose = (p: FoundProblem) =>
    onChoose({
      title: t("Copy {name}?", { name: p.title || p.name }),
      source: p.source,
      assignment: p.assignment,
      problem: p.name,
    });
  return (
    <>
      <ResultPage list={list} query={query} onPage={onPage}>
        {({ problems }) => (
          <Table
            label={t("Problems to copy")}
            rows={problems}
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
                      aria-label={t("Preview {name}", { name: p.title || p.name })}
                      onClick={() => setPreviewed(p)}
                    >
                      {t("Preview")}
                    </button>
                    <button
                      type="button"
                      className="kore-button kore-small"
                      aria-label={t("Copy {name} from {source}", {
                        name: p.title || p.name,
                        source: p.source.title,
                      })}
                      onClick={() => choose(p)}
                    >
                      {t("Copy …")}
                    </button>
                  </span>
                ),
              },
            ]}
          />
        )}
      </ResultPage>
      {previewed && (
        <PreviewDialog
          problem={previewed}
          onClose={() => setPreviewed(null)}
          onCopy={() => {
            setPreviewed(null);
            choose(previewed);
          }}
        />
      )}
    </>
  );
}

/** A page of a list. The one before stays in sight, and the way through, until it is there. */
function ResultPage<T extends { total: number }>({
  list,
  query,
  onPage,
  children,
}: {
  list: Loaded<T>;
  query: Query;
  onPage: (page: number) => void;
  children: (page: T) => ReactNode;
}) {
  const page = usePrevious(list.value);
  return (
    <>
      {list.error && <Failure error={list.error} retryIn={list.retryIn} onRetry={list.reload} />}
      {page?.total ? (
        <div className="kore-page" aria-busy={list.value === undefined}>
          {children(page)}
          <Pages total={page.total} perPage={PER_PAGE} page={query.page} onPage={onPage} />
        </div>
      ) : page && list.value ? (
        <NoResults query={query} />
      ) : (
        !list.error && <Loading />
      )}
    </>
  );
}

function NoResults({ query }: { query: Query }) {
  if (query.search) return <Empty title={t("Nothing matches your search.")} />;
  return (
    <Empty title={t("Nothing to copy yet")}>
      <p>
        {query.kind
          ? t("Under “From”, choose “Courses and backups” to see everything.")
          : t(
              "Neither your other courses nor your backups have assignments. If you have an archive, upload it under “Backups”.",
            )}
      </p>
    </Empty>
  );
}
