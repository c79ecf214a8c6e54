// Invitations to this server: links with which somebody makes an account, and joins a team when one is named.
// Leaves out sending them.
import { useState, type FormEvent } from 'react';
import { api } from '../api';
import { EXPIRY, ROLE_CHOICES, type Hours } from '../ui/choices';
import { Confirm } from '../ui/confirm';
import { useAction, useListing } from '../ui/hooks';
import { Choice, Panel, Problem, Row, Rows, When } from '../ui/parts';
import { ShownOnce } from '../ui/secret';
import type { CreatedInvite, Role, Team } from '../wire';
import { moment } from '../words';

export function InvitesView() {
  const listing = useListing(api.invites);
  const teams = useListing(api.teams);
  const [made, setMade] = useState<CreatedInvite | null>(null);
  const teamName = (id: string): string => teams.items?.find((team) => team.id === id)?.name ?? 'a team';
  return (
    <>
      <Panel title="New invitation" lead="Whoever opens the link can make one account here.">
        {made === null ? (
          <NewInvite
            teams={teams.items ?? []}
            made={(link) => {
              setMade(link);
              listing.reload();
            }}
          />
        ) : (
          <ShownOnce label="Invitation link" value={made.link} note="It is shown this once and works once. Send it to one person." onDone={() => setMade(null)} />
        )}
      </Panel>
      <Panel title="Open invitations">
        <Rows
          listing={listing}
          label="Open invitations"
          empty="No open invitations."
          row={(invite) => (
            <Row
              key={invite.id}
              title={[invite.creates_account ? 'A new account' : 'Somebody with an account', invite.team_id === null ? '' : `in ${teamName(invite.team_id)}`].join(' ').trim()}
              badges={invite.team_id !== null && invite.role !== null && <span className="badge plain">{invite.role}</span>}
              meta={<>Made <When at={invite.created_at} /> · until <When at={invite.expires_at} /></>}
              actions={
                <Confirm
                  label="Revoke"
                  about={`invitation made ${moment(invite.created_at)}`}
                  title="Revoke this invitation?"
                  text="Its link stops working at once."
                  act={() => api.revokeInvite(invite.id)}
                  done={listing.reload}
                />
              }
            />
          )}
        />
      </Panel>
    </>
  );
}

function NewInvite({ teams, made }: { teams: Team[]; made: (link: CreatedInvite) => void }) {
  const [team, setTeam] = useState('');
  const [role, setRole] = useState<Role>('member');
  const [hours, setHours] = useState<Hours>('72');
  const action = useAction();
  const owned = teams.filter((one) => one.role === 'owner');
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    await action.run(async () => made(await api.createInvite(Number(hours), team === '' ? null : { team_id: team, role })));
  };
  return (
    <form className="line" onSubmit={(event) => void submit(event)}>
      {owned.length > 0 && (
        <Choice label="Into the team" value={team} options={[['', 'No team'], ...owned.map((one) => [one.id, one.name] as const)]} onValue={setTeam} />
      )}
      {team !== '' && <Choice label="As" value={role} options={ROLE_CHOICES} onValue={setRole} />}
      <Choice label="Link works for" value={hours} options={EXPIRY} onValue={setHours} />
      <button type="submit" className="primary" disabled={action.busy}>
        Create invitation
      </button>
      <Problem problem={action.problem} />
    </form>
  );
}
