-- Logs and what follows from them. `logs` and `entries` are primary; the tables of conversations are projections of
-- entries, written in the same transaction, and can be made anew from them.

create table logs (
    id {text} primary key,
    kind {text} not null,
    workspace_id {text} not null references workspaces (id) on delete cascade,
    head {int} not null,
    -- Which holder of its lease is the last, who that is, and until when they are believed to be at work.
    term {int} not null,
    holder {text} not null,
    held_until {int} not null,
    -- Moves when it may have changed who may read the log.
    access_version {int} not null,
    created_at {int} not null,
    updated_at {int} not null
) {strict};
create index logs_by_workspace on logs (workspace_id);

create table entries (
    log_id {text} not null references logs (id) on delete cascade,
    seq {int} not null,
    at {int} not null,
    author {text} not null,
    kind {text} not null,
    body {text} not null,
    primary key (log_id, seq)
) {strict};
create index entries_by_author on entries (author);

-- The commands that had an effect, so that none has two.
create table commands (
    actor {text} not null,
    id {text} not null,
    digest {bytes} not null,
    log_id {text} not null,
    seq {int} not null,
    at {int} not null,
    primary key (actor, id)
) {strict};
create index commands_by_time on commands (at);

create table inboxes (
    user_id {text} primary key references users (id) on delete cascade,
    log_id {text} not null references logs (id) on delete cascade
) {strict};

create table conversations (
    log_id {text} primary key references logs (id) on delete cascade,
    title {text} not null,
    created_by {text},
    archived {int} not null,
    project_id {text},
    parent_id {text}
) {strict};

create table conversation_members (
    log_id {text} not null references conversations (log_id) on delete cascade,
    user_id {text} not null references users (id) on delete cascade,
    role {text} not null,
    primary key (log_id, user_id)
) {strict};
create index conversation_members_by_user on conversation_members (user_id);

create table conversation_teams (
    log_id {text} not null references conversations (log_id) on delete cascade,
    team_id {text} not null references teams (id) on delete cascade,
    role {text} not null,
    primary key (log_id, team_id)
) {strict};
create index conversation_teams_by_team on conversation_teams (team_id);

create table conversation_tags (
    log_id {text} not null references conversations (log_id) on delete cascade,
    tag {text} not null,
    primary key (log_id, tag)
) {strict};

create table pins (
    log_id {text} not null references conversations (log_id) on delete cascade,
    seq {int} not null,
    primary key (log_id, seq)
) {strict};

-- Links that let whoever has them read along. Not told by entries, because a log must not hold a secret's digest.
create table share_links (
    log_id {text} primary key references conversations (log_id) on delete cascade,
    digest {bytes} not null unique,
    created_at {int} not null
) {strict};

-- How far somebody has read. Nobody else's business, so no entry.
create table read_marks (
    user_id {text} not null references users (id) on delete cascade,
    log_id {text} not null references logs (id) on delete cascade,
    seq {int} not null,
    primary key (user_id, log_id)
) {strict};

-- Housekeeping that was queued or scheduled.
create table jobs (
    id {text} primary key,
    kind {text} not null,
    payload {text} not null,
    -- Of several with the same key only one waits.
    unique_key {text} unique,
    run_at {int} not null,
    attempts {int} not null,
    -- Which holder of the job is speaking, and until when it is believed to be at work.
    term {int} not null,
    held_until {int} not null,
    created_at {int} not null
) {strict};
create index jobs_by_time on jobs (run_at);
