// What the entries of a conversation come to, one after the other: the same as crates/protocol/src/replay.rs says, held
// to it by the files in fixtures/replay. Leaves out what passes and is not stored: see view.ts.
import { FACTS, type Author, type Entry, type Fact, type Replay, type WorkspaceId, type LogId } from '../protocol';

/** An entry that tells a fact which this version knows. */
export type Told = Entry & Fact;

/** Whether this version knows what an entry tells. What a newer server wrote is shown as such, and kept. */
export function isTold(entry: Entry): entry is Told {
  const fields = Object.hasOwn(FACTS, entry.kind) ? FACTS[entry.kind as Fact['kind']] : null;
  const body = entry.body;
  return fields !== null && typeof body === 'object' && body !== null && fields.every((field) => field in body);
}

/** An entry is missing before the one that was told: ask for those after this place. */
export class Gap extends Error {
  constructor(readonly after: number) {
    super(`the entry after ${after} was not told`);
    this.name = 'Gap';
  }
}

export const NOTHING: Replay = {
  head: 0,
  title: '',
  workspace_id: null,
  project_id: null,
  created_by: null,
  parent: null,
  archived: false,
  tags: [],
  members: {},
  teams: {},
  pins: [],
  link: false,
  said: [],
};

const SAID = ['user_message', 'assistant_reply', 'tool_result'];

/** Goes on with the next entry. One that was told before changes nothing; the state before stays as it was. */
export function tell(state: Replay, entry: Entry): Replay {
  if (entry.seq <= state.head) return state;
  if (entry.seq !== state.head + 1) throw new Gap(state.head);
  const next: Replay = { ...state, head: entry.seq };
  const say = (): Replay => ({ ...next, said: [...next.said, entry] });
  if (!isTold(entry)) return say();
  switch (entry.kind) {
    case 'began':
    case 'imported':
      return begin(next, entry.body.title, entry.body.workspace_id, entry.author, null);
    case 'forked':
      return begin(next, entry.body.title, entry.body.workspace_id, entry.author, entry.body.parent);
    case 'user_message':
    case 'assistant_reply':
    case 'tool_result':
      return say();
    case 'erased':
      // Only of what was said is there a place to show that it was erased.
      return SAID.includes(entry.body.was) ? say() : next;
    case 'renamed':
      return { ...next, title: entry.body.title };
    case 'archived':
      return { ...next, archived: true };
    case 'unarchived':
      return { ...next, archived: false };
    case 'tagged':
      return { ...next, tags: [...new Set(entry.body.tags)] };
    case 'moved':
      return { ...next, workspace_id: entry.body.workspace_id, project_id: entry.body.project_id ?? null };
    case 'member_set':
      return { ...next, members: { ...next.members, [entry.body.user_id]: entry.body.role } };
    case 'member_removed':
      return { ...next, members: without(next.members, entry.body.user_id) };
    case 'team_shared':
      return { ...next, teams: { ...next.teams, [entry.body.team_id]: entry.body.role } };
    case 'team_unshared':
      return { ...next, teams: without(next.teams, entry.body.team_id) };
    case 'link_opened':
      return { ...next, link: true };
    case 'link_closed':
      return { ...next, link: false };
    case 'pinned':
      return { ...next, pins: [...next.pins.filter((seq) => seq !== entry.body.seq), entry.body.seq].sort((a, b) => a - b) };
    case 'unpinned':
      return { ...next, pins: next.pins.filter((seq) => seq !== entry.body.seq) };
    // These are told in inboxes.
    case 'shared_with_me':
    case 'taken_away':
    case 'needs_me':
      return next;
  }
}

/** What these entries come to, from the first one on or from what is known already. */
export function replay(entries: readonly Entry[], from: Replay = NOTHING): Replay {
  return entries.reduce(tell, from);
}

// What a copied prefix told of who takes part, tags, pins and links happened elsewhere: here it all begins now.
function begin(state: Replay, title: string, workspace_id: WorkspaceId, author: Author, parent: LogId | null): Replay {
  const creator = author.is === 'user' ? author.id : null;
  const members: Replay['members'] = creator === null ? {} : { [creator]: 'owner' };
  return { ...NOTHING, head: state.head, said: state.said, title, workspace_id, created_by: creator, parent, members };
}

function without<T>(all: Record<string, T>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([key]) => key !== name));
}
