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

/** What happens when a rule holds. */
export interface Action {
  agent?: AgentName | null;
  models?: Target[];
  otherwise?: RuleId | null;
  system_prompt?: string | null;
  thinking?: Effort | null;
  tools?: string[] | null;
}

/** Sets up a provider. It is asked once before it is kept. */
export interface AddProviderRequest {
  api?: Api | null;
  base_url?: string | null;
  key?: SecretValue | null;
  kind: ProviderKind;
  name: ModelProviderName;
  server?: boolean;
  untested?: boolean;
  workspace_id?: WorkspaceId | null;
}

export type AgentName = string;

/** Which of OpenAI's two formats a provider is spoken to in. */
export type Api =
  /** Chat Completions. */
  | 'chat'
  /** Responses. */
  | 'responses';

/** What kind of file comes with a message. */
export type AttachedKind =
  /** A picture. */
  | 'image'
  /** Anything to read. */
  | 'document';

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

/** A bound on what may be spent. */
export interface Budget {
  id: BudgetId;
  micros: number | null;
  period: Period;
  spent: Spent;
  subject: Subject;
  tokens: number | null;
  warning: boolean;
}

export type BudgetId = string;

/** One page of a list. */
export interface BudgetPage {
  items: Budget[];
  next: string | null;
}

/** Sets a budget, in place of the one for the same subject and period. */
export interface BudgetRequest {
  micros?: number | null;
  period: Period;
  subject: Subject;
  tokens?: number | null;
}

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

/** Changes a provider. What is missing stays. */
export interface ChangeProviderRequest {
  api?: Api | null;
  base_url?: string | null;
  enabled?: boolean | null;
  key?: SecretValue | null;
  name?: ModelProviderName | null;
  untested?: boolean;
}

/** Changes what a user may do on this server. */
export interface ChangeUserRequest {
  admin: boolean;
}

/** As OpenAI's reference for Chat Completions has it; fields that are not known are passed over. */
export interface ChatCompletionRequest {
  messages: unknown[];
  model: string;
}

/** What a message is about. */
export interface Classification {
  by: ClassifiedBy;
  complexity: Complexity;
  confidence: number;
  domain: Domain;
  needs: Need[];
  task: Task;
}

/** How a classification was made. */
export type ClassifiedBy =
  /** By meaning, from the local model's embedding. */
  | 'meaning'
  /** By words alone, because no embedding was available. */
  | 'words'
  /** A language model was asked, because confidence was low. */
  | 'model';

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

/** Where a client proves who it is. */
export type ClientProof =
  /** In the header. */
  | 'basic'
  /** In the form, as some servers insist. */
  | 'body';

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

/** How much work it is for an expert. */
export type Complexity =
  /** One short step. */
  | 'simple'
  /** Several steps, or some design. */
  | 'moderate'
  /** Architecture, many parts, strong constraints. */
  | 'complex';

/** Something that must hold. */
export interface Condition {
  field: Field;
  op: Op;
  value: Value;
}

/** A model that was looked at. */
export interface Considered {
  model: string;
  provider: string;
  skipped: string | null;
}

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

/** What a provider is used with. */
export type CredentialKind =
  /** Nothing. */
  | 'none'
  /** A key. */
  | 'key'
  /** Tokens that are renewed. */
  | 'oauth';

/** Deletes my account and everything in it. */
export interface DeleteMeRequest {
  name: AccountName;
  password?: Password | null;
}

/** A login that a person finishes on another device. */
export interface DeviceLogin {
  expires_at: Time;
  login_id: ProviderLoginId;
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string | null;
  wait_seconds: number;
}

/** Any JSON. */
export type Document = unknown;

/** The trade whose knowledge is needed. */
export type Domain =
  /** What a user sees. */
  | 'frontend'
  /** Servers, algorithms, programs. */
  | 'backend'
  /** Build, machines, networks, shell. */
  | 'devops'
  /** Databases, tables, statistics. */
  | 'data'
  /** Documentation itself. */
  | 'docs'
  /** Everything else. */
  | 'general';

/** What a piece of a draft is. */
export type DraftChannel =
  /** The answer itself. */
  | 'text'
  /** What the model thinks before it answers. */
  | 'thinking'
  /** What a tool prints while it runs. */
  | 'tool';

export type DraftId = string;

/** How much a model thinks before it speaks. */
export type Effort =
  /** A glance. */
  | 'minimal'
  /** A little. */
  | 'low'
  /** Some. */
  | 'medium'
  /** Much. */
  | 'high'
  /** As much as there is. */
  | 'max';

/** As OpenAI's reference for Embeddings has it; fields that are not known are passed over. */
export interface EmbeddingsRequest {
  input: unknown;
  model: string;
}

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
  /** Nobody has a model of that name. */
  | 'no_such_model'
  /** There are models, and none of them can do this now. */
  | 'no_model_can'
  /** A budget does not allow the call. */
  | 'over_budget'
  /** A model was called, and failed. */
  | 'model_failed'
  /** Something we depend on does not answer. */
  | 'unavailable'
  /** A fault of ours. The log has the details under the request's id. */
  | 'internal';

/** Asks which model would be chosen, without calling any. */
export interface ExplainRequest {
  attachments?: AttachedKind[];
  model?: string | null;
  text: string;
  workspace_id?: WorkspaceId | null;
}

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

/** Why a call failed, as far as somebody acts differently on it. */
export type FailureClass =
  /** The key is wrong, missing or may not do this. */
  | 'auth'
  /** What was paid for is used up. */
  | 'quota'
  /** Too many calls; it may say when to come back. */
  | 'rate'
  /** The provider has too much to do. */
  | 'overload'
  /** More than the model can read. */
  | 'context_too_long'
  /** The provider does not want to answer this. */
  | 'refused'
  /** It has no such model. */
  | 'no_such_model'
  /** The provider does not understand the request. */
  | 'bad_request'
  /** It could not be reached, or the connection broke. */
  | 'transport'
  /** It took too long. */
  | 'timeout'
  /** What it sent is not what its format says. */
  | 'malformed'
  /** The stream ended without its proper end. */
  | 'incomplete';

/** What can be asked about. */
export type Field =
  /** What is wanted. */
  | 'task'
  /** How much work it is: simple, moderate, complex, in this order. */
  | 'complexity'
  /** Whose trade it is. */
  | 'domain'
  /** What it takes. */
  | 'needs'
  /** The class that was asked for, if any: cheap, standard, premium, in this order. */
  | 'tier'
  /** Which agent answers. */
  | 'agent'
  /** Where the message came from: web, tui, api, matrix… */
  | 'channel'
  /** Its language, such as `en`. */
  | 'language'
  /** How long it is with all that goes with it, in estimated tokens. */
  | 'size'
  /** The hour of the day, 0 to 23, UTC. */
  | 'hour'
  /** The day of the week, 1 (Monday) to 7, UTC. */
  | 'weekday'
  /** How much of the tightest budget is left, in percent; 100 without budgets. */
  | 'budget_left'
  /** Which kinds of provider can be asked now. */
  | 'reachable';

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

/** How one provider does. */
export interface HealthShown {
  health: ProviderHealth;
  id: ModelProviderId;
  kind: ProviderKind;
  name: ModelProviderName;
}

/** One page of a list. */
export interface HealthShownPage {
  items: HealthShown[];
  next: string | null;
}

/** Whether a provider can be used, as far as that was tried. */
export type HealthState =
  /** Nothing was tried yet, or too long ago to tell. */
  | 'unknown'
  /** It answered when it was last asked. */
  | 'up'
  /** It did not. */
  | 'down'
  /** It answers again later: too many calls, or nothing left of what was paid for. */
  | 'limited';

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

/** How a provider last failed. */
export interface LastError {
  at: Time;
  class: FailureClass;
  message: string;
}

/** What a provider's limit counts. */
export type Limits =
  /** Calls. */
  | 'requests'
  /** Tokens. */
  | 'tokens';

/** The bounds that a client does well to know. */
export interface Limits2 {
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

/** How far a login is, and what next. */
export interface LoginProgress {
  provider: Provider2 | null;
  state: LoginState;
  wait_seconds: number | null;
}

/** A login by password. */
export interface LoginRequest {
  name: AccountName;
  password: Password;
}

/** How far a login is. */
export type LoginState =
  /** The person has not answered yet. */
  | 'pending'
  /** The provider can be used. */
  | 'done'
  /** The person said no. */
  | 'denied'
  /** It took too long. */
  | 'expired';

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

/** As Anthropic's reference for Messages has it; fields that are not known are passed over. */
export interface MessagesRequest {
  max_tokens?: number | null;
  messages: unknown[];
  model: string;
}

export type ModelName = string;

export type ModelProviderId = string;

export type ModelProviderName = string;

/** A model that can be used, with what is known of it. */
export interface ModelShown {
  context: number;
  embedding: boolean;
  id: string;
  kind: ProviderKind;
  max_output: number;
  model: string;
  name: string;
  price: PriceShown | null;
  provider: string;
  structured: boolean;
  thinking: Effort[];
  tier: Tier;
  tools: boolean;
  unavailable: string | null;
  vision: boolean;
}

/** One page of a list. */
export interface ModelShownPage {
  items: ModelShown[];
  next: string | null;
}

/** What the model must be able to do besides. */
export type Need =
  /** Open files, run commands, look things up. */
  | 'tools'
  /** Look at pictures. */
  | 'vision'
  /** Read more than about 50 pages. */
  | 'long_context'
  /** Think in dependent steps. */
  | 'reasoning';

export type NewPassword = string;

/** A one-time link, shown once. */
export interface OneTimeLink {
  expires_at: Time;
  link: string;
}

/** How something is compared. */
export type Op =
  /** The same. */
  | 'eq'
  /** Not the same. */
  | 'ne'
  /** One of these. */
  | 'in'
  /** None of these. */
  | 'not_in'
  /** At least. */
  | 'gte'
  /** At most. */
  | 'lte'
  /** Has this. */
  | 'contains'
  /** Has all of these. */
  | 'contains_all'
  /** Has one of these. */
  | 'contains_any'
  /** Has none of these. */
  | 'contains_none';

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

/** How long a budget lasts before it begins anew, in UTC. */
export type Period =
  /** From midnight to midnight. */
  | 'day'
  /** From the first to the first. */
  | 'month';

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

/** What a million tokens cost, in micro-dollars. */
export interface PriceShown {
  cache_read: number | null;
  cache_write: number | null;
  input: number;
  output: number;
  source: PriceSource;
}

/** Where a price is from. */
export type PriceSource =
  /** The provider said with its answer what it charges. */
  | 'provider'
  /** Somebody set it here. */
  | 'override'
  /** The catalogue that came with this version. */
  | 'catalogue'
  /** It runs on our own machine. */
  | 'free'
  /** Nobody knows. */
  | 'unknown';

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

/** A provider of models that somebody has set up, without its credential: that is never given out. */
export interface Provider2 {
  api: Api;
  base_url: string;
  credential: CredentialKind;
  enabled: boolean;
  from_environment: boolean;
  health: ProviderHealth;
  hint: string;
  id: ModelProviderId;
  kind: ProviderKind;
  name: ModelProviderName;
  workspace_id: WorkspaceId | null;
}

/** How a provider does, as far as calls and probes have shown. */
export interface ProviderHealth {
  last_error: LastError | null;
  latency_ms: number | null;
  limited_until: Time | null;
  rate_limit: RateLimit | null;
  state: HealthState;
  tried_at: Time | null;
  worked_at: Time | null;
}

/** Whose wire format and habits a provider has. */
export type ProviderKind =
  /** Anthropic's Messages. */
  | 'anthropic'
  /** OpenAI itself. */
  | 'openai'
  /** OpenRouter. */
  | 'openrouter'
  /** Z.ai, with its GLM models. */
  | 'zai'
  /** DeepSeek. */
  | 'deepseek'
  /** An Ollama server, by its own API. */
  | 'ollama'
  /** Any server that speaks OpenAI's Chat Completions. */
  | 'compatible'
  /** The small model in our own process. */
  | 'local'
  /** Plays a script, for tests and demonstrations. */
  | 'scripted';

export type ProviderLoginId = string;

/** Begins a login to a provider. */
export interface ProviderLoginRequest {
  settings?: ProviderLoginSettings | null;
}

/** A login server, and who we are to it. */
export interface ProviderLoginSettings {
  authorize_url?: string | null;
  client_auth?: ClientProof;
  client_id: string;
  client_secret?: SecretValue | null;
  device_url?: string | null;
  extra?: Record<string, string>;
  scopes?: string[];
  token_url: string;
}

export type ProviderName = string;

/** One page of a list. */
export interface ProviderPage {
  items: Provider2[];
  next: string | null;
}

/** What came of asking a provider. */
export interface ProviderReport {
  latency_ms: number;
  message: string;
  n_models: number;
  works: boolean;
}

/** Stores a secret. */
export interface PutSecretRequest {
  host: HostName;
  value: SecretValue;
}

/** Changes how much disk a workspace may use. */
export interface QuotaRequest {
  quota_bytes: number;
}

/** A limit of a provider. */
export interface RateLimit {
  limit: number;
  of: Limits;
  remaining: number;
  reset_at: Time | null;
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

/** As OpenAI's reference for Responses has it; fields that are not known are passed over. */
export interface ResponsesRequest {
  input: unknown;
  model: string;
}

/** What a member may do in a team's workspace. */
export type Role =
  /** May look. */
  | 'viewer'
  /** May look and change. */
  | 'member'
  /** May also change who belongs to it, and delete it. */
  | 'owner';

/** Which model was chosen for a message, and why: shown with every reply. */
export interface Route {
  classification: Classification | null;
  considered: Considered[];
  expected_micros: number | null;
  kind: ProviderKind;
  model: string;
  provider: string;
  reason: string;
  rule: string | null;
}

/** One rule. */
export interface Rule {
  enabled: boolean;
  id: RuleId;
  name: Label;
  priority: number;
  scope: RuleScope;
  then: Action;
  when: Condition[];
  workspace_id: WorkspaceId | null;
}

/** What is said of a rule when it is made or changed. */
export interface RuleBody {
  enabled?: boolean;
  name: Label;
  priority?: number | null;
  then: Action;
  when?: Condition[];
  workspace_id?: WorkspaceId | null;
}

export type RuleId = string;

/** The order in which rules are asked. */
export interface RuleOrder {
  ids: RuleId[];
  workspace_id?: WorkspaceId | null;
}

/** Changes a rule of the system for one workspace only. */
export interface RuleOverride {
  enabled?: boolean | null;
  then?: Action | null;
  workspace_id: WorkspaceId;
}

/** One page of a list. */
export interface RulePage {
  items: Rule[];
  next: string | null;
}

/** Whom a rule is for. */
export type RuleScope =
  /** Everybody on this server. */
  | 'system'
  /** Everybody in a workspace; in a personal one, its owner wherever they are. */
  | 'workspace';

/** A rule as it was saved, with what looks wrong with it. */
export interface SavedRule {
  rule: Rule;
  warnings: string[];
}

/** What a token may be used for. A token never has more rights than its owner. */
export type Scope =
  /** To read what the owner may read. */
  | 'read'
  /** To change what the owner may change. */
  | 'write'
  /** To administer the server, if the owner may. */
  | 'admin'
  /** To read `/metrics`. */
  | 'metrics'
  /** To call models, which costs money. */
  | 'models';

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
  | { commands: string[]; generation: Generation; inbox: LogId; limits: Limits2; type: 'welcome'; user: UserId; version: number }
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

/** What has gone of a budget. */
export interface Spent {
  held_micros: number;
  held_tokens: number;
  micros: number;
  since: Time;
  tokens: number;
}

/** Whom a budget is for. */
export type Subject =
  /** A person, wherever they call models. */
  | { id: UserId; kind: 'user' }
  /** A workspace, whoever calls models in it. */
  | { id: WorkspaceId; kind: 'workspace' }
  /** An agent, by its name. */
  | { id: AgentName; kind: 'agent' }
  /** Everything on this server. */
  | { kind: 'server' };

/** A command with the id that its client gave it. */
export interface Submission {
  command: Command;
  command_id: CommandId;
}

export type Tag = string;

/** Which model. Exactly one of `model`, `family`, `class` and `provider` decides; `provider` may narrow the others. */
export interface Target {
  class?: Tier | null;
  family?: string | null;
  model?: ModelName | null;
  provider?: ProviderKind | null;
}

/** What somebody holds in their hands at the end. */
export type Task =
  /** Code, configuration or infrastructure, written, changed, explained. */
  | 'coding'
  /** Facts found out, with sources. */
  | 'research'
  /** Given prose made shorter. */
  | 'summarization'
  /** A conclusion from given facts. */
  | 'analysis'
  /** A text to use. */
  | 'creative'
  /** An exchange. */
  | 'conversation';

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

/** What a model costs, as a class that rules can name. */
export type Tier =
  /** For what is simple. */
  | 'cheap'
  /** For most things. */
  | 'standard'
  /** For what is hard. */
  | 'premium';

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

/** The tokens of one call, or of many together. */
export interface Usage {
  cache_read: number;
  cache_write: number;
  cache_write_hour: number;
  input: number;
  output: number;
  reasoning: number;
}

/** By what usage is put together. */
export type UsageBy =
  /** Each day, UTC. */
  | 'day'
  /** Each model. */
  | 'model'
  /** Each provider. */
  | 'provider'
  /** Each conversation. */
  | 'conversation'
  /** Each person. */
  | 'person'
  /** Each agent. */
  | 'agent'
  /** Each API token. */
  | 'token'
  /** Each rule that decided. */
  | 'rule';

/** All of it. */
export interface UsageReport {
  by: UsageBy;
  rows: UsageRow[];
  total: UsageRow;
}

/** What was used, put together. */
export interface UsageRow {
  calls: number;
  estimated: number;
  failed: number;
  key: string;
  micros: number;
  unpriced: number;
  usage: Usage;
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

/** What something is compared with. */
export type Value =
  /** A number. */
  | number
  /** A word. */
  | string
  /** Several words. */
  | string[];

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
