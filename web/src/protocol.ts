// What the server and its clients say to each other. Made from the program's own types: `make docs-update` refreshes
// it, and a test compares. Leaves out what only the machine's operator asks.

/** Every kind of fact that this version knows, with the fields that its body always has. */
export const FACTS = {
  began: ['title', 'workspace_id'],
  forked: ['parent', 'at', 'title', 'workspace_id'],
  imported: ['title', 'workspace_id'],
  user_message: ['text'],
  assistant_reply: ['text'],
  tool_result: ['tool', 'text'],
  renamed: ['title'],
  archived: [],
  unarchived: [],
  tagged: ['tags'],
  moved: ['workspace_id'],
  member_set: ['user_id', 'role'],
  member_removed: ['user_id'],
  team_shared: ['team_id', 'role'],
  team_unshared: ['team_id'],
  link_opened: [],
  link_closed: [],
  pinned: ['seq'],
  unpinned: ['seq'],
  shared_with_me: ['log'],
  taken_away: ['log'],
  needs_me: ['log', 'seq'],
  erased: ['was'],
} as const;

/** Makes an account with an invitation. */
export interface AcceptInviteRequest {
  code: Code;
  name: AccountName;
  password: NewPassword;
}

/** Where a command's effect is. */
export interface Accepted {
  command_id: CommandId;
  log: LogId;
  seq: Seq;
}

export type AccountName = string;

export type AgentName = string;

/** A file that an entry refers to: a blob of the log's workspace. */
export interface Attachment {
  hash: BlobHash;
  media_type: string;
  name: Label;
}

/** A file that an entry refers to: a blob of the log's workspace. */
export interface AttachmentInput {
  hash: BlobHash;
  media_type?: string;
  name: Label;
}

/** One entry of the audit log. */
export interface AuditEntry {
  action: string;
  actor: string;
  at: Time;
  detail: string;
  digest: string;
  object: string;
  seq: number;
}

/** One page of a list. */
export interface AuditEntryPage {
  items: AuditEntry[];
  next: string | null;
}

/** Whether the chain is whole. */
export interface AuditReport {
  broken_at: number | null;
  entries: number;
  head: string;
  message: string;
}

/** Who wrote an entry. */
export type Author =
  /** A person, or a program with their token. */
  | { id: UserId; is: 'user' }
  /** An agent, on behalf of a person. */
  | { for: UserId | null; is: 'agent'; name: AgentName }
  /** The gateway itself, or whoever runs the machine. */
  | { is: 'system' }
  /** Somebody of whom only a name is known: the author of what was imported. */
  | { is: 'named'; name: string }
  /** Somebody whose account was deleted. */
  | { is: 'gone' };

/** A stored blob. */
export interface Blob {
  hash: BlobHash;
  size_bytes: number;
}

export type BlobHash = string;

/** Changes what others see of me. */
export interface ChangeMeRequest {
  display_name: Label;
}

/** Changes what a member may do. */
export interface ChangeMemberRequest {
  role: Role;
}

/** Changes my password. */
export interface ChangePasswordRequest {
  current?: Password | null;
  new: NewPassword;
}

/** Changes what a user may do on this server. */
export interface ChangeUserRequest {
  admin: boolean;
}

/** What a client says. */
export type ClientFrame =
  /** The first frame. */
  | { generation?: Generation | null; resume?: Position[]; type: 'hello'; versions: [number, number] }
  /** Tell what happens in a log, from a place on. */
  | { after?: Seq; log: LogId; type: 'follow' }
  /** Tell it no longer. */
  | { log: LogId; type: 'unfollow' }
  /** Do this. */
  | { command: Command; command_id: CommandId; type: 'submit' }
  /** Tell those who follow the same conversation that one is there, or typing. Never stored. */
  | { log: LogId; state: PresenceState; type: 'presence' }
  /** Answered by `pong`. */
  | { type: 'ping' };

export type Code = string;

/** What a person asks for. */
export type Command =
  /** Begin a conversation. */
  | { kind: 'create_conversation'; title?: Label | null; workspace_id?: WorkspaceId | null }
  /** Say something. */
  | { attachments?: AttachmentInput[]; kind: 'send_message'; log: LogId; origin?: OriginInput; reply_to?: Seq | null; text: MessageText }
  /** Say one's own message differently: in a new conversation, which has all that came before it. */
  | { kind: 'edit_message'; log: LogId; seq: Seq; text: MessageText }
  /** Begin a conversation with what this one has said so far, or up to a place. */
  | { at?: Seq | null; kind: 'fork'; log: LogId; title?: Label | null; workspace_id?: WorkspaceId | null }
  /** Give a conversation another title. */
  | { kind: 'rename'; log: LogId; title: Label }
  /** Put a conversation away. */
  | { kind: 'archive'; log: LogId }
  /** Take it out again. */
  | { kind: 'unarchive'; log: LogId }
  /** Delete a conversation with all that was said in it. */
  | { kind: 'delete_conversation'; log: LogId }
  /** File it under these tags, and no others. */
  | { kind: 'set_tags'; log: LogId; tags: Tag[] }
  /** Take it to another workspace or project. */
  | { kind: 'move'; log: LogId; project_id?: ProjectId | null; workspace_id: WorkspaceId }
  /** Let somebody take part, or change what they may do. */
  | { kind: 'set_member'; log: LogId; role: ConversationRole; user_id: UserId }
  /** Let somebody no longer take part. Anybody may take themselves out. */
  | { kind: 'remove_member'; log: LogId; user_id: UserId }
  /** Let a team of one's own take part. */
  | { kind: 'share_team'; log: LogId; role: ConversationRole; team_id: TeamId }
  /** Let it no longer take part. */
  | { kind: 'unshare_team'; log: LogId; team_id: TeamId }
  /** Let the link no longer work. (It is made by an HTTP route of its own, because it is shown once.) */
  | { kind: 'close_link'; log: LogId }
  /** Pin a message. */
  | { kind: 'pin'; log: LogId; seq: Seq }
  /** Pin it no longer. */
  | { kind: 'unpin'; log: LogId; seq: Seq }
  /** Note how far one has read. */
  | { kind: 'mark_read'; log: LogId; seq: Seq };

export type CommandId = string;

/** A conversation, as somebody who takes part in it sees it. */
export interface Conversation {
  archived: boolean;
  created_at: Time;
  created_by: UserId | null;
  head: Seq;
  id: LogId;
  link: boolean;
  parent: LogId | null;
  project_id: ProjectId | null;
  read: Seq;
  role: ConversationRole;
  tags: string[];
  title: string;
  updated_at: Time;
  workspace_id: WorkspaceId;
}

/** One page of a list. */
export interface ConversationPage {
  items: Conversation[];
  next: string | null;
}

/** What somebody may do in a conversation. */
export type ConversationRole =
  /** May read. */
  | 'viewer'
  /** May read and say something. */
  | 'editor'
  /** May also change who takes part, and delete it. */
  | 'owner';

/** Invites somebody to this server, and into a team if one is named. */
export interface CreateInviteRequest {
  expires_in_hours?: number | null;
  role?: Role | null;
  team_id?: TeamId | null;
}

/** Invites somebody who has an account into a team. */
export interface CreateTeamInviteRequest {
  expires_in_hours?: number | null;
  role?: Role | null;
}

/** Makes an API token. */
export interface CreateTokenRequest {
  expires_in_days?: number | null;
  name: Label;
  scopes: Scope[];
}

/** Makes an account for somebody else. */
export interface CreateUserRequest {
  name: AccountName;
  password?: NewPassword | null;
}

/** A new invitation and, this once, its link. */
export interface CreatedInvite {
  invite: Invite;
  link: string;
}

/** A new token and, this once, its secret. */
export interface CreatedToken {
  secret: string;
  token: Token;
}

/** Deletes my account and everything in it. */
export interface DeleteMeRequest {
  name: AccountName;
  password?: Password | null;
}

/** Any JSON. */
export type Document = unknown;

/** What a piece of a draft is. */
export type DraftChannel =
  /** The answer itself. */
  | 'text'
  /** What the model thinks before it answers. */
  | 'thinking'
  /** What a tool prints while it runs. */
  | 'tool';

export type DraftId = string;

/** Entries of a log, in their order. */
export interface Entries {
  generation: Generation;
  head: Seq;
  items: Entry[];
}

/** One entry of a log. */
export type Entry = { at: Time; author: Author; seq: Seq } & (Fact | { body: unknown; kind: string });

/** The body of every refused request. */
export interface ErrorBody {
  error: Problem;
}

/** The stable name of what went wrong. */
export type ErrorCode =
  /** The request is not understood: wrong JSON, a bad value, an unknown field. */
  | 'invalid'
  /** No valid session or token came with the request. */
  | 'unauthenticated'
  /** Name and password do not belong together. */
  | 'wrong_login'
  /** The code is wrong, used or expired. */
  | 'bad_code'
  /** The actor may see this, but not do it. */
  | 'forbidden'
  /** The token lacks the scope that this needs. */
  | 'missing_scope'
  /** The Host or Origin of the request is not ours. */
  | 'wrong_origin'
  /** There is no such thing, or the actor may not know of it. */
  | 'not_found'
  /** The path exists, the method does not. */
  | 'method_not_allowed'
  /** The state of things does not allow this now. */
  | 'conflict'
  /** The name is taken. */
  | 'name_taken'
  /** Too large. */
  | 'too_large'
  /** The body is not of a type that this takes. */
  | 'unsupported_type'
  /** The workspace's disk quota is used up. */
  | 'quota_exceeded'
  /** The disk that the gateway stores on is full. */
  | 'disk_full'
  /** Too many requests; wait. */
  | 'throttled'
  /** The request took too long. */
  | 'timeout'
  /** The login provider could not be used. */
  | 'provider_failed'
  /** Something we depend on does not answer. */
  | 'unavailable'
  /** A fault of ours. The log has the details under the request's id. */
  | 'internal';

/** What happened. */
export type Fact =
  /** A conversation began: the first entry of its log. */
  | { body: { title: Label; workspace_id: WorkspaceId }; kind: 'began' }
  /** A conversation began with what another one had said: the entries before this one, which were told there. Who takes part, tags and pins begin anew here. */
  | { body: { at: Seq; edited?: Seq | null; parent: LogId; title: Label; workspace_id: WorkspaceId }; kind: 'forked' }
  /** A conversation began from a file; the messages that follow keep the times that it gave. */
  | { body: { title: Label; workspace_id: WorkspaceId }; kind: 'imported' }
  /** A person, or a program with their token, said something. */
  | { body: { attachments?: Attachment[]; origin: Origin; reply_to?: Seq | null; text: MessageText }; kind: 'user_message' }
  /** An agent answered. */
  | { body: { draft_id?: DraftId | null; incomplete?: boolean; text: MessageText }; kind: 'assistant_reply' }
  /** What a tool answered, as far as it is kept in the log. */
  | { body: { text: MessageText; tool: string }; kind: 'tool_result' }
  /** The conversation has another title. */
  | { body: { title: Label }; kind: 'renamed' }
  /** The conversation was put away. */
  | { body: Record<string, unknown>; kind: 'archived' }
  /** The conversation was taken out again. */
  | { body: Record<string, unknown>; kind: 'unarchived' }
  /** The conversation has these tags, and no others. */
  | { body: { tags: Tag[] }; kind: 'tagged' }
  /** The conversation belongs to another workspace or project. */
  | { body: { project_id?: ProjectId | null; workspace_id: WorkspaceId }; kind: 'moved' }
  /** Somebody became a member, or has another role. */
  | { body: { role: ConversationRole; user_id: UserId }; kind: 'member_set' }
  /** Somebody is no longer a member. */
  | { body: { user_id: UserId }; kind: 'member_removed' }
  /** A team may take part. */
  | { body: { role: ConversationRole; team_id: TeamId }; kind: 'team_shared' }
  /** A team may no longer take part. */
  | { body: { team_id: TeamId }; kind: 'team_unshared' }
  /** Whoever has the link may read along. */
  | { body: Record<string, unknown>; kind: 'link_opened' }
  /** The link no longer works. */
  | { body: Record<string, unknown>; kind: 'link_closed' }
  /** A message was pinned. */
  | { body: { seq: Seq }; kind: 'pinned' }
  /** A message is no longer pinned. */
  | { body: { seq: Seq }; kind: 'unpinned' }
  /** In an inbox: a conversation was shared with its owner. */
  | { body: { log: LogId }; kind: 'shared_with_me' }
  /** In an inbox: a conversation was taken away, or deleted. */
  | { body: { log: LogId }; kind: 'taken_away' }
  /** In an inbox: something waits for its owner. */
  | { body: { log: LogId; seq: Seq }; kind: 'needs_me' }
  /** The body was erased; that there was an entry stays. */
  | { body: { was: string }; kind: 'erased' };

/** How a conversation is written into a file. */
export type Format =
  /** For people: what was said, by whom and when. */
  | 'markdown'
  /** One JSON object with all entries. */
  | 'json'
  /** A line about the file, then each entry as a line of JSON. */
  | 'jsonl';

/** Something that was found. */
export interface Found {
  at: Time;
  author: Author;
  conversation_id: LogId;
  kind: FoundKind;
  seq: Seq;
  snippet: SnippetPiece[];
  title: string;
}

/** What can be found. */
export type FoundKind =
  /** What a person said. */
  | 'user_message'
  /** What an agent answered. */
  | 'assistant_reply'
  /** What a tool answered. */
  | 'tool_result'
  /** What a conversation was called. */
  | 'title';

/** One page of a list. */
export interface FoundPage {
  items: Found[];
  next: string | null;
}

export type Generation = string;

/** Where to go next. */
export interface Goto {
  url: string;
}

export type HostName = string;

/** An account at a login provider that is linked to mine. */
export interface Identity {
  created_at: Time;
  id: IdentityId;
  provider: string;
}

export type IdentityId = string;

/** One page of a list. */
export interface IdentityPage {
  items: Identity[];
  next: string | null;
}

/** What came of an import. */
export interface ImportReport {
  command_id: CommandId;
  log: LogId;
  n_files_left_out: number;
  n_left_out: number;
  n_messages: number;
  seq: Seq;
}

/** Where one's inbox is. */
export interface Inbox {
  log: LogId;
}

/** What a page needs to know before anyone has logged in. */
export interface Info {
  providers: Provider[];
  setup_needed: boolean;
  version: string;
}

/** An invitation, without its code. */
export interface Invite {
  created_at: Time;
  creates_account: boolean;
  expires_at: Time;
  id: InviteId;
  role: Role | null;
  team_id: TeamId | null;
}

export type InviteId = string;

/** One page of a list. */
export interface InvitePage {
  items: Invite[];
  next: string | null;
}

/** Joins a team with an invitation. */
export interface JoinRequest {
  code: Code;
}

export type Label = string;

/** The bounds that a client does well to know. */
export interface Limits {
  follows: number;
  frame_bytes: number;
  idle_seconds: number;
  queue_bytes: number;
}

/** Begins to link an account at a login provider. */
export interface LinkIdentityRequest {
  password?: Password | null;
  provider: ProviderName;
}

/** A conversation, as somebody with the link sees it. */
export interface LinkedConversation {
  head: Seq;
  items: Entry[];
  title: string;
}

/** Reads along by a link. */
export interface LinkedRequest {
  after?: Seq | null;
  before?: Seq | null;
  code: Code;
  limit?: number | null;
}

export type LogId = string;

/** A login by password. */
export interface LoginRequest {
  name: AccountName;
  password: Password;
}

/** The answer to "who am I". */
export interface Me {
  user: User;
  workspace_id: WorkspaceId;
}

/** Somebody who belongs to a team. */
export interface Member {
  display_name: string;
  name: string;
  role: Role;
  user_id: UserId;
}

/** One page of a list. */
export interface MemberPage {
  items: Member[];
  next: string | null;
}

export type MessageText = string;

export type NewPassword = string;

/** A one-time link, shown once. */
export interface OneTimeLink {
  expires_at: Time;
  link: string;
}

/** Where a message came from. */
export interface Origin {
  external_id?: string | null;
  relayed?: boolean;
  surface: string;
}

/** Where a message came from. */
export interface OriginInput {
  external_id?: string | null;
  relayed?: boolean;
  surface?: string;
}

/** Somebody who takes part in a conversation. */
export interface Participant {
  display_name: string;
  name: string;
  role: ConversationRole;
  user_id: UserId;
}

/** Who takes part. */
export interface Participants {
  members: Participant[];
  teams: SharedTeam[];
}

export type Password = string;

/** A place in a log that a client has already. */
export interface Position {
  after: Seq;
  log: LogId;
}

/** What somebody does just now. */
export type PresenceState =
  /** Looks at the conversation. */
  | 'here'
  /** Types a message. */
  | 'typing'
  /** Looks elsewhere. */
  | 'away';

/** What went wrong and what to do next. */
export interface Problem {
  code: ErrorCode;
  message: string;
  next: string;
  request_id: string;
}

export type ProjectId = string;

/** A login provider, as a button shows it. */
export interface Provider {
  label: string;
  name: string;
}

export type ProviderName = string;

/** Stores a secret. */
export interface PutSecretRequest {
  host: HostName;
  value: SecretValue;
}

/** Changes how much disk a workspace may use. */
export interface QuotaRequest {
  quota_bytes: number;
}

/** Whether every part is ready, part by part. */
export interface Ready {
  parts: Record<string, string>;
  ready: boolean;
}

/** A new password by a one-time link. */
export interface RecoveryRequest {
  code: Code;
  password: NewPassword;
}

/** A conversation, as far as its entries have been told. */
export interface Replay {
  archived: boolean;
  created_by: UserId | null;
  head: Seq;
  link: boolean;
  members: Record<string, ConversationRole>;
  parent: LogId | null;
  pins: Seq[];
  project_id: ProjectId | null;
  said: Entry[];
  tags: Tag[];
  teams: Record<string, ConversationRole>;
  title: string;
  workspace_id: WorkspaceId | null;
}

/** What a member may do in a team's workspace. */
export type Role =
  /** May look. */
  | 'viewer'
  /** May look and change. */
  | 'member'
  /** May also change who belongs to it, and delete it. */
  | 'owner';

/** What a token may be used for. A token never has more rights than its owner. */
export type Scope =
  /** To read what the owner may read. */
  | 'read'
  /** To change what the owner may change. */
  | 'write'
  /** To administer the server, if the owner may. */
  | 'admin'
  /** To read `/metrics`. */
  | 'metrics';

/** A stored secret, without its value: that is never given out. */
export interface Secret {
  host: string;
  id: SecretId;
  name: string;
  updated_at: Time;
}

export type SecretId = string;

/** One page of a list. */
export interface SecretPage {
  items: Secret[];
  next: string | null;
}

export type SecretValue = string;

/** 1, 2, 3, without gaps. 0 is before the first. */
export type Seq = number;

/** One page of a list. */
export interface SeqPage {
  items: Seq[];
  next: string | null;
}

/** What the server says. */
export type ServerFrame =
  /** The answer to `hello`. */
  | { commands: string[]; generation: Generation; inbox: LogId; limits: Limits; type: 'welcome'; user: UserId; version: number }
  /** One entry of a log that is followed. Their places are without gaps. */
  | { at: Time; author: Author; log: LogId; seq: Seq; type: 'entry' } & (Fact | { body: unknown; kind: string })
  /** More of an answer that is being typed in a log that is followed. */
  | { channel: DraftChannel; draft_id: DraftId; log: LogId; offset: number; text: string; type: 'draft' }
  /** Everything up to here has been told; what comes now is live. */
  | { head: Seq; log: LogId; type: 'live' }
  /** The log is no longer to be seen: it was deleted, or one no longer takes part. The same for one that never was. */
  | { log: LogId; type: 'gone' }
  /** The command was done, now or earlier, and this is where. */
  | { type: 'accepted' } & Accepted
  /** The command was not done. */
  | { code: ErrorCode; command_id: CommandId; message: string; next: string; type: 'refused' }
  /** A frame was not understood, or not allowed. */
  | { code: ErrorCode; message: string; type: 'error' }
  /** Somebody else who follows the same conversation. */
  | { log: LogId; state: PresenceState; type: 'presence'; user: UserId }
  /** The answer to `ping`. */
  | { type: 'pong' };

/** A login in one browser. */
export interface Session {
  address: string;
  agent: string;
  created_at: Time;
  current: boolean;
  expires_at: Time;
  id: SessionId;
  seen_at: Time;
}

export type SessionId = string;

/** One page of a list. */
export interface SessionPage {
  items: Session[];
  next: string | null;
}

/** Makes the first admin. */
export interface SetupRequest {
  code: Code;
  name: AccountName;
  password: NewPassword;
}

/** A link that lets whoever has it read along. It is shown once. */
export interface ShareLink {
  link: string;
}

/** A team that takes part in a conversation. */
export interface SharedTeam {
  name: string;
  role: ConversationRole;
  team_id: TeamId;
}

/** A part of a text in which something was found. */
export interface SnippetPiece {
  hit?: boolean;
  text: string;
}

/** A command with the id that its client gave it. */
export interface Submission {
  command: Command;
  command_id: CommandId;
}

export type Tag = string;

/** A team, as one of its members sees it. */
export interface Team {
  created_at: Time;
  id: TeamId;
  name: string;
  role: Role;
  workspace_id: WorkspaceId;
}

export type TeamId = string;

/** One page of a list. */
export interface TeamPage {
  items: Team[];
  next: string | null;
}

/** Makes or renames a team. */
export interface TeamRequest {
  name: Label;
}

/** UTC milliseconds since 1970. */
export type Time = number;

/** An API token, without its secret. */
export interface Token {
  created_at: Time;
  expires_at: Time;
  id: TokenId;
  name: string;
  scopes: Scope[];
  used_at: Time | null;
}

export type TokenId = string;

/** One page of a list. */
export interface TokenPage {
  items: Token[];
  next: string | null;
}

/** A person with an account. */
export interface User {
  admin: boolean;
  created_at: Time;
  display_name: string;
  id: UserId;
  name: string;
  state: UserState;
}

export type UserId = string;

/** One page of a list. */
export interface UserPage {
  items: User[];
  next: string | null;
}

/** Whether an account can be used. */
export type UserState =
  /** Can log in. */
  | 'active'
  /** Cannot log in; nothing is deleted. */
  | 'suspended';

/** A workspace, as somebody who belongs to it sees it. */
export interface Workspace {
  id: WorkspaceId;
  kind: WorkspaceKind;
  name: string;
  quota_bytes: number;
  role: Role | null;
  team_id: TeamId | null;
  used_bytes: number;
}

export type WorkspaceId = string;

/** Whose a workspace is. */
export type WorkspaceKind =
  /** One user's. */
  | 'personal'
  /** A team's. */
  | 'shared';

/** One page of a list. */
export interface WorkspacePage {
  items: Workspace[];
  next: string | null;
}
