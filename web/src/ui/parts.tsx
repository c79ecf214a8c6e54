// The small pieces that every page is made of: problems, fields, panels, lists, times.
// Leaves out anything that knows what it shows.
import { useId, useState, type InputHTMLAttributes, type ReactNode } from 'react';
import type { ApiProblem } from '../api';
import { moment } from '../words';
import type { Listing } from './hooks';

export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 24 24" aria-hidden="true">
      <rect x="2" y="2" width="9" height="9" rx="2" />
      <rect x="13" y="2" width="9" height="9" rx="2" opacity="0.55" />
      <rect x="2" y="13" width="9" height="9" rx="2" opacity="0.35" />
      <rect x="13" y="13" width="9" height="9" rx="2" opacity="0.8" />
    </svg>
  );
}

/** Always in the page, so that a screen reader notices when a problem appears in it. */
export function Problem({ problem }: { problem: ApiProblem | null }) {
  return (
    <div role="alert" className={problem === null ? undefined : 'problem'}>
      {problem !== null && (
        <>
          <p className="problem-message">{problem.message}</p>
          {problem.next !== '' && <p>{problem.next}</p>}
          {problem.requestId !== '' && (
            <p className="meta">
              Request <code>{problem.requestId}</code>
            </p>
          )}
        </>
      )}
    </div>
  );
}

export function Notice({ children }: { children: ReactNode }) {
  return (
    <p role="status" className="notice">
      {children}
    </p>
  );
}

interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'onChange' | 'value' | 'id'> {
  label: string;
  value: string;
  hint?: string;
  onValue: (value: string) => void;
}

export function Field({ label, hint, onValue, ...rest }: FieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input {...rest} id={id} aria-describedby={hint === undefined ? undefined : `${id}-hint`} onChange={(event) => onValue(event.target.value)} />
      {hint !== undefined && (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
    </div>
  );
}

/** A password with a way to look at it, which is safer than typing it blind twice. */
interface PasswordProps extends Pick<FieldProps, 'label' | 'hint' | 'value' | 'onValue' | 'autoComplete' | 'autoFocus'> {
  /** It is being chosen, so it has to be long enough; one that is only tried may be as short as it is. */
  fresh?: boolean;
  optional?: boolean;
}

export function PasswordField({ label, hint, value, onValue, autoComplete, autoFocus, fresh, optional }: PasswordProps) {
  const id = useId();
  const [shown, setShown] = useState(false);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="joined">
        <input
          id={id}
          type={shown ? 'text' : 'password'}
          value={value}
          required={optional !== true}
          minLength={fresh === true ? 10 : undefined}
          maxLength={fresh === true ? 256 : undefined}
          autoComplete={autoComplete}
          autoFocus={autoFocus}
          autoCapitalize="none"
          spellCheck={false}
          aria-describedby={hint === undefined ? undefined : `${id}-hint`}
          onChange={(event) => onValue(event.target.value)}
        />
        <button type="button" className="quiet" aria-pressed={shown} aria-label={`Show what is typed in: ${label}`} onClick={() => setShown(!shown)}>
          {shown ? 'Hide' : 'Show'}
        </button>
      </div>
      {hint !== undefined && (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onValue: (value: T) => void;
  disabled?: boolean;
  /** For a choice inside a list row: its label is only spoken. */
  compact?: boolean;
}

export function Choice<T extends string>({ label, value, options, onValue, disabled, compact }: ChoiceProps<T>) {
  const id = useId();
  return (
    <div className={compact === true ? 'field compact' : 'field'}>
      <label htmlFor={id} className={compact === true ? 'spoken' : undefined}>
        {label}
      </label>
      <select
        id={id}
        value={value}
        disabled={disabled}
        onChange={(event) => {
          const chosen = options.find(([option]) => option === event.target.value);
          if (chosen !== undefined) onValue(chosen[0]);
        }}
      >
        {options.map(([option, shown]) => (
          <option key={option} value={option}>
            {shown}
          </option>
        ))}
      </select>
    </div>
  );
}

export function Panel({ title, lead, aside, children }: { title: string; lead?: ReactNode; aside?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      {lead !== undefined && <p className="lead">{lead}</p>}
      {children}
    </section>
  );
}

/** A list with its waiting, empty, failed and longer states. */
export function Rows<T>({ listing, empty, label, row }: { listing: Listing<T>; empty: string; label: string; row: (item: T) => ReactNode }) {
  return (
    <>
      <Problem problem={listing.problem} />
      {listing.problem !== null && (
        <button type="button" onClick={listing.reload}>
          Try again
        </button>
      )}
      {listing.items === null && listing.problem === null && <p className="meta">Loading…</p>}
      {listing.items?.length === 0 && <p className="meta">{empty}</p>}
      {listing.items !== null && listing.items.length > 0 && (
        <ul className="rows" aria-label={label}>
          {listing.items.map(row)}
        </ul>
      )}
      {listing.more !== null && (
        <button type="button" disabled={listing.busy} onClick={listing.more}>
          Show more
        </button>
      )}
    </>
  );
}

/** One line of a list: what it is, what is known about it, what can be done with it. */
export function Row({ title, badges, meta, actions, children }: { title: ReactNode; badges?: ReactNode; meta?: ReactNode; actions?: ReactNode; children?: ReactNode }) {
  return (
    <li>
      <div className="row">
        <div className="row-text">
          <p className="row-title">
            {title} {badges}
          </p>
          {meta !== undefined && <p className="meta">{meta}</p>}
        </div>
        {actions !== undefined && <div className="actions">{actions}</div>}
      </div>
      {children}
    </li>
  );
}

export function When({ at }: { at: number }) {
  return <time dateTime={new Date(at).toISOString()}>{moment(at)}</time>;
}
