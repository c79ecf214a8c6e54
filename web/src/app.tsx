// Decides which page is shown: by who is logged in, what the server still needs, and the one-time link in hand.
// Leaves out what the pages do.
import { useCallback, useEffect, useState } from 'react';
import { AccountPage } from './account/page';
import { api, ApiProblem, whenSignedOut } from './api';
import { InvitePage } from './entry/invite';
import { JoinPage } from './entry/join';
import { LoginPage } from './entry/login';
import { RecoveryPage } from './entry/recovery';
import { SetupPage } from './entry/setup';
import { SharedPage } from './entry/shared';
import { EntryFrame } from './entry/frame';
import { takeLink, type Link } from './fragment';
import { problemFrom } from './ui/hooks';
import { Problem } from './ui/parts';
import { watchSession } from './watch';
import type { Info, Me } from './wire';
import { problemSentence } from './words';

const ENDED = 'You were signed out: this session was ended somewhere else. Log in to go on.';

type Person = { kind: 'unknown' } | { kind: 'nobody'; notice: string } | { kind: 'me'; me: Me };

export function App({ firstLink }: { firstLink: Link | null }) {
  const [info, setInfo] = useState<Info | null>(null);
  const [person, setPerson] = useState<Person>({ kind: 'unknown' });
  const [link, setLink] = useState<Link | null>(firstLink);
  const [problem, setProblem] = useState<ApiProblem | null>(null);

  const start = useCallback(async () => {
    setProblem(null);
    try {
      setInfo(await api.info());
      setPerson(await whoAmI());
    } catch (caught) {
      setProblem(problemFrom(caught));
    }
  }, []);
  useEffect(() => void start(), [start]);

  // A link opened in a tab that already shows the page only changes the fragment. What the tab knows may be old by
  // then, so it asks again first.
  useEffect(() => {
    const changed = (): void => {
      const fresh = takeLink(window.location, window.history);
      if (fresh === null) return;
      setLink(fresh);
      setPerson({ kind: 'unknown' });
      void start();
    };
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, [start]);

  const signedIn = useCallback((me: Me) => {
    setInfo((before) => (before === null ? null : { ...before, setup_needed: false }));
    setPerson({ kind: 'me', me });
  }, []);
  const signedOut = useCallback((notice: string) => setPerson({ kind: 'nobody', notice }), []);
  // Whoever logs out is told by the stream, too, and perhaps later: then it is no news.
  const ended = useCallback(
    () => setPerson((before) => (before.kind === 'me' ? { kind: 'nobody', notice: ENDED } : before)),
    [],
  );

  const loggedIn = person.kind === 'me';
  useEffect(() => {
    if (!loggedIn) return;
    whenSignedOut(ended);
    const stop = watchSession({ me: (me) => setPerson({ kind: 'me', me }), gone: ended });
    return () => {
      whenSignedOut(() => undefined);
      stop();
    };
  }, [loggedIn, ended]);

  if (problem !== null) {
    return (
      <EntryFrame title="Mosaic cannot start here">
        <Problem problem={problem} />
        <button type="button" className="primary" onClick={() => void start()}>
          Try again
        </button>
      </EntryFrame>
    );
  }
  if (info === null || person.kind === 'unknown') {
    return (
      <p className="loading" role="status">
        Loading…
      </p>
    );
  }
  const put = (): void => setLink(null);
  // Whoever has the link may read, logged in or not.
  if (link?.kind === 'shared') return <SharedPage key={link.code} code={link.code} close={put} />;
  if (link?.kind === 'recovery') {
    return (
      <RecoveryPage
        code={link.code}
        cancel={put}
        done={async () => {
          // Somebody else may be logged in here, whose session this does not touch.
          const now = await whoAmI();
          put();
          if (now.kind === 'nobody') signedOut('Your new password is set. Log in with it.');
          else setPerson(now);
        }}
      />
    );
  }
  if (person.kind === 'me') {
    if (link?.kind === 'invite') return <JoinPage code={link.code} me={person.me} done={put} loggedOut={() => signedOut('')} />;
    return (
      <AccountPage
        info={info}
        me={person.me}
        notice={link?.kind === 'problem' ? problemSentence(link.code) : ''}
        changed={(me) => setPerson({ kind: 'me', me })}
        left={(sentence) => {
          put();
          signedOut(sentence);
        }}
      />
    );
  }
  if (info.setup_needed) {
    return <SetupPage code={link?.kind === 'setup' ? link.code : ''} done={(me) => { put(); signedIn(me); }} />;
  }
  if (link?.kind === 'invite') {
    return <InvitePage code={link.code} info={info} created={(me) => { put(); signedIn(me); }} loggedIn={signedIn} cancel={put} />;
  }
  return <LoginPage info={info} notice={person.notice || noticeFor(link)} done={(me) => { put(); signedIn(me); }} />;
}

async function whoAmI(): Promise<Person> {
  try {
    return { kind: 'me', me: await api.me() };
  } catch (caught) {
    if (caught instanceof ApiProblem && caught.status === 401) return { kind: 'nobody', notice: '' };
    throw caught;
  }
}

function noticeFor(link: Link | null): string {
  if (link?.kind === 'problem') return problemSentence(link.code);
  if (link?.kind === 'setup') return 'This server is already set up, and its setup link no longer works. Log in instead.';
  return '';
}
