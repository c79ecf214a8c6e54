// Teams: the ones I am in, making one, and what an owner does for one. Leaves out joining, which an invitation link does.
import { useCallback, useState, type FormEvent } from 'react';
import { api } from '../api';
import { Confirm } from '../ui/confirm';
import { useAction, useListing } from '../ui/hooks';
import { EXPIRY, ROLE_CHOICES, type Hours } from '../ui/choices';
import { Choice, Field, Panel, Problem, Row, Rows } from '../ui/parts';
import { ShownOnce } from '../ui/secret';
import type { CreatedInvite, Me, Member, Role, Team } from '../wire';

export function TeamsView({ me }: { me: Me }) {
  const listing = useListing(api.teams);
  return (
    <>
      <Panel title="Your teams" lead="A team shares one workspace. Owners manage it, members work in it, viewers read.">
        <Rows listing={listing} label="Your teams" empty="You are in no team yet." row={(team) => <TeamRow key={team.id} team={team} me={me} changed={listing.reload} />} />
      </Panel>
      <Panel title="New team">
        <NewTeam made={listing.reload} />
      </Panel>
    </>
  );
}

function NewTeam({ made }: { made: () => void }) {
  const [name, setName] = useState('');
  const action = useAction();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!(await action.run(() => api.createTeam(name.trim())))) return;
    setName('');
    made();
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Field label="Team name" value={name} onValue={setName} required maxLength={100} autoComplete="off" />
      <Problem problem={action.problem} />
      <button type="submit" className="primary" disabled={action.busy}>
        Create team
      </button>
    </form>
  );
}

function TeamRow({ team, me, changed }: { team: Team; me: Me; changed: () => void }) {
  const [open, setOpen] = useState(false);
  return (
    <Row
      title={team.name}
      badges={<span className="badge plain">{team.role}</span>}
      actions={
        <button type="button" aria-expanded={open} aria-label={`Members of ${team.name}`} onClick={() => setOpen(!open)}>
          {open ? 'Close' : 'Members'}
        </button>
      }
    >
      {open && <TeamDetail team={team} me={me} changed={changed} />}
    </Row>
  );
}

function TeamDetail({ team, me, changed }: { team: Team; me: Me; changed: () => void }) {
  const load = useCallback((cursor: string | null) => api.members(team.id, cursor), [team.id]);
  const listing = useListing(load);
  const owner = team.role === 'owner';
  return (
    <div className="detail">
      <Rows
        listing={listing}
        label={`Members of ${team.name}`}
        empty="No members."
        row={(member) => (
          <MemberRow
            key={member.user_id}
            member={member}
            team={team}
            owner={owner}
            self={member.user_id === me.user.id}
            reload={() => {
              listing.reload();
              // My own role is shown with the team, too.
              if (member.user_id === me.user.id) changed();
            }}
          />
        )}
      />
      {owner && <InviteToTeam team={team} />}
      {owner && (
        <div className="actions">
          <Confirm
            label="Delete team"
            about={team.name}
            title={`Delete ${team.name}?`}
            text="Its workspace and everything in it goes with it, for every member. This cannot be taken back."
            typed={team.name}
            act={() => api.deleteTeam(team.id)}
            done={changed}
          />
        </div>
      )}
    </div>
  );
}

function MemberRow({ member, team, owner, self, reload }: { member: Member; team: Team; owner: boolean; self: boolean; reload: () => void }) {
  const action = useAction();
  const shown = member.display_name || member.name;
  const change = (role: Role): void => {
    if (role !== member.role) void action.run(() => api.setRole(team.id, member.user_id, role)).then(reload);
  };
  return (
    <Row
      title={shown}
      badges={self ? <span className="badge">You</span> : undefined}
      meta={shown === member.name ? undefined : member.name}
      actions={
        <>
          {owner ? (
            <Choice compact label={`Role of ${shown}`} value={member.role} options={ROLE_CHOICES} disabled={action.busy} onValue={change} />
          ) : (
            <span className="badge plain">{member.role}</span>
          )}
          {(owner || self) && (
            <Confirm
              label={self ? 'Leave' : 'Remove'}
              about={self ? team.name : shown}
              title={self ? `Leave ${team.name}?` : `Remove ${shown}?`}
              text={self ? 'You lose sight of everything in its workspace at once.' : `${shown} loses sight of everything in ${team.name} at once.`}
              act={() => api.removeMember(team.id, member.user_id)}
              done={reload}
            />
          )}
        </>
      }
    >
      <Problem problem={action.problem} />
    </Row>
  );
}

function InviteToTeam({ team }: { team: Team }) {
  const [role, setRole] = useState<Role>('member');
  const [hours, setHours] = useState<Hours>('72');
  const [made, setMade] = useState<CreatedInvite | null>(null);
  const action = useAction();
  if (made !== null) {
    return <ShownOnce label={`Invitation link to ${team.name}`} value={made.link} note="It is shown this once and works once, for somebody who has an account here." onDone={() => setMade(null)} />;
  }
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    await action.run(async () => setMade(await api.inviteToTeam(team.id, role, Number(hours))));
  };
  return (
    <form className="line" onSubmit={(event) => void submit(event)}>
      <Choice label="Invite as" value={role} options={ROLE_CHOICES} onValue={setRole} />
      <Choice label="Link works for" value={hours} options={EXPIRY} onValue={setHours} />
      <button type="submit" disabled={action.busy}>
        Make an invitation link
      </button>
      <Problem problem={action.problem} />
    </form>
  );
}
