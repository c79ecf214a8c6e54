// An invitation in the hands of somebody who is not logged in: make an account with it, or log in first and join the
// team it names. The code stays in this tab's memory only, so leaving for a provider means opening the link again.
import { useState } from 'react';
import { api } from '../api';
import type { Info, Me } from '../wire';
import { AccountForm } from './account_form';
import { EntryFrame } from './frame';
import { Providers } from './login';

interface InviteProps {
  code: string;
  info: Info;
  created: (me: Me) => void;
  loggedIn: (me: Me) => void;
  cancel: () => void;
}

export function InvitePage({ code, info, created, loggedIn, cancel }: InviteProps) {
  const [mine, setMine] = useState(false);
  if (mine) {
    return (
      <EntryFrame title="Log in to join" lead="After logging in you can join the team, if the invitation leads into one.">
        <AccountForm key="login" button="Log in" fresh={false} send={api.login} done={loggedIn} />
        {info.providers.length > 0 && (
          <>
            <Providers providers={info.providers} />
            <p className="hint">Continuing elsewhere leaves this page: open the invitation's link again afterwards.</p>
          </>
        )}
        <p className="ends">
          <button type="button" className="link" onClick={() => setMine(false)}>
            Make a new account instead
          </button>
        </p>
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title="You are invited" lead="Choose a name and a password for your account on this server.">
      <AccountForm key="accept" button="Create my account" fresh send={(name, password) => api.acceptInvite(code, name, password)} done={created} />
      <p className="ends">
        <button type="button" className="link" onClick={() => setMine(true)}>
          I already have an account
        </button>
        <button type="button" className="link" onClick={cancel}>
          Not now
        </button>
      </p>
    </EntryFrame>
  );
}
