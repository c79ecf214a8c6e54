// The workspaces I can reach, and how full they are. Leaves out what is in them.
import { api } from '../api';
import { useListing } from '../ui/hooks';
import { Panel, Row, Rows } from '../ui/parts';
import type { Workspace } from '../wire';
import { size } from '../words';

export function WorkspacesView({ mine }: { mine: string }) {
  const listing = useListing(api.workspaces);
  return (
    <Panel title="Your workspaces" lead="What is in a workspace is seen by its members alone. Each team has one; so do you.">
      <Rows
        listing={listing}
        label="Workspaces"
        empty="No workspaces."
        row={(workspace) => (
          <Row
            key={workspace.id}
            title={workspace.name}
            badges={<span className="badge plain">{workspace.id === mine ? 'personal' : (workspace.role ?? 'quota only')}</span>}
            meta={<Fullness workspace={workspace} />}
          />
        )}
      />
    </Panel>
  );
}

function Fullness({ workspace }: { workspace: Workspace }) {
  const { used_bytes: used, quota_bytes: quota } = workspace;
  if (quota <= 0) return <>{size(used)} used</>;
  return (
    <span className="fullness">
      <meter min={0} max={quota} low={quota * 0.8} high={quota * 0.95} optimum={0} value={used} aria-label={`Space used in ${workspace.name}`}>
        {size(used)}
      </meter>
      {size(used)} of {size(quota)}
    </span>
  );
}
