// Delete a backup.

import { Dialog, DialogActions } from "../../components/Dialog";
import { Moment } from "../../components/labels";
import { Failure } from "../../components/notices";
import { useKore } from "../../context";
import { useAction } from "../../hooks";
import { size, t } from "../../i18n";
import type { BackupInfo } from "../../types";

export function DeleteDialog({
  backup,
  onClose,
  onDone,
}: {
  backup: BackupInfo;
  onClose: () => void;
  onDone: () => void;
}) {
  const kore = useKore();
  const { busy, error, act } = useAction();
  const go = () =>
    act(async () => {
      await kore.send("DELETE", `backups/${backup.id}`);
      onDone();
    });
  return (
    <Dialog title={t("Delete this backup?")} onClose={onClose}>
      <p>
        {t("Created")} <Moment at={backup.taken_at} />, {size(backup.size)}.{" "}
        {t("This cannot be undone. The course itself does not change.")}
      </p>
      {error && <Failure error={error} onRetry={go} />}
      <DialogActions onClose={onClose} onConfirm={go} busy={busy}>
        {t("Delete the backup")}
      </DialogActions>
    </Dialog>
  );
}
