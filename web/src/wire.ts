// The shapes of what the server sends, as this page reads them. Times are UTC milliseconds.
// Leaves out fields that the page does not show.

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Provider {
  name: string;
  label: string;
}

export interface Info {
  version: string;
  setup_needed: boolean;
  providers: Provider[];
}

export interface User {
  id: string;
  name: string;
  display_name: string;
  admin: boolean;
  state: 'active' | 'suspended';
  created_at: number;
}

export interface Me {
  user: User;
  workspace_id: string;
}

export interface Session {
  id: string;
  created_at: number;
  seen_at: number;
  expires_at: number;
  agent: string;
  address: string;
  current: boolean;
}

export const SCOPES = ['read', 'write', 'admin', 'metrics'] as const;
export type Scope = (typeof SCOPES)[number];

export interface Token {
  id: string;
  name: string;
  scopes: Scope[];
  created_at: number;
  expires_at: number;
  used_at: number | null;
}

export interface TokenSecret {
  token: Token;
  secret: string;
}

export interface Identity {
  id: string;
  provider: string;
  created_at: number;
}

export const ROLES = ['owner', 'member', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

export interface Team {
  id: string;
  name: string;
  workspace_id: string;
  role: Role;
}

export interface Member {
  user_id: string;
  name: string;
  display_name: string;
  role: Role;
}

export interface Invite {
  id: string;
  creates_account: boolean;
  team_id: string | null;
  role: Role | null;
  expires_at: number;
  created_at: number;
}

export interface InviteLink {
  invite: Invite;
  link: string;
}

export interface RecoveryLink {
  link: string;
  expires_at: number;
}

export interface Workspace {
  id: string;
  name: string;
  kind: 'personal' | 'shared';
  team_id: string | null;
  /** Null where an admin only looks after its quota. */
  role: Role | null;
  used_bytes: number;
  quota_bytes: number;
}

export interface AuditEntry {
  seq: number;
  at: number;
  /** `user:<id>`, `system`, or `nobody` before a login. */
  actor: string;
  action: string;
  object: string;
  detail: string;
}

export interface AuditReport {
  entries: number;
  head: string;
  broken_at: number | null;
  message: string;
}
