// How far a shared conversation was read, and what those in it are called.
import { expect, it } from 'vitest';
import type { Author, Entry } from '../protocol';
import { further, namesOf } from './shared';

const said = (seq: number, author: Author): Entry => ({ seq, at: 1, author, kind: 'user_message', body: { text: 'hello', origin: { surface: '' } } });
const person = (id: string): Author => ({ is: 'user', id });

it('goes on where it looked, even where nothing was said, and shows nothing twice', () => {
  const first = further(null, { title: 'A', items: [said(2, person('a'))], head: 450 });
  expect([first.at, first.said.length]).toEqual([200, 1]);
  const second = further(first, { title: 'B', items: [], head: 450 });
  const third = further(second, { title: 'B', items: [said(450, person('b'))], head: 450 });
  expect([third.title, third.at, third.said.map(({ seq }) => seq)]).toEqual(['B', 450, [2, 450]]);
  const again = further(third, { title: 'B', items: [said(450, person('b')), said(451, person('a'))], head: 451 });
  expect([again.at, again.said.map(({ seq }) => seq)]).toEqual([451, [2, 450, 451]]);
});

it('numbers people, and says of others what they are', () => {
  const two = namesOf([said(1, person('b')), said(2, person('a')), said(3, person('b'))]);
  expect([two(person('b')), two(person('a'))]).toEqual(['Person 1', 'Person 2']);
  expect(namesOf([said(1, person('b'))])(person('b'))).toBe('Person');
  expect(two({ is: 'named', name: 'Ada' })).toBe('Ada (imported)');
  expect(two({ is: 'agent', name: 'weaver', for: null })).toBe('weaver (agent)');
});
