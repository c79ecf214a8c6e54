// The page of somebody who is logged in: its views, and the way out. The view is named in the fragment, so links,
// the back button and the keyboard work as everywhere. Leaves out what each view shows.
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { AuditView } from '../admin/audit';
import { InvitesView } from '../admin/invites';
import { UsersView } from '../admin/users';
import { api } from '../api';
import { viewFrom } from '../fragment';
import { useAction } from '../ui/hooks';
import { Mark, Notice, Problem } from '../ui/parts';
import type { Info, Me } from '../wire';
import { IdentitiesPanel } from './identities';
import { FarewellPanel, ProfileView } from './profile';
import { SessionsView } from './sessions';
import { TeamsView } from './teams';
import { TokensView } from './tokens';
import { WorkspacesView } from './workspaces';

interface AccountProps {
  info: Info;
  me: Me;
  notice: string;
  changed: (me: Me) => void;
  /** The person is logged out, with a sentence that says why. */
  left: (sentence: string) => void;
}

const MINE = ['account', 'sessions', 'tokens', 'teams', 'workspaces'] as const;
const SERVER = ['users', 'invites', 'audit'] as const;
type View = (typeof MINE)[number] | (typeof SERVER)[number];
const TITLES: Record<View, string> = {
  account: 'Account',
  sessions: 'Sessions',
  tokens: 'API tokens',
  teams: 'Teams',
  workspaces: 'Workspaces',
  users: 'Users',
  invites: 'Invitations',
  audit: 'Audit log',
};

export function AccountPage({ info, me, notice, changed, left }: AccountProps) {
  const view = useView(me.user.admin ? [...MINE, ...SERVER] : [...MINE]);
  const action = useAction();
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = `${TITLES[view]} · Mosaic`;
    // On a narrow screen the navigation is one row that scrolls, and the current view may be out of sight.
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [view]);
  const logout = (): void => void action.run(async () => {
    await api.logout();
    left('You are logged out.');
  });
  const links = (views: readonly View[]): ReactNode => (
    <ul>
      {views.map((name) => (
        <li key={name}>
          <a href={`#${name}`} aria-current={name === view ? 'page' : undefined}>
            {TITLES[name]}
          </a>
        </li>
      ))}
    </ul>
  );
  return (
    <div className="shell">
      <header className="top">
        <p className="brand">
          <Mark /> Mosaic
        </p>
        <p className="who">
          <span className="who-name">{me.user.display_name || me.user.name}</span>
          <button type="button" disabled={action.busy} onClick={logout}>
            Log out
          </button>
        </p>
      </header>
      <nav ref={nav} aria-label="Views">
        {links(MINE)}
        {me.user.admin && (
          <>
            <p className="nav-title">Server</p>
            {links(SERVER)}
          </>
        )}
      </nav>
      <main>
        <h1>{TITLES[view]}</h1>
        {notice !== '' && <Notice>{notice}</Notice>}
        <Problem problem={action.problem} />
        {view === 'account' && (
          <>
            <ProfileView me={me} changed={changed} />
            <IdentitiesPanel providers={info.providers} />
            <FarewellPanel me={me} left={left} />
          </>
        )}
        {view === 'sessions' && <SessionsView left={left} />}
        {view === 'tokens' && <TokensView admin={me.user.admin} />}
        {view === 'teams' && <TeamsView me={me} />}
        {view === 'workspaces' && <WorkspacesView mine={me.workspace_id} />}
        {view === 'users' && <UsersView me={me} />}
        {view === 'invites' && <InvitesView />}
        {view === 'audit' && <AuditView />}
        <footer className="meta">Mosaic {info.version}</footer>
      </main>
    </div>
  );
}

function useView(views: readonly View[]): View {
  const [hash, setHash] = useState(window.location.hash);
  useEffect(() => {
    const changed = (): void => setHash(window.location.hash);
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);
  return viewFrom(hash, views, 'account');
}
