// What each frame of the socket does to what is shown.
import { expect, it } from 'vitest';
import type { ServerFrame } from '../protocol';
import { cut, see, UNSEEN, type View } from './view';

const LOG = 'a-log';
const entry = (seq: number, kind: 'user_message' | 'assistant_reply', body: { draft_id?: string }): ServerFrame =>
  kind === 'user_message'
    ? { type: 'entry', log: LOG, seq, at: 1, author: { is: 'system' }, kind, body: { text: 'hello', origin: { surface: '' } } }
    : { type: 'entry', log: LOG, seq, at: 1, author: { is: 'system' }, kind, body: { text: 'hello', ...body } };
const draft = (draft_id: string, offset: number, text: string): ServerFrame => ({ type: 'draft', log: LOG, draft_id, channel: 'text', offset, text });
const after = (frames: ServerFrame[], from: View = UNSEEN): View => frames.reduce((view, frame) => see(view, LOG, frame), from);

it('gathers what is typed, by bytes, until the entry that settles it', () => {
  const typed = after([entry(1, 'user_message', {}), draft('d', 0, '線'), draft('d', 3, 'と布'), draft('e', 0, 'x')]);
  expect(typed.drafts['d']?.text).toBe('線と布');
  const unrelated = after([entry(2, 'user_message', {}), entry(3, 'assistant_reply', {})], typed);
  expect(Object.keys(unrelated.drafts)).toEqual(['d', 'e']);
  const settled = after([entry(4, 'assistant_reply', { draft_id: 'd' })], unrelated);
  expect(Object.keys(settled.drafts)).toEqual(['e']);
  expect(settled.replay.said.length).toBe(4);
});

it('begins a draft anew at 0 and passes over what does not go on', () => {
  expect(after([draft('d', 0, 'abc'), draft('d', 0, 'x'), draft('d', 7, 'lost')]).drafts['d']?.text).toBe('x');
});

it('keeps entries over a cut, and nothing that passes', () => {
  const before = after([entry(1, 'user_message', {}), draft('d', 0, 'x'), { type: 'live', log: LOG, head: 1 }, { type: 'presence', log: LOG, user: 'u', state: 'typing' }]);
  expect([before.live, before.present]).toEqual([true, { u: 'typing' }]);
  expect(after([{ type: 'presence', log: LOG, user: 'u', state: 'away' }], before).present).toEqual({});
  const back = cut(before);
  expect([back.live, back.present, back.drafts, back.replay.head]).toEqual([false, {}, {}, 1]);
  // What is told again changes nothing.
  expect(after([entry(1, 'user_message', {})], back).replay).toEqual(back.replay);
});

it('shows nothing of what is gone, and hears nothing of other logs', () => {
  const gone = after([entry(1, 'user_message', {}), { type: 'gone', log: LOG }]);
  expect(gone).toEqual({ ...UNSEEN, gone: true });
  expect(after([entry(1, 'user_message', {})], gone)).toEqual(gone);
  expect(after([{ type: 'gone', log: 'another' }, { type: 'pong' }])).toEqual(UNSEEN);
});
