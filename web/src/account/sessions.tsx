// Where I am logged in, and ending that from here. Leaves out where an address is in the world: nobody knows.
import { api } from '../api';
import { Confirm } from '../ui/confirm';
import { useAction, useListing } from '../ui/hooks';
import { Panel, Problem, Row, Rows, When } from '../ui/parts';
import { browser } from '../words';

export function SessionsView({ left }: { left: (sentence: string) => void }) {
  const listing = useListing(api.sessions);
  const action = useAction();
  const end = (id: string, current: boolean): void =>
    void action.run(async () => {
      // The watcher would say that it ended somewhere else, so ending this very one goes the ordinary way.
      if (current) {
        await api.logout();
        left('You are logged out.');
        return;
      }
      await api.endSession(id);
      listing.reload();
    });
  const others = listing.items?.some((session) => !session.current) ?? false;
  return (
    <Panel
      title="Where you are logged in"
      lead="End a session that you do not know, then change your password."
      aside={
        others && (
          <Confirm
            label="End all others"
            title="End all other sessions?"
            text="Everywhere but here you will have to log in again."
            act={api.endOtherSessions}
            done={listing.reload}
          />
        )
      }
    >
      <Problem problem={action.problem} />
      <Rows
        listing={listing}
        label="Sessions"
        empty="No sessions."
        row={(session) => (
          <Row
            key={session.id}
            title={browser(session.agent)}
            badges={session.current && <span className="badge">This one</span>}
            meta={
              <>
                {session.address} · seen <When at={session.seen_at} /> · since <When at={session.created_at} /> · until <When at={session.expires_at} />
              </>
            }
            actions={
              <button
                type="button"
                className="danger"
                aria-label={`End session ${browser(session.agent)}, ${session.address}`}
                disabled={action.busy}
                onClick={() => end(session.id, session.current)}
              >
                End
              </button>
            }
          />
        )}
      />
    </Panel>
  );
}
