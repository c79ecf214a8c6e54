// An invitation in the hands of somebody who is logged in: one button joins the team, another logs out to make an
// account with it. Leaves out showing beforehand which it is for: an unused code tells nothing about it.
import { useState } from 'react';
import { api } from '../api';
import type { Me, Team } from '../wire';
import { useAction } from '../ui/hooks';
import { Problem } from '../ui/parts';
import { EntryFrame } from './frame';

export function JoinPage({ code, me, done, loggedOut }: { code: string; me: Me; done: () => void; loggedOut: () => void }) {
  const action = useAction();
  const [team, setTeam] = useState<Team | null>(null);
  const finish = (): void => {
    window.location.hash = '#teams';
    done();
  };
  if (team !== null) {
    return (
      <EntryFrame title={`Welcome to ${team.name}`} lead={`You joined as ${team.role}.`}>
        <button type="button" className="primary wide" autoFocus onClick={finish}>
          Show my teams
        </button>
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title="You have an invitation" lead={<>You are logged in as <strong>{me.user.name}</strong>. If it leads into a team, you can join; if it is for a new account, it is not for this one.</>}>
      <Problem problem={action.problem} />
      <button type="button" className="primary wide" autoFocus disabled={action.busy} onClick={() => void action.run(async () => setTeam(await api.joinTeam(code)))}>
        Join the team
      </button>
      <p className="ends">
        <button type="button" className="link" disabled={action.busy} onClick={() => void action.run(async () => { await api.logout(); loggedOut(); })}>
          Log out and make a new account
        </button>
        <button type="button" className="link" onClick={done}>
          Not now
        </button>
      </p>
    </EntryFrame>
  );
}
