-- Who provides models, by which rules they are chosen, what calls cost, and what may be spent.

create table providers (
    id {text} primary key,
    -- Null: for everybody on this server.
    workspace_id {text} references workspaces (id) on delete cascade,
    name {text} not null,
    kind {text} not null,
    api {text} not null,
    base_url {text} not null,
    enabled {int} not null,
    -- `none`, `key`, `oauth`; what is shown of it, and the thing itself, sealed.
    credential {text} not null,
    hint {text} not null,
    key_id {text} not null,
    sealed {bytes} not null,
    -- Goes up whenever the credential becomes another one, and until when somebody is renewing it.
    generation {int} not null,
    renewing_until {int} not null,
    created_at {int} not null,
    updated_at {int} not null
) {strict};
create unique index providers_by_name on providers ((coalesce(workspace_id, '')), name);

-- Logins to providers that are under way.
create table provider_logins (
    id {text} primary key,
    -- Of what the browser brings back; empty for a login on another device.
    digest {bytes} not null,
    provider_id {text} not null references providers (id) on delete cascade,
    -- Null: the operator began it.
    user_id {text} references users (id) on delete cascade,
    -- `device`, `browser`, and what has to be kept of it, sealed.
    kind {text} not null,
    key_id {text} not null,
    sealed {bytes} not null,
    -- Until when somebody is asking for its tokens.
    busy_until {int} not null,
    expires_at {int} not null
) {strict};
create index provider_logins_by_user on provider_logins (user_id);
create index provider_logins_by_provider on provider_logins (provider_id);
create index provider_logins_by_digest on provider_logins (digest);

create table routing_rules (
    id {text} primary key,
    -- Null: for everybody on this server.
    workspace_id {text} references workspaces (id) on delete cascade,
    priority {int} not null,
    -- The rule itself, as JSON.
    body {text} not null,
    updated_at {int} not null
) {strict};
create index routing_rules_by_workspace on routing_rules (workspace_id);

-- What a workspace makes of a rule of the system.
create table routing_overrides (
    workspace_id {text} not null references workspaces (id) on delete cascade,
    rule_id {text} not null references routing_rules (id) on delete cascade,
    body {text} not null,
    primary key (workspace_id, rule_id)
) {strict};

create table budgets (
    id {text} primary key,
    -- `user`, `workspace`, `agent`, `server`, and which; empty for the server.
    subject_kind {text} not null,
    subject {text} not null,
    -- `day` or `month`, UTC.
    period {text} not null,
    micros {int},
    tokens {int},
    created_at {int} not null
) {strict};
create unique index budgets_by_subject on budgets (subject_kind, subject, period);

-- What has gone of a budget in one period: spent, and held for calls that are under way.
create table spent (
    budget_id {text} not null references budgets (id) on delete cascade,
    period_start {int} not null,
    micros {int} not null,
    tokens {int} not null,
    held_micros {int} not null,
    held_tokens {int} not null,
    primary key (budget_id, period_start)
) {strict};

-- Every call of a model: announced as `running`, settled as `done`, `incomplete` or `failed`, or found `interrupted`.
create table calls (
    id {text} primary key,
    at {int} not null,
    user_id {text},
    workspace_id {text},
    token_id {text},
    log_id {text},
    agent {text} not null,
    provider {text} not null,
    kind {text} not null,
    model {text} not null,
    asked {text} not null,
    rule {text} not null,
    state {text} not null,
    failure {text} not null,
    input {int} not null,
    cache_read {int} not null,
    cache_write {int} not null,
    cache_write_hour {int} not null,
    output {int} not null,
    reasoning {int} not null,
    micros {int},
    price_source {text} not null,
    exact {int} not null,
    -- What was held for it, and until when its silence means that it was interrupted.
    held_micros {int} not null,
    held_tokens {int} not null,
    held_until {int} not null,
    first_ms {int},
    took_ms {int},
    route {text} not null
) {strict};
create index calls_by_user on calls (user_id, at);
create index calls_by_workspace on calls (workspace_id, at);
create index calls_by_time on calls (at);
create index calls_under_way on calls (held_until) where state = 'running';

-- Which budgets a call is held against.
create table call_budgets (
    call_id {text} not null references calls (id) on delete cascade,
    budget_id {text} not null references budgets (id) on delete cascade,
    period_start {int} not null,
    primary key (call_id, budget_id)
) {strict};
