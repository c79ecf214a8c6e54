// Follows /api/me/events, so that the page knows at once when its session is ended somewhere else.
// Leaves out what to show then; and resuming, because each event says the whole current state.
import { api, ApiProblem } from './api';
import type { Me } from './wire';

export interface Watcher {
  me: (me: Me) => void;
  gone: () => void;
}

interface Stream {
  readonly readyState: number;
  addEventListener(kind: string, listener: (event: Event) => void): void;
  close(): void;
}

export interface World {
  open: (path: string) => Stream;
  me: () => Promise<Me>;
  later: (run: () => void, milliseconds: number) => void;
}

const browserWorld: World = {
  open: (path) => new EventSource(path),
  me: () => api.me(),
  later: (run, milliseconds) => void setTimeout(run, milliseconds),
};

const CLOSED = 2;
const LONGEST_PAUSE = 30_000;

/** Starts watching; the answer stops it, after which the watcher is never called again. */
export function watchSession(watcher: Watcher, world: World = browserWorld): () => void {
  let stopped = false;
  let stream: Stream | null = null;
  let pause = 1_000;

  const stop = (): void => {
    stopped = true;
    stream?.close();
  };
  const gone = (): void => {
    if (stopped) return;
    stop();
    watcher.gone();
  };
  const tell = (me: Me): void => {
    if (!stopped) watcher.me(me);
  };
  // A browser reconnects by itself after a cut, but gives up for good when it is answered with an error.
  // Then ask plainly: no session means gone, anything else means try again a little later.
  const refused = async (): Promise<void> => {
    try {
      tell(await world.me());
    } catch (caught) {
      if (caught instanceof ApiProblem && caught.status === 401) return gone();
    }
    world.later(open, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  };
  function open(): void {
    if (stopped) return;
    const current = world.open(api.eventsPath);
    stream = current;
    current.addEventListener('me', (event) => {
      const me = meOf(event);
      if (me === null) return;
      pause = 1_000;
      tell(me);
    });
    current.addEventListener('gone', gone);
    current.addEventListener('error', () => {
      if (!stopped && current.readyState === CLOSED) void refused();
    });
  }
  open();
  return stop;
}

function meOf(event: Event): Me | null {
  if (!('data' in event) || typeof event.data !== 'string') return null;
  try {
    return JSON.parse(event.data) as Me;
  } catch {
    return null;
  }
}
