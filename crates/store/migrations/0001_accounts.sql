-- One text for both databases. {text}, {int}, {bytes} and {strict} are spelled per database by migrate.rs.
-- Times are UTC milliseconds. Digests are SHA-256 of something that is never stored itself.

create table meta (
    name {text} primary key,
    value {text} not null
) {strict};

-- Values sealed under the master key: 'check' tells whether a key is the right one, 'audit' is the audit chain's key.
create table keyring (
    name {text} primary key,
    key_id {text} not null,
    sealed {bytes} not null
) {strict};

create table users (
    id {text} primary key,
    name {text} not null unique,
    display_name {text} not null,
    password {text},
    admin {int} not null,
    state {text} not null,
    created_at {int} not null
) {strict};

create table teams (
    id {text} primary key,
    name {text} not null,
    created_at {int} not null
) {strict};

create table members (
    team_id {text} not null references teams (id) on delete cascade,
    user_id {text} not null references users (id) on delete cascade,
    role {text} not null,
    joined_at {int} not null,
    primary key (team_id, user_id)
) {strict};
create index members_by_user on members (user_id);

create table workspaces (
    id {text} primary key,
    user_id {text} unique references users (id) on delete cascade,
    team_id {text} unique references teams (id) on delete cascade,
    quota_bytes {int} not null,
    used_bytes {int} not null,
    created_at {int} not null,
    check ((user_id is null) <> (team_id is null)),
    check (used_bytes >= 0)
) {strict};

create table sessions (
    id {text} primary key,
    user_id {text} not null references users (id) on delete cascade,
    digest {bytes} not null unique,
    created_at {int} not null,
    seen_at {int} not null,
    expires_at {int} not null,
    agent {text} not null,
    address {text} not null
) {strict};
create index sessions_by_user on sessions (user_id);
create index sessions_by_expiry on sessions (expires_at);

create table tokens (
    id {text} primary key,
    user_id {text} not null references users (id) on delete cascade,
    name {text} not null,
    digest {bytes} not null unique,
    scopes {text} not null,
    created_at {int} not null,
    expires_at {int} not null,
    used_at {int}
) {strict};
create index tokens_by_user on tokens (user_id);
create index tokens_by_expiry on tokens (expires_at);

create table invites (
    id {text} primary key,
    digest {bytes} not null unique,
    made_by {text} references users (id) on delete cascade,
    creates_account {int} not null,
    team_id {text} references teams (id) on delete cascade,
    role {text},
    created_at {int} not null,
    expires_at {int} not null
) {strict};
create index invites_by_expiry on invites (expires_at);

-- One-time links: 'setup' makes the first admin, 'recovery' sets a new password for user_id.
create table links (
    id {text} primary key,
    kind {text} not null,
    user_id {text} references users (id) on delete cascade,
    digest {bytes} not null unique,
    created_at {int} not null,
    expires_at {int} not null
) {strict};
create index links_by_expiry on links (expires_at);

create table identities (
    id {text} primary key,
    user_id {text} not null references users (id) on delete cascade,
    provider {text} not null,
    subject {text} not null,
    created_at {int} not null,
    unique (provider, subject)
) {strict};
create index identities_by_user on identities (user_id);

-- Logins that have been sent to a provider and have not come back.
create table oidc_flows (
    digest {bytes} primary key,
    provider {text} not null,
    nonce {text} not null,
    verifier {text} not null,
    user_id {text} references users (id) on delete cascade,
    expires_at {int} not null
) {strict};
create index oidc_flows_by_expiry on oidc_flows (expires_at);

create table blobs (
    workspace_id {text} not null references workspaces (id) on delete cascade,
    hash {text} not null,
    size_bytes {int} not null,
    created_at {int} not null,
    primary key (workspace_id, hash)
) {strict};

-- The bytes of blobs on PostgreSQL, in pieces of a mebibyte. On SQLite they are files beside the database.
create table blob_chunks (
    workspace_id {text} not null,
    hash {text} not null,
    n {int} not null,
    bytes {bytes} not null,
    primary key (workspace_id, hash, n),
    foreign key (workspace_id, hash) references blobs (workspace_id, hash) on delete cascade
) {strict};

create table secrets (
    id {text} primary key,
    workspace_id {text} not null references workspaces (id) on delete cascade,
    name {text} not null,
    host {text} not null,
    key_id {text} not null,
    sealed {bytes} not null,
    updated_at {int} not null,
    unique (workspace_id, name)
) {strict};

-- Who did what to what: ids only, so that deleting a person never breaks the chain. No foreign keys, on purpose.
create table audit (
    seq {int} primary key,
    at {int} not null,
    actor {text} not null,
    action {text} not null,
    object {text} not null,
    detail {text} not null,
    digest {bytes} not null
) {strict};

create table audit_head (
    one {int} primary key check (one = 1),
    seq {int} not null,
    digest {bytes} not null
) {strict};
