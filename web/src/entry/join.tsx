// An invite in the hands of somebody who is logged in: one button joins the team.
// Leaves out showing the team beforehand: an unused code tells nothing about it.
import { useState } from 'react';
import { api } from '../api';
import type { Me, Team } from '../wire';
import { useAction } from '../ui/hooks';
import { Problem } from '../ui/parts';
import { EntryFrame } from './frame';

export function JoinPage({ code, me, done }: { code: string; me: Me; done: () => void }) {
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
    <EntryFrame title="Join a team" lead={<>You are logged in as <strong>{me.user.name}</strong>. This invite adds you to a team.</>}>
      <Problem problem={action.problem} />
      <button type="button" className="primary wide" autoFocus disabled={action.busy} onClick={() => void action.run(async () => setTeam(await api.joinTeam(code)))}>
        Join the team
      </button>
      <p className="ends">
        <button type="button" className="link" onClick={done}>
          Not now
        </button>
      </p>
    </EntryFrame>
  );
}
