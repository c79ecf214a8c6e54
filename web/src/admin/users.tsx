// The people on this server, for admins: suspend, resume, help back in, delete.
// Leaves out making users: an invitation lets each choose a password alone.
import { useState } from 'react';
import { api } from '../api';
import { Confirm } from '../ui/confirm';
import { useAction, useListing } from '../ui/hooks';
import { Panel, Problem, Row, Rows, When } from '../ui/parts';
import { ShownOnce } from '../ui/secret';
import type { Me, OneTimeLink, User } from '../wire';
import { moment } from '../words';

export function UsersView({ me }: { me: Me }) {
  const listing = useListing(api.users);
  return (
    <Panel title="People on this server" lead="A suspended person is signed out everywhere at once and keeps everything else.">
      <Rows listing={listing} label="Users" empty="No users." row={(user) => <UserRow key={user.id} user={user} self={user.id === me.user.id} changed={listing.reload} />} />
    </Panel>
  );
}

function UserRow({ user, self, changed }: { user: User; self: boolean; changed: () => void }) {
  const [recovery, setRecovery] = useState<OneTimeLink | null>(null);
  const action = useAction();
  const suspended = user.state === 'suspended';
  const toggle = (): void => void action.run(() => (suspended ? api.resume(user.id) : api.suspend(user.id))).then((went) => went && changed());
  const recover = (): void => void action.run(async () => setRecovery(await api.recoveryLink(user.id)));
  return (
    <Row
      title={user.display_name || user.name}
      badges={
        <>
          {self && <span className="badge">You</span>} {user.admin && <span className="badge">Admin</span>}{' '}
          {suspended && <span className="badge warn">Suspended</span>}
        </>
      }
      meta={
        <>
          {user.name} · since <When at={user.created_at} />
        </>
      }
      actions={
        !self && (
          <>
            <button type="button" disabled={action.busy} aria-label={`${suspended ? 'Resume' : 'Suspend'} ${user.name}`} onClick={toggle}>
              {suspended ? 'Resume' : 'Suspend'}
            </button>
            <button type="button" disabled={action.busy} aria-label={`Recovery link for ${user.name}`} onClick={recover}>
              Recovery link
            </button>
            <Confirm
              label="Delete"
              about={user.name}
              title={`Delete ${user.name}?`}
              text="The account, its personal workspace and everything in it are erased. This cannot be taken back."
              typed={user.name}
              act={() => api.deleteUser(user.id)}
              done={changed}
            />
          </>
        )
      }
    >
      <Problem problem={action.problem} />
      {recovery !== null && (
        <ShownOnce
          label={`Recovery link for ${user.name}`}
          value={recovery.link}
          note={`It is shown this once, works once, until ${moment(recovery.expires_at)}, and sets a new password. Hand it over in person or by a safe way.`}
          onDone={() => setRecovery(null)}
        />
      )}
    </Row>
  );
}
