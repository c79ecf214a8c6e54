// A secret or one-time link that is shown once, with a button that copies it.
// Leaves out remembering it: closing it is the end of it here.
import { useId, useRef, useState } from 'react';

export function ShownOnce({ label, value, note, onDone }: { label: string; value: string; note: string; onDone: () => void }) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [said, setSaid] = useState('');

  const copy = async (): Promise<void> => {
    setSaid((await copied(value, input.current)) ? 'Copied.' : 'Copying is not allowed here. It is selected: copy it with the keyboard.');
  };
  return (
    <div className="shown-once" role="group" aria-labelledby={`${id}-label`}>
      <label id={`${id}-label`} htmlFor={id}>
        {label}
      </label>
      <div className="joined">
        <input id={id} ref={input} readOnly value={value} className="code" aria-describedby={`${id}-note`} onFocus={(event) => event.target.select()} />
        <button type="button" className="primary" onClick={() => void copy()}>
          Copy
        </button>
      </div>
      <p id={`${id}-note`} className="hint">
        {note}
      </p>
      <div className="ends">
        <p role="status" className="meta">
          {said}
        </p>
        <button type="button" className="quiet" onClick={onDone}>
          Done, hide it
        </button>
      </div>
    </div>
  );
}

/** Browsers offer the clipboard only over HTTPS and on this machine; elsewhere the older way may still work. */
async function copied(value: string, input: HTMLInputElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(value);
    return true;
  } catch {
    input?.focus();
    input?.select();
    return document.execCommand('copy');
  }
}
