// The calm middle of the screen that every page before the login shares. Leaves out what is asked there.
import { useEffect, type ReactNode } from 'react';
import { Mark } from '../ui/parts';

export function EntryFrame({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Mosaic`;
  }, [title]);
  return (
    <main className="entry">
      <div className="entry-card">
        <p className="brand">
          <Mark /> Mosaic
        </p>
        <h1>{title}</h1>
        {lead !== undefined && <p className="lead">{lead}</p>}
        {children}
      </div>
    </main>
  );
}
