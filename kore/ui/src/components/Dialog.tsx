// Dialogs: above everything, left with Escape or by their buttons.

import { type ReactNode, useEffect, useId, useRef } from "react";
import { t } from "../i18n";

/** A dialog above everything; focus comes back to where it was. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const box = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const dialog = box.current!;
    if (!dialog.open) dialog.showModal();
    const around = dialog.closest<HTMLElement>(".kore-main-area");
    return () => {
      dialog.close();
      // What it was opened from may have gone from the list behind.
      (before?.isConnected ? before : around)?.focus();
    };
  }, []);
  return (
    <dialog
      ref={box}
      className="kore-dialog"
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={heading}>{title}</h2>
      {children}
    </dialog>
  );
}

/** The two ways out of a dialog: back, and the one that does it. */
export function DialogActions({
  onClose,
  onConfirm,
  busy = false,
  disabled = false,
  children,
}: {
  onClose: () => void;
  onConfirm: () => void;
  busy?: boolean;
  disabled?: boolean;
  children: ReactNode;
}) {
  return (
    <p className="kore-actions">
      <button type="button" className="kore-button" onClick={onClose}>
        {t("Cancel")}
      </button>
      <button
        type="button"
        className="kore-button kore-main"
        disabled={busy || disabled}
        onClick={onConfirm}
      >
        {busy ? t("Please wait …") : children}
      </button>
    </p>
  );
}
