// A problem's cells, to look at before it is copied.

import { cellRole } from "../../codes";
import { Dialog } from "../../components/Dialog";
import { Chip } from "../../components/labels";
import { LoadedContent } from "../../components/notices";
import { useGet } from "../../hooks";
import { n, t } from "../../i18n";
import type { FoundProblem, ProblemPreview } from "../../types";

export function PreviewDialog({
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
      <LoadedContent from={preview}>
        {(value) => (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
          <div className="kore-cells" tabIndex={0} role="region" aria-label={t("Cells")}>
            {value.cells.map((cell, index) => {
              const [label, tone] = cellRole(cell.role);
              return (
                <div key={index} className="kore-cell">
                  <p className="kore-chips">
                    <Chip tone={tone}>{label}</Chip>
                    {cell.points !== null && (
                      <Chip>{n("{n} point", "{n} points", cell.points)}</Chip>
                    )}
                  </p>
                  <pre className={cell.kind === "code" ? "kore-code" : "kore-text"}>
                    {cell.text}
                  </pre>
                </div>
              );
            })}
            {value.truncated && (
              <p className="kore-muted">{t("This is only the beginning of the notebook.")}</p>
            )}
          </div>
        )}
      </LoadedContent>
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
