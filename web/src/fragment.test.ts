// The one-time codes in an address: read once, and gone from it.
import { describe, expect, it } from 'vitest';
import { codeFrom, parseLink, takeLink, viewFrom } from './fragment';

function addressAt(hash: string) {
  const shown: string[] = [];
  const location = { hash, pathname: '/', search: '?a=1' } as Location;
  const history = { state: null, replaceState: (_state: unknown, _title: string, url: string) => shown.push(url) } as unknown as History;
  return { location, history, shown };
}

describe('a link', () => {
  it('is read from a fragment and from a whole address', () => {
    expect(parseLink('#setup=ab-c_1')).toEqual({ kind: 'setup', code: 'ab-c_1' });
    expect(parseLink('http://127.0.0.1:1/#invite=x%2Dy')).toEqual({ kind: 'invite', code: 'x-y' });
  });
  it('is nothing when its kind is unknown, its code missing, or far too long', () => {
    for (const text of ['', '#', '#setup', '#setup=', '#token=abc', '#sessions', `#setup=${'x'.repeat(513)}`]) {
      expect(parseLink(text)).toBeNull();
    }
  });
  it('survives a broken escape', () => {
    expect(parseLink('#recovery=%zz')).toEqual({ kind: 'recovery', code: '%zz' });
  });
  it('leaves the address as it is read', () => {
    const { location, history, shown } = addressAt('#recovery=secret');
    expect(takeLink(location, history)).toEqual({ kind: 'recovery', code: 'secret' });
    expect(shown).toEqual(['/?a=1']);
  });
  it('leaves the address even when it is mistyped', () => {
    const { location, history, shown } = addressAt('#setpu=secret');
    expect(takeLink(location, history)).toBeNull();
    expect(shown).toEqual(['/?a=1']);
  });
  it('lets a plain view stay in the address', () => {
    const { location, history, shown } = addressAt('#tokens');
    expect(takeLink(location, history)).toBeNull();
    expect(shown).toEqual([]);
    expect(viewFrom('#tokens', ['account', 'tokens'], 'account')).toBe('tokens');
    expect(viewFrom('#users', ['account', 'tokens'], 'account')).toBe('account');
  });
  it('is accepted whole or as its bare code when pasted', () => {
    expect(codeFrom(' http://h/#setup=abc ', 'setup')).toBe('abc');
    expect(codeFrom(' abc ', 'setup')).toBe('abc');
  });
});
