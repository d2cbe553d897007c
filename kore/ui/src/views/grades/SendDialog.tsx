// Send grades to the LMS: how many, and what that does there.

import { Dialog, DialogActions } from "../../components/Dialog";
import { Failure } from "../../components/notices";
import { useStartJob } from "../../hooks";
import { n, t } from "../../i18n";

export function SendDialog({
  course,
  count,
  held,
  resend,
  onClose,
}: {
  course: string;
  count: number;
  held: number;
  resend: boolean;
  onClose: () => void;
}) {
  const { busy, error, start } = useStartJob();
  const send = () => start("grades", { course, resend, users: null });
  return (
    <Dialog
      title={n("Send {n} grade to the LMS?", "Send {n} grades to the LMS?", count)}
      onClose={onClose}
    >
      <p>
        {n(
          "{n} student gets points in the LMS gradebook.",
          "{n} students get points in the LMS gradebook.",
          count,
        )}{" "}
        {resend && t("This overwrites what teachers changed there by hand.")}
      </p>
      {held > 0 && (
        <p>
          {n(
            "{n} student is held back and keeps the points that the LMS has.",
            "{n} students are held back and keep the points that the LMS has.",
            held,
          )}
        </p>
      )}
      {error && <Failure error={error} onRetry={send} />}
      <DialogActions onClose={onClose} onConfirm={send} busy={busy}>
        {n("Send {n} grade", "Send {n} grades", count)}
      </DialogActions>
    </Dialog>
  );
}
