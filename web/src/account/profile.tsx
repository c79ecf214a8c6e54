// Who I am here: my names, my password, and the end of my account. Leaves out what others may change about me.
import { useState, type FormEvent } from 'react';
import { api } from '../api';
import { Confirm } from '../ui/confirm';
import { useAction } from '../ui/hooks';
import { Field, Panel, PasswordField, Problem, When } from '../ui/parts';
import type { Me } from '../wire';

export function ProfileView({ me, changed }: { me: Me; changed: (me: Me) => void }) {
  return (
    <>
      <Panel title="Who you are">
        <dl className="facts">
          <dt>Name</dt>
          <dd>
            <strong>{me.user.name}</strong> {me.user.admin && <span className="badge">Admin</span>}
          </dd>
          <dt>Member since</dt>
          <dd>
            <When at={me.user.created_at} />
          </dd>
          <dt>User id</dt>
          <dd>
            <code>{me.user.id}</code>
          </dd>
        </dl>
        <DisplayName me={me} changed={changed} />
      </Panel>
      <Panel title="Password">
        <ChangePassword />
      </Panel>
    </>
  );
}

export function FarewellPanel({ me, left }: { me: Me; left: (sentence: string) => void }) {
  return (
    <Panel title="Delete your account" lead="Your personal workspace and everything in it goes with it. Nobody can bring it back.">
      <Confirm
        label="Delete my account"
        title="Delete your account?"
        text="Your sessions end, your tokens stop working and your personal workspace is erased. This cannot be taken back."
        typed={me.user.name}
        password
        act={(password) => api.deleteMe(me.user.name, password)}
        done={() => left('Your account is deleted.')}
      />
    </Panel>
  );
}

function DisplayName({ me, changed }: { me: Me; changed: (me: Me) => void }) {
  const [name, setName] = useState(me.user.display_name);
  const [saved, setSaved] = useState(false);
  const action = useAction();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setSaved(await action.run(async () => changed(await api.rename(name.trim()))));
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Field
        label="Display name"
        required
        maxLength={100}
        hint="How others see you."
        value={name}
        autoComplete="name"
        onValue={(value) => {
          setName(value);
          setSaved(false);
        }}
      />
      <Problem problem={action.problem} />
      <div className="actions">
        <button type="submit" disabled={action.busy || name.trim() === me.user.display_name}>
          Save
        </button>
        <p role="status" className="meta">
          {saved ? 'Saved.' : ''}
        </p>
      </div>
    </form>
  );
}

function ChangePassword() {
  const [current, setCurrent] = useState('');
  const [fresh, setFresh] = useState('');
  const [said, setSaid] = useState('');
  const action = useAction();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setSaid('');
    if (!(await action.run(() => api.changePassword(current, fresh)))) return;
    setCurrent('');
    setFresh('');
    setSaid('Your password is changed.');
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <PasswordField label="Current password" optional hint="Leave it empty if you only ever logged in with a provider." value={current} onValue={setCurrent} autoComplete="current-password" />
      <PasswordField label="New password" fresh value={fresh} onValue={setFresh} autoComplete="new-password" />
      <Problem problem={action.problem} />
      <div className="actions">
        <button type="submit" disabled={action.busy}>
          Change password
        </button>
        <p role="status" className="meta">
          {said}
        </p>
      </div>
    </form>
  );
}
