// The words of the server that this page uses, out of protocol.ts, which is made by the program; and lists of the few
// that a person chooses from.
import type { Role, Scope } from './protocol';

export type {
  AuditEntry, AuditReport, CreatedInvite, CreatedToken, Identity, Info, Invite, LinkedConversation, Me, Member,
  OneTimeLink, Provider, Role, Scope, Session, Team, Token, User, Workspace,
} from './protocol';

/** One page of any list. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

export const SCOPES = ['read', 'write', 'models', 'admin', 'metrics'] as const satisfies readonly Scope[];
export const ROLES = ['owner', 'member', 'viewer'] as const satisfies readonly Role[];
