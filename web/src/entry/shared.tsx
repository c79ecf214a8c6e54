// A conversation that somebody shared by a link: what was said, for reading. Nobody needs to be logged in.
// Leaves out writing, and who the people are: the server does not say.
import { useCallback, useEffect, useState } from 'react';
import { api, type ApiProblem } from '../api';
import type { Author, Entry, LinkedConversation } from '../protocol';
import { isTold } from '../log/replay';
import { problemFrom } from '../ui/hooks';
import { Mark, Problem } from '../ui/parts';
import { moment } from '../words';

/** How many entries to look through at once. */
const PAGE = 200;

interface Read {
  title: string;
  said: Entry[];
  /** How far was looked, and how far there is. */
  at: number;
  head: number;
}

export function SharedPage({ code, close }: { code: string; close: () => void }) {
  const [read, setRead] = useState<Read | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(false);

  const look = useCallback(
    async (before: Read | null) => {
      setBusy(true);
      try {
        const page = await api.shared(code, before?.at ?? 0, PAGE);
        setRead(further(before, page));
        setProblem(null);
      } catch (caught) {
        setProblem(problemFrom(caught));
      } finally {
        setBusy(false);
      }
    },
    [code],
  );
  useEffect(() => void look(null), [look]);
  const title = read?.title ?? 'A shared conversation';
  useEffect(() => {
    document.title = `${title} · Mosaic`;
  }, [title]);

  const names = namesOf(read?.said ?? []);
  return (
    <main className="shared">
      <p className="brand">
        <Mark /> Mosaic
      </p>
      <h1>{title}</h1>
      <p className="lead">Somebody shared this conversation with you, for reading. To come back, open the link again.</p>
      <ol className="said" aria-label="What was said">
        {read?.said.map((entry) => <Said key={entry.seq} entry={entry} name={names(entry.author)} />)}
      </ol>
      {read !== null && read.said.length === 0 && read.at >= read.head && <p className="lead">Nothing was said yet.</p>}
      <Problem problem={problem} />
      <p className="ends">
        <button type="button" disabled={busy} onClick={() => void look(read)}>
          {read !== null && read.at >= read.head ? 'Look for more' : 'Show more'}
        </button>
        <button type="button" className="link" onClick={close}>
          Go to Mosaic
        </button>
      </p>
    </main>
  );
}

function Said({ entry, name }: { entry: Entry; name: string }) {
  if (!isTold(entry) || (entry.kind !== 'user_message' && entry.kind !== 'assistant_reply')) return null;
  const files = entry.kind === 'user_message' ? (entry.body.attachments ?? []) : [];
  return (
    <li>
      <p className="meta">
        <strong>{name}</strong> · <time dateTime={new Date(entry.at).toISOString()}>{moment(entry.at)}</time>
      </p>
      <p className="words">{entry.body.text}</p>
      {files.map((file) => (
        <p key={file.hash} className="meta">
          File: {file.name}
        </p>
      ))}
    </li>
  );
}

/** What was read, with the page that comes after it. */
export function further(before: Read | null, page: LinkedConversation): Read {
  const said = before?.said ?? [];
  const fresh = page.items.filter((entry) => entry.seq > (said.at(-1)?.seq ?? 0));
  const at = Math.min((before?.at ?? 0) + PAGE, page.head);
  return { title: page.title, said: [...said, ...fresh], at, head: page.head };
}

/** Names for people whom the server does not name, in the order in which they spoke. */
export function namesOf(said: readonly Entry[]): (author: Author) => string {
  const people = [...new Set(said.flatMap(({ author }) => (author.is === 'user' ? [author.id] : [])))];
  return (author) => {
    switch (author.is) {
      case 'user':
        return people.length > 1 ? `Person ${people.indexOf(author.id) + 1}` : 'Person';
      case 'agent':
        return `${author.name} (agent)`;
      case 'named':
        return `${author.name} (imported)`;
      case 'system':
        return 'Mosaic';
      case 'gone':
        return 'Somebody who left';
    }
  };
}
