// API tokens: what programs use to act as me. A secret is shown when it is made and never again.
// Leaves out changing a token: make a new one and revoke the old.
import { useState, type FormEvent } from 'react';
import { api } from '../api';
import { Confirm } from '../ui/confirm';
import { useAction, useListing } from '../ui/hooks';
import { Choice, Field, Panel, Problem, Row, Rows, When } from '../ui/parts';
import { ShownOnce } from '../ui/secret';
import { SCOPES, type Scope, type Token, type CreatedToken } from '../wire';

const MEANING: Record<Scope, string> = {
  read: 'read what you can read',
  write: 'change what you can change',
  admin: 'administer this server',
  metrics: 'read this server’s figures',
  models: 'call models, which may cost money',
};
const EXPIRY = [['7', '7 days'], ['30', '30 days'], ['90', '90 days'], ['365', '1 year']] as const;
type Days = (typeof EXPIRY)[number][0];

export function TokensView({ admin }: { admin: boolean }) {
  const listing = useListing(api.tokens);
  const [made, setMade] = useState<CreatedToken | null>(null);
  return (
    <>
      <Panel title="New token" lead="A program that has a token can do what its scopes say, in your name.">
        {made === null ? (
          <NewToken
            admin={admin}
            made={(secret) => {
              setMade(secret);
              listing.reload();
            }}
          />
        ) : (
          <ShownOnce label={`The token “${made.token.name}”`} value={made.secret} note="It is shown this once. Put it where the program finds it." onDone={() => setMade(null)} />
        )}
      </Panel>
      <Panel title="Your tokens">
        <Rows listing={listing} label="Your tokens" empty="No tokens yet." row={(token) => <TokenRow key={token.id} token={token} changed={listing.reload} />} />
      </Panel>
    </>
  );
}

function NewToken({ admin, made }: { admin: boolean; made: (secret: CreatedToken) => void }) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly Scope[]>(['read']);
  const [days, setDays] = useState<Days>('30');
  const action = useAction();
  const offered = SCOPES.filter((scope) => admin || (scope !== 'admin' && scope !== 'metrics'));
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    await action.run(async () => made(await api.createToken(name.trim(), [...scopes], Number(days))));
  };
  const toggle = (scope: Scope): void => setScopes(scopes.includes(scope) ? scopes.filter((one) => one !== scope) : [...scopes, scope]);
  return (
    <form onSubmit={(event) => void submit(event)}>
      <div className="side-by-side">
        <Field label="Token name" value={name} onValue={setName} required maxLength={100} autoComplete="off" placeholder="backup script" />
        <Choice label="Works for" value={days} options={EXPIRY} onValue={setDays} />
      </div>
      <fieldset>
        <legend>It may</legend>
        {offered.map((scope) => (
          <label key={scope} className="tick">
            <input type="checkbox" checked={scopes.includes(scope)} onChange={() => toggle(scope)} />
            <span>
              <code>{scope}</code> {MEANING[scope]}
            </span>
          </label>
        ))}
      </fieldset>
      <Problem problem={action.problem} />
      <button type="submit" className="primary" disabled={action.busy || scopes.length === 0}>
        Create token
      </button>
    </form>
  );
}

function TokenRow({ token, changed }: { token: Token; changed: () => void }) {
  return (
    <Row
      title={token.name}
      badges={token.scopes.map((scope) => (
        <span key={scope} className="badge plain">
          {scope}
        </span>
      ))}
      meta={
        <>
          Until <When at={token.expires_at} /> ·{' '}
          {token.used_at === null ? 'never used' : <>last used <When at={token.used_at} /></>}
        </>
      }
      actions={
        <Confirm
          label="Revoke"
          about={token.name}
          title={`Revoke “${token.name}”?`}
          text="Programs that use it are refused from now on."
          act={() => api.revokeToken(token.id)}
          done={changed}
        />
      }
    />
  );
}
