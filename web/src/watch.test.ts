// Following the session: told of changes, told once of its end, patient with a server that is away.
import { describe, expect, it } from 'vitest';
import { ApiProblem } from './api';
import { watchSession, type World } from './watch';
import type { Me } from './wire';

const me: Me = { user: { id: '1', name: 'ada', display_name: 'Ada', admin: false, state: 'active', created_at: 0 }, workspace_id: 'w' };

class FakeStream {
  readyState = 1;
  closed = false;
  readonly listeners = new Map<string, (event: Event) => void>();
  addEventListener(kind: string, listener: (event: Event) => void): void {
    this.listeners.set(kind, listener);
  }
  close(): void {
    this.closed = true;
  }
  emit(kind: string, data?: string): void {
    this.listeners.get(kind)?.(data === undefined ? new Event(kind) : new MessageEvent(kind, { data }));
  }
}

function start(answers: (() => Promise<Me>)[] = []) {
  const streams: FakeStream[] = [];
  const pauses: number[] = [];
  const timers: (() => void)[] = [];
  const seen: string[] = [];
  const world: World = {
    open: () => {
      const stream = new FakeStream();
      streams.push(stream);
      return stream;
    },
    me: () => (answers.shift() ?? (() => Promise.resolve(me)))(),
    later: (run, pause) => {
      pauses.push(pause);
      timers.push(run);
    },
  };
  const stop = watchSession({ me: (now) => seen.push(now.user.name), gone: () => seen.push('gone') }, world);
  const refuse = async (): Promise<void> => {
    const stream = streams.at(-1);
    if (stream === undefined) throw new Error('no stream is open');
    stream.readyState = 2;
    stream.emit('error');
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  };
  return { streams, pauses, timers, seen, stop, refuse };
}

describe('watching a session', () => {
  it('tells of me, and overlooks what is not JSON', () => {
    const { streams, seen } = start();
    streams[0]?.emit('me', JSON.stringify(me));
    streams[0]?.emit('me', '{');
    expect(seen).toEqual(['ada']);
  });
  it('tells of the end once, and lets go of the stream', () => {
    const { streams, seen } = start();
    streams[0]?.emit('gone');
    streams[0]?.emit('gone');
    expect(seen).toEqual(['gone']);
    expect(streams[0]?.closed).toBe(true);
  });
  it('tells nothing after it was stopped', () => {
    const { streams, seen, stop } = start();
    stop();
    streams[0]?.emit('gone');
    streams[0]?.emit('me', JSON.stringify(me));
    expect(seen).toEqual([]);
  });
  it('leaves a cut to the browser, which reconnects', async () => {
    const { streams, timers } = start();
    streams[0]?.emit('error');
    expect(timers).toEqual([]);
  });
  it('takes a refusal for the end only when there is no session any more', async () => {
    const { seen, refuse } = start([() => Promise.reject(new ApiProblem(401, 'not_logged_in', 'm', 'n', 'r'))]);
    await refuse();
    expect(seen).toEqual(['gone']);
  });
  it('tries again, ever more slowly, while the server is away', async () => {
    const away = (): Promise<Me> => Promise.reject(new ApiProblem(503, 'starting', 'm', 'n', 'r'));
    const { streams, pauses, timers, seen, refuse } = start(Array.from({ length: 7 }, () => away));
    for (let round = 0; round < 7; round += 1) {
      await refuse();
      timers.at(-1)?.();
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16000, 30000, 30000]);
    expect(streams).toHaveLength(8);
    expect(seen).toEqual([]);
  });
});
