// The law that the server and this page share: a snapshot and the entries after it make the same as all entries.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Entry, Replay } from '../protocol';
import { Gap, isTold, NOTHING, replay, tell } from './replay';

const fixtures = join(import.meta.dirname, '../../../fixtures');

function lines<T>(name: string): T[] {
  const text = readFileSync(join(fixtures, `${name}.jsonl`), 'utf8');
  return text.trimEnd().split('\n').map((line) => JSON.parse(line) as T);
}

describe.each([
  ['logs/v1', 'v1'],
  ['logs/newer', 'newer'],
  ['replay/forked', 'forked'],
])('%s', (log, name) => {
  const entries = lines<Entry>(log);
  const snapshots = lines<{ after: number; state: Replay }>(`replay/${name}.snapshots`);

  it('comes to what the server says', () => {
    expect(snapshots.length).toBeGreaterThan(1);
    for (const { after, state } of snapshots) expect(replay(entries.slice(0, after)), `after ${after}`).toEqual(state);
  });
  it('is the same from any snapshot on, told twice or not', () => {
    const whole = replay(entries);
    for (const { after, state } of snapshots) {
      expect(replay(entries.slice(after), state), `after ${after}`).toEqual(whole);
      expect(replay(entries.slice(Math.max(0, after - 2)), state), `after ${after}`).toEqual(whole);
    }
    for (let k = 0; k <= entries.length; k += 1) expect(replay(entries.slice(k), replay(entries.slice(0, k)))).toEqual(whole);
  });
});

it('notices a missing entry and leaves what it had', () => {
  const entries = lines<Entry>('logs/v1');
  const before = replay(entries.slice(0, 3));
  const kept = structuredClone(before);
  expect(() => tell(before, entries[4] as Entry)).toThrow(new Gap(3));
  tell(before, entries[3] as Entry);
  expect(before).toEqual(kept);
});

it('does not take what it does not know for what it knows', () => {
  for (const entry of lines<Entry>('logs/newer')) expect(isTold(entry)).toBe(false);
  for (const entry of lines<Entry>('logs/v1')) expect(isTold(entry)).toBe(true);
  const odd = { seq: 1, at: 1, author: { is: 'system' }, kind: 'toString', body: {} } as Entry;
  expect(isTold(odd)).toBe(false);
  expect(tell(NOTHING, odd).said).toEqual([odd]);
});
