// The audit log: whether its chain is whole, and the last things that happened. Leaves out searching it.
import { useCallback, useEffect, useState } from 'react';
import { api } from '../api';
import { useListing } from '../ui/hooks';
import { Panel, Row, Rows, When } from '../ui/parts';
import type { AuditEntry, AuditReport, Page, User } from '../wire';
import { withNames } from '../words';

const LAST = 25;

export function AuditView() {
  const [report, setReport] = useState<AuditReport | null>(null);
  const users = useListing(api.users);
  // Names come a page at a time; all are needed, because anybody may be in the last entries.
  const { more, busy, problem } = users;
  useEffect(() => {
    if (more !== null && !busy && problem === null) more();
  }, [more, busy, problem]);
  // The log is read from its start, so its length comes first; the newest entry is then shown on top.
  const load = useCallback(async (): Promise<Page<AuditEntry>> => {
    const found = await api.verifyAudit();
    setReport(found);
    const page = await api.audit(Math.max(0, found.entries - LAST), LAST);
    return { items: page.items.toReversed(), next: null };
  }, []);
  const listing = useListing(load);
  return (
    <Panel
      title="Audit log"
      lead="Each entry is chained to the one before, so that a change to the past shows."
      aside={
        <button type="button" disabled={listing.busy} onClick={listing.reload}>
          {listing.busy ? 'Checking…' : 'Check again'}
        </button>
      }
    >
      {report !== null && <Verdict report={report} />}
      <Rows listing={listing} label="Last audit entries" empty="Nothing happened yet." row={(entry) => <EntryRow key={entry.seq} entry={entry} users={users.items ?? []} />} />
    </Panel>
  );
}

function Verdict({ report }: { report: AuditReport }) {
  if (report.broken_at !== null) {
    return (
      <div role="alert" className="verdict bad">
        <p>
          <strong>The chain is broken at entry {report.broken_at}.</strong> {report.message}
        </p>
        <p>Keep a copy of the database, and compare it with a backup.</p>
      </div>
    );
  }
  return (
    <div role="status" className="verdict good">
      <p>
        <strong>The chain is whole:</strong> {report.entries} {report.entries === 1 ? 'entry' : 'entries'} checked.
      </p>
      <p className="meta">
        Ends in <code>{report.head}</code>. Note it elsewhere: only from outside can one tell that an end was cut off.
      </p>
    </div>
  );
}

function EntryRow({ entry, users }: { entry: AuditEntry; users: User[] }) {
  return (
    <Row
      title={<code>{entry.action}</code>}
      meta={
        <>
          {entry.seq} · <When at={entry.at} /> · by {withNames(entry.actor, users)}
          {entry.object !== '' && <> · {withNames(entry.object, users)}</>}
          {entry.detail !== '' && <> · {withNames(entry.detail, users)}</>}
        </>
      }
    />
  );
}
