// What a request looks like on the wire, and what becomes of each kind of refusal.
import { afterEach, describe, expect, it } from 'vitest';
import { answerWith, api, ApiProblem, whenSignedOut } from './api';

const refusal = { error: { code: 'name_taken', message: 'That name is taken.', next: 'Choose another.', request_id: 'r-1' } };

function answering(status: number, body: string, headers: Record<string, string> = {}) {
  const asked: { url: string; init: RequestInit }[] = [];
  answerWith(async (url, init) => {
    asked.push({ url, init });
    return new Response(status === 204 ? null : body, { status, headers });
  });
  return asked;
}

async function problemOf(work: Promise<unknown>): Promise<ApiProblem> {
  try {
    await work;
  } catch (caught) {
    if (caught instanceof ApiProblem) return caught;
    throw caught;
  }
  throw new Error('it should have failed');
}

afterEach(() => whenSignedOut(() => undefined));

describe('a request', () => {
  it('sends JSON to its own origin and escapes what is in its path', async () => {
    const asked = answering(204, '');
    await api.revokeToken('a/../b');
    await api.setRole('t', 'u', 'viewer');
    expect(asked[0]?.url).toBe('/api/me/tokens/a%2F..%2Fb');
    expect(asked[0]?.init.method).toBe('DELETE');
    expect(asked[1]?.init.body).toBe('{"role":"viewer"}');
    expect(asked[1]?.init.credentials).toBe('same-origin');
  });
  it('names the team of an invite only when there is one', async () => {
    const asked = answering(201, '{}');
    await api.createInvite(24, null);
    await api.createInvite(24, { team_id: 't', role: 'member' });
    expect(asked.map(({ init }) => init.body)).toEqual(['{"expires_in_hours":24}', '{"expires_in_hours":24,"team_id":"t","role":"member"}']);
  });
  it('asks for the next page by its cursor', async () => {
    const asked = answering(200, '{"items":[],"next":null}');
    await api.users('c&d');
    expect(asked[0]?.url).toBe('/api/users?after=c%26d');
  });
});

describe('a refusal', () => {
  it('keeps the words of the server', async () => {
    answering(409, JSON.stringify(refusal));
    const problem = await problemOf(api.createTeam('x'));
    expect(problem).toMatchObject({ status: 409, code: 'name_taken', message: 'That name is taken.', next: 'Choose another.', requestId: 'r-1' });
  });
  it('is told in our own words when it is not the server’s JSON', async () => {
    for (const body of ['<html>bad gateway</html>', '{}', '{"error":"text"}', 'null', '[]']) {
      answering(502, body, { 'x-request-id': 'r-2' });
      expect(await problemOf(api.info())).toMatchObject({ status: 502, code: 'unexpected', requestId: 'r-2' });
    }
  });
  it('is told when a good answer is no JSON, and when there is no answer', async () => {
    answering(200, 'hello');
    expect(await problemOf(api.info())).toMatchObject({ code: 'unexpected' });
    answerWith(() => Promise.reject(new TypeError('Failed to fetch')));
    expect(await problemOf(api.info())).toMatchObject({ code: 'unreachable', status: 0 });
  });
  it('ends the session when a session was needed, and not when a password was wrong', async () => {
    let ended = 0;
    whenSignedOut(() => (ended += 1));
    answering(401, JSON.stringify(refusal));
    await problemOf(api.login('a', 'b'));
    await problemOf(api.changePassword('a', 'b'));
    expect(ended).toBe(0);
    await problemOf(api.tokens(null));
    expect(ended).toBe(1);
  });
});
