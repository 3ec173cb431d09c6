// Modal dialogs: the browser keeps the focus inside and closes them on Esc.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { CloseIcon } from "../ui/icons";

interface DialogProps {
  title: string;
  close(): void;
  children: ComponentChildren;
}

export function Dialog({ title, close, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-label={title} onClose={close}>
      <header>
        <h2>{title}</h2>
        <button type="button" class="tool" aria-label="Close" onClick={close}>
          <CloseIcon />
        </button>
      </header>
      {children}
    </dialog>
  );
}

interface FormDialogProps extends DialogProps {
  /** On the button that does it. */
  verb: string;
  /** Whether it can be done as it is filled in. */
  ready?: boolean;
  /** Does it; the dialog closes when that succeeded. */
  submit(): Promise<boolean>;
}

/** A dialog that asks for what is needed to do something. */
export function FormDialog(props: FormDialogProps) {
  const { title, close, children, verb, ready = true, submit } = props;
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (ready && (await submit())) close();
  };
  return (
    <Dialog title={title} close={close}>
      <form onSubmit={onSubmit}>
        {children}
        <div class="actions">
          <button type="button" class="secondary" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={!ready}>
            {verb}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
