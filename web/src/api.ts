// The one place that talks to the server: a typed function for each request the page makes.
// Leaves out keeping anything: who calls decides what to do with an answer.
import type {
  AuditEntry, AuditReport, CreatedInvite, CreatedToken, Identity, Info, Invite, LinkedConversation, Me, Member, OneTimeLink,
  Page, Role, Scope, Session, Team, Token, User, Workspace,
} from './wire';

/** Why a request failed, in words for a person: what happened, what to do next, and an id to quote. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly next: string,
    readonly requestId: string,
  ) {
    super(message);
    this.name = 'ApiProblem';
  }
}

type Fetch = (input: string, init: RequestInit) => Promise<Response>;
let ask: Fetch = (input, init) => fetch(input, init);
let onSignedOut: () => void = () => undefined;

/** For tests: answers requests without a server. */
export function answerWith(fake: Fetch): void {
  ask = fake;
}

/** Called when a request that needs a session was refused for want of one. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

async function request(method: string, path: string, body?: unknown): Promise<Response> {
  const init: RequestInit = { method, credentials: 'same-origin', cache: 'no-store', redirect: 'error', headers: { accept: 'application/json' } };
  if (body !== undefined) {
    init.headers = { accept: 'application/json', 'content-type': 'application/json' };
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await ask(`/api${path}`, init);
  } catch {
    throw new ApiProblem(0, 'unreachable', 'The server did not answer.', 'Check that Mosaic is running and that you are online, then try again.', '');
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Requests of somebody who is logged in: a 401 means that the session is over. */
async function get<T>(path: string): Promise<T> {
  return decode<T>(await whileLoggedIn(request('GET', path)));
}

async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  return decode<T>(await whileLoggedIn(request(method, path, body)));
}

async function drop(method: string, path: string, body?: unknown): Promise<void> {
  await whileLoggedIn(request(method, path, body));
}

async function whileLoggedIn(answer: Promise<Response>): Promise<Response> {
  try {
    return await answer;
  } catch (caught) {
    if (caught instanceof ApiProblem && caught.status === 401) onSignedOut();
    throw caught;
  }
}

async function decode<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch {
    throw unexpected(response.status, response.headers.get('x-request-id') ?? '');
  }
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const id = response.headers.get('x-request-id') ?? '';
  let body: unknown;
  try {
    body = await response.json();
  } catch {
    return unexpected(response.status, id);
  }
  const error = field(body, 'error');
  const message = text(field(error, 'message'));
  if (message === '') return unexpected(response.status, id);
  return new ApiProblem(response.status, text(field(error, 'code')), message, text(field(error, 'next')), text(field(error, 'request_id')) || id);
}

function unexpected(status: number, id: string): ApiProblem {
  return new ApiProblem(status, 'unexpected', `The server gave an answer that this page does not understand (${status}).`, 'Reload the page; if it stays, ask whoever runs this server.', id);
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const id = encodeURIComponent;
const after = (cursor: string | null): string => (cursor === null ? '' : `?after=${id(cursor)}`);

export const api = {
  // Open to everyone
  info: async () => decode<Info>(await request('GET', '/info')),
  setup: async (code: string, name: string, password: string) => decode<Me>(await request('POST', '/setup', { code, name, password })),
  login: async (name: string, password: string) => decode<Me>(await request('POST', '/login', { name, password })),
  acceptInvite: async (code: string, name: string, password: string) => decode<Me>(await request('POST', '/invites/accept', { code, name, password })),
  recover: async (code: string, password: string): Promise<void> => void (await request('POST', '/recovery', { code, password })),
  shared: async (code: string, after: number, limit: number) => decode<LinkedConversation>(await request('POST', '/shared', { code, after, limit })),
  oidcStart: (provider: string) => `/api/oidc/${id(provider)}/start`,

  // My account. `me` is how the page finds out whether it is logged in, and these passwords may simply be wrong,
  // so a 401 here does not by itself end the session. Who logs in with a provider has no password: it is left out.
  me: async () => decode<Me>(await request('GET', '/me')),
  changePassword: async (current: string, fresh: string): Promise<void> =>
    void (await request('POST', '/me/password', { ...(current === '' ? {} : { current }), new: fresh })),
  deleteMe: async (name: string, password: string): Promise<void> =>
    void (await request('DELETE', '/me', { name, ...(password === '' ? {} : { password }) })),
  logout: async (): Promise<void> => void (await request('POST', '/logout')),
  rename: (display_name: string) => send<Me>('PATCH', '/me', { display_name }),
  sessions: (cursor: string | null) => get<Page<Session>>(`/me/sessions${after(cursor)}`),
  endSession: (session: string) => drop('DELETE', `/me/sessions/${id(session)}`),
  endOtherSessions: () => drop('DELETE', '/me/sessions'),
  tokens: (cursor: string | null) => get<Page<Token>>(`/me/tokens${after(cursor)}`),
  createToken: (name: string, scopes: Scope[], expires_in_days: number) => send<CreatedToken>('POST', '/me/tokens', { name, scopes, expires_in_days }),
  revokeToken: (token: string) => drop('DELETE', `/me/tokens/${id(token)}`),
  identities: (cursor: string | null) => get<Page<Identity>>(`/me/identities${after(cursor)}`),
  linkIdentity: async (provider: string, password: string) =>
    decode<{ url: string }>(await request('POST', '/me/identities', { provider, ...(password === '' ? {} : { password }) })),
  unlinkIdentity: (identity: string) => drop('DELETE', `/me/identities/${id(identity)}`),
  eventsPath: '/api/me/events',

  // Teams and workspaces
  workspaces: (cursor: string | null) => get<Page<Workspace>>(`/workspaces${after(cursor)}`),
  joinTeam: (code: string) => send<Team>('POST', '/invites/join', { code }),
  teams: (cursor: string | null) => get<Page<Team>>(`/teams${after(cursor)}`),
  createTeam: (name: string) => send<Team>('POST', '/teams', { name }),
  deleteTeam: (team: string) => drop('DELETE', `/teams/${id(team)}`),
  members: (team: string, cursor: string | null) => get<Page<Member>>(`/teams/${id(team)}/members${after(cursor)}`),
  setRole: (team: string, user: string, role: Role) => drop('PUT', `/teams/${id(team)}/members/${id(user)}`, { role }),
  removeMember: (team: string, user: string) => drop('DELETE', `/teams/${id(team)}/members/${id(user)}`),
  inviteToTeam: (team: string, role: Role, expires_in_hours: number) => send<CreatedInvite>('POST', `/teams/${id(team)}/invites`, { role, expires_in_hours }),

  // Administration
  users: (cursor: string | null) => get<Page<User>>(`/users${after(cursor)}`),
  suspend: (user: string) => drop('POST', `/users/${id(user)}/suspend`),
  resume: (user: string) => drop('POST', `/users/${id(user)}/resume`),
  recoveryLink: (user: string) => send<OneTimeLink>('POST', `/users/${id(user)}/recovery`),
  deleteUser: (user: string) => drop('DELETE', `/users/${id(user)}`),
  invites: (cursor: string | null) => get<Page<Invite>>(`/invites${after(cursor)}`),
  createInvite: (expires_in_hours: number, team: { team_id: string; role: Role } | null) => send<CreatedInvite>('POST', '/invites', { expires_in_hours, ...team }),
  revokeInvite: (invite: string) => drop('DELETE', `/invites/${id(invite)}`),
  audit: (seq: number, limit: number) => get<Page<AuditEntry>>(`/audit?after=${seq}&limit=${limit}`),
  verifyAudit: () => get<AuditReport>('/audit/verify'),
};
