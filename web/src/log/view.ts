// A followed log as it is shown: what its entries come to, what is being typed, who is there. Each frame of the socket
// makes the next view of it. Leaves out the connection: who holds it follows again from `replay.head` after a cut.
import type { DraftId, Entry, PresenceState, Replay, ServerFrame, UserId } from '../protocol';
import { isTold, NOTHING, tell } from './replay';

/** A reply while it is being typed, by channel. It is never stored; the entry that settles it names it. */
export type Draft = Record<'text' | 'thinking' | 'tool', string>;

export interface View {
  replay: Replay;
  drafts: Record<DraftId, Draft>;
  present: Record<UserId, PresenceState>;
  /** Everything up to the head was told; what comes now is live. */
  live: boolean;
  /** It is no longer to be seen, or never was. */
  gone: boolean;
}

export const UNSEEN: View = { replay: NOTHING, drafts: {}, present: {}, live: false, gone: false };

/** What is known after a cut: the entries stay, what was passing does not. */
export function cut(view: View): View {
  return { ...UNSEEN, replay: view.replay, gone: view.gone };
}

/** The view of `log` after a frame. Frames of other logs and of the connection change nothing. */
export function see(view: View, log: string, frame: ServerFrame): View {
  if (!('log' in frame) || frame.log !== log || view.gone) return view;
  switch (frame.type) {
    case 'entry': {
      const { type: _type, log: _log, ...entry } = frame;
      return { ...view, replay: tell(view.replay, entry), drafts: settled(view.drafts, entry) };
    }
    case 'draft': {
      const before = view.drafts[frame.draft_id] ?? { text: '', thinking: '', tool: '' };
      const known = before[frame.channel];
      // 0 begins anew. A piece that goes on from elsewhere belongs to what was told before a cut: the next 0 mends it.
      if (frame.offset !== 0 && frame.offset !== bytes(known)) return view;
      const draft = { ...before, [frame.channel]: frame.offset === 0 ? frame.text : known + frame.text };
      return { ...view, drafts: { ...view.drafts, [frame.draft_id]: draft } };
    }
    case 'live':
      return { ...view, live: true };
    case 'gone':
      return { ...UNSEEN, gone: true };
    case 'presence': {
      const { [frame.user]: _before, ...others } = view.present;
      return { ...view, present: frame.state === 'away' ? others : { ...others, [frame.user]: frame.state } };
    }
    case 'accepted':
      return view;
  }
}

/** An unrelated entry never wipes what is being typed. */
function settled(drafts: View['drafts'], entry: Entry): View['drafts'] {
  if (!isTold(entry) || entry.kind !== 'assistant_reply') return drafts;
  const { draft_id } = entry.body;
  if (draft_id == null || !(draft_id in drafts)) return drafts;
  const { [draft_id]: _settled, ...others } = drafts;
  return others;
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
