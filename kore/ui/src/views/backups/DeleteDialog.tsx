// Delete a backup.

import { Dialog, DialogActions } from "../../components/Dialog";
import { When } from "../../components/labels";
import { Failure } from "../../components/notices";
import { useKore } from "../../context";
import { useAct } from "../../hooks";
import type { Backup } from "../../types";
import { size, t } from "../../words";

export function DeleteDialog({
  backup,
  onClose,
  onDone,
}: {
  backup: Backup;
  onClose: () => void;
  onDone: () => void;
}) {
  const kore = useKore();
  const { busy, trouble, act } = useAct();
  const go = () =>
    act(async () => {
      await kore.send("DELETE", `backups/${backup.id}`);
      onDone();
    });
  return (
    <Dialog title={t("Delete this backup?")} onClose={onClose}>
      <p>
        {t("Taken")} <When at={backup.taken_at} />, {size(backup.size)}.{" "}
        {t("It cannot be brought back. The course itself stays as it is.")}
      </p>
      {trouble && <Failure trouble={trouble} onRetry={go} />}
      <DialogActions onClose={onClose} onConfirm={go} busy={busy}>
        {t("Delete the backup")}
      </DialogActions>
    </Dialog>
  );
}
