// Name and password with one button: the form of setup, login and invitation. Leaves out where they are sent.
import { useState, type FormEvent, type ReactNode } from 'react';
import { useAction } from '../ui/hooks';
import { Field, PasswordField, Problem } from '../ui/parts';
import type { Me } from '../wire';

interface AccountFormProps {
  button: string;
  /** A new account wants hints and lets the browser offer a password; a login wants the kept one. */
  fresh: boolean;
  before?: ReactNode;
  send: (name: string, password: string) => Promise<Me>;
  done: (me: Me) => void;
}

export function AccountForm({ button, fresh, before, send, done }: AccountFormProps) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const action = useAction();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    await action.run(async () => done(await send(name.trim(), password)));
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      {before}
      <Field
        label="Name"
        value={name}
        onValue={setName}
        required
        autoFocus
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        {...(fresh ? { hint: 'Small letters, digits, dots, dashes: what you log in with.', pattern: '[a-z0-9][a-z0-9._\\-]*', title: 'small letters, digits, dots, dashes and underscores', maxLength: 64 } : {})}
      />
      <PasswordField
        label="Password"
        value={password}
        onValue={setPassword}
        autoComplete={fresh ? 'new-password' : 'current-password'}
        {...(fresh ? { hint: 'At least 10 characters; a few unrelated words do well.', fresh } : {})}
      />
      <Problem problem={action.problem} />
      <button type="submit" className="primary wide" disabled={action.busy}>
        {action.busy ? 'One moment…' : button}
      </button>
    </form>
  );
}
