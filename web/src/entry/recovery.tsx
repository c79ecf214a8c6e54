// A new password from a one-time recovery link. Leaves out logging in: the new password is used for that at once,
// which shows that it works.
import { useState, type FormEvent } from 'react';
import { api } from '../api';
import { useAction } from '../ui/hooks';
import { PasswordField, Problem } from '../ui/parts';
import { EntryFrame } from './frame';

export function RecoveryPage({ code, done, cancel }: { code: string; done: () => Promise<void>; cancel: () => void }) {
  const [password, setPassword] = useState('');
  const action = useAction();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (await action.run(() => api.recover(code, password))) await action.run(done);
  };
  return (
    <EntryFrame title="Choose a new password" lead="This link works once. Then log in with your new password.">
      <form onSubmit={(event) => void submit(event)}>
        <PasswordField label="New password" fresh hint="At least 10 characters; a few unrelated words do well." value={password} onValue={setPassword} autoComplete="new-password" autoFocus />
        <Problem problem={action.problem} />
        <button type="submit" className="primary wide" disabled={action.busy}>
          Set the new password
        </button>
      </form>
      <p className="ends">
        <button type="button" className="link" onClick={cancel}>
          Not now
        </button>
      </p>
    </EntryFrame>
  );
}
