// A button that asks before it does something that cannot be taken back; for the gravest ones a name has to be
// typed. The browser's own modal dialog keeps the focus inside and gives it back. Leaves out undoing.
import { useEffect, useId, useRef, useState, type FormEvent } from 'react';
import { useAction } from './hooks';
import { Field, PasswordField, Problem } from './parts';

interface ConfirmProps {
  /** The word on the button, in both places. */
  label: string;
  /** What it concerns, spoken with the word: “Revoke deploy key”. */
  about?: string;
  title: string;
  text: string;
  /** Has to be typed before the button works. */
  typed?: string;
  /** Ask for the password and hand it to `act`. */
  password?: boolean;
  act: (password: string) => Promise<unknown>;
  /** After it went well and the dialog is gone. */
  done?: () => void;
}

export function Confirm(props: ConfirmProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="danger" aria-label={`${props.label} ${props.about ?? ''}`.trim()} onClick={() => setOpen(true)}>
        {props.label}
      </button>
      {open && <Asking {...props} close={() => setOpen(false)} />}
    </>
  );
}

function Asking({ label, title, text, typed, password, act, done, close }: ConfirmProps & { close: () => void }) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const action = useAction();
  const [name, setName] = useState('');
  const [secret, setSecret] = useState('');
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  // Closing the element, rather than only removing it, is what gives the focus back to the button behind it.
  const leave = (): void => dialog.current?.close();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!(await action.run(() => act(secret)))) return;
    leave();
    done?.();
  };
  return (
    <dialog ref={dialog} aria-labelledby={`${id}-title`} aria-describedby={`${id}-text`} onClose={close}>
      <form onSubmit={(event) => void submit(event)}>
        <h2 id={`${id}-title`}>{title}</h2>
        <p id={`${id}-text`}>{text}</p>
        {typed !== undefined && (
          <Field label={`Type “${typed}” to confirm`} value={name} onValue={setName} autoComplete="off" autoCapitalize="none" spellCheck={false} autoFocus />
        )}
        {password === true && <PasswordField label="Your password" optional hint="Leave it empty if you have none." value={secret} onValue={setSecret} autoComplete="current-password" />}
        <Problem problem={action.problem} />
        <div className="actions">
          <button type="button" onClick={leave}>
            Cancel
          </button>
          <button type="submit" className="danger solid" disabled={action.busy || (typed !== undefined && name !== typed)}>
            {label}
          </button>
        </div>
      </form>
    </dialog>
  );
}
