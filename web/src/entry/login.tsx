// Logging in with a password, or through one of the providers that this server knows.
// Leaves out asking for a new password: an admin makes a recovery link for that.
import { api } from '../api';
import type { Info, Me, Provider } from '../wire';
import { Notice } from '../ui/parts';
import { AccountForm } from './account_form';
import { EntryFrame } from './frame';

export function LoginPage({ info, notice, done }: { info: Info; notice: string; done: (me: Me) => void }) {
  return (
    <EntryFrame title="Log in">
      {notice !== '' && <Notice>{notice}</Notice>}
      <AccountForm button="Log in" fresh={false} send={api.login} done={done} />
      <Providers providers={info.providers} />
      <p className="hint">No password any more? Ask whoever runs this server for a recovery link.</p>
    </EntryFrame>
  );
}

export function Providers({ providers }: { providers: Provider[] }) {
  if (providers.length === 0) return null;
  return (
    <>
      <p className="or">
        <span>or</span>
      </p>
      <ul className="providers">
        {providers.map((provider) => (
          <li key={provider.name}>
            <a className="button wide" href={api.oidcStart(provider.name)}>
              Continue with {provider.label}
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
