//! The table of all routes. Each row says what it needs; a route that is not here does not exist.

mod account;
mod admin;
mod compatible;
mod conversation;
mod login_provider;
mod model;
mod operator;
mod provider_login;
mod public;
mod routing;
mod spending;
mod team;
mod workspace;

use crate::row::Row;
use http::Method;
use mosaic_protocol::{access::Needs, token::Scope};

const READ: Needs = Needs::Login(Scope::Read);
const WRITE: Needs = Needs::Login(Scope::Write);
/// A token that may call models: the cookie of a login counts for nothing there.
const MODELS: Needs = Needs::Login(Scope::Models);
const PUBLIC: Needs = Needs::Public;
const SESSION: Needs = Needs::Session;
const ADMIN: Needs = Needs::Admin;
const ADMIN_SESSION: Needs = Needs::AdminSession;
const OPERATOR: Needs = Needs::Operator;

/// All routes. `metrics_open`: the operator lets anybody read the metrics.
pub fn table(metrics_open: bool) -> Vec<Row> {
    let metrics = if metrics_open { PUBLIC } else { Needs::Metrics };
    vec![
        // Anybody
        get("/healthz", PUBLIC, "Whether the process answers", public::health),
        get("/readyz", PUBLIC, "Whether every part is ready", public::ready),
        get("/openapi.json", PUBLIC, "This API as an OpenAPI document", public::openapi),
        get("/docs", PUBLIC, "This API for people", public::docs),
        get("/metrics", metrics, "Metrics for Prometheus", public::metrics),
        get("/api/info", PUBLIC, "What a page needs before a login", public::info),
        post("/api/setup", PUBLIC, "Make the first admin", public::setup)
            .example(r#"{"code":"wrong-code","name":"ada","password":"correct horse"}"#),
        post("/api/login", PUBLIC, "Log in by password", public::login)
            .example(r#"{"name":"ada","password":"correct horse"}"#),
        post("/api/recovery", PUBLIC, "Set a new password by a one-time link", public::recover)
            .example(r#"{"code":"wrong-code","password":"correct horse"}"#),
        post(
            "/api/invites/accept",
            PUBLIC,
            "Make an account with an invitation",
            public::accept_invite,
        )
        .example(r#"{"code":"wrong-code","name":"ada","password":"correct horse"}"#),
        get("/api/oidc/{provider}/start", PUBLIC, "Go to a login provider", login_provider::start),
        get(
            "/api/oidc/{provider}/callback",
            PUBLIC,
            "Come back from a login provider",
            login_provider::callback,
        ),
        // One's own account
        post("/api/logout", WRITE, "Log out", account::logout),
        get("/api/me", READ, "Who am I", account::get),
        patch("/api/me", WRITE, "Change what others see of me", account::change)
            .example(r#"{"display_name":"Ada Lovelace"}"#),
        delete("/api/me", SESSION, "Delete my account and everything in it", account::delete)
            .example(r#"{"name":"ada","password":"correct horse"}"#),
        get("/api/me/events", READ, "Follow my account", account::events),
        post("/api/me/password", SESSION, "Change my password", account::change_password)
            .example(r#"{"current":"correct horse","new":"battery staple"}"#),
        get("/api/me/sessions", READ, "My logins in browsers", account::list_sessions),
        delete("/api/me/sessions", WRITE, "End all my other logins", account::delete_sessions),
        delete(
            "/api/me/sessions/{session_id}",
            WRITE,
            "End one of my logins",
            account::delete_session,
        ),
        get("/api/me/tokens", READ, "My API tokens", account::list_tokens),
        post("/api/me/tokens", SESSION, "Make an API token", account::create_token)
            .example(r#"{"name":"ci","scopes":["read"],"expires_in_days":30}"#),
        delete("/api/me/tokens/{token_id}", WRITE, "End one of my tokens", account::delete_token),
        get("/api/me/identities", READ, "My accounts at login providers", login_provider::list),
        post("/api/me/identities", SESSION, "Link an account at a login provider", login_provider::link)
            .example(r#"{"password":"correct horse","provider":"nobody"}"#),
        delete("/api/me/identities/{identity_id}", SESSION, "Unlink one of them", login_provider::unlink),
        // Teams
        get("/api/teams", READ, "My teams", team::list),
        post("/api/teams", WRITE, "Make a team", team::create).example(r#"{"name":"Engines"}"#),
        get("/api/teams/{team_id}", READ, "One team", team::get),
        patch("/api/teams/{team_id}", WRITE, "Rename a team", team::rename)
            .example(r#"{"name":"Engines"}"#),
        delete("/api/teams/{team_id}", WRITE, "Delete a team and its workspace", team::delete),
        get("/api/teams/{team_id}/members", READ, "Who belongs to a team", team::members),
        put(
            "/api/teams/{team_id}/members/{user_id}",
            WRITE,
            "Change a member's role",
            team::change_member,
        )
        .example(r#"{"role":"member"}"#),
        delete(
            "/api/teams/{team_id}/members/{user_id}",
            WRITE,
            "Take a member out",
            team::delete_member,
        ),
        get(
            "/api/teams/{team_id}/invites",
            // Who is invited is the business of those who invite.
            WRITE,
            "Open invitations into a team",
            team::list_invites,
        ),
        post(
            "/api/teams/{team_id}/invites",
            WRITE,
            "Invite somebody into a team",
            team::create_invite,
        )
        .example(r#"{"role":"member","expires_in_hours":24}"#),
        delete(
            "/api/teams/{team_id}/invites/{invite_id}",
            WRITE,
            "Take an invitation back",
            team::delete_invite,
        ),
        post("/api/invites/join", WRITE, "Join a team with an invitation", team::join)
            .example(r#"{"code":"wrong-code"}"#),
        // Workspaces
        get("/api/workspaces", READ, "My workspaces", workspace::list),
        get("/api/workspaces/{workspace_id}", READ, "One workspace", workspace::get),
        put(
            "/api/workspaces/{workspace_id}/blobs/{hash}",
            WRITE,
            "Store a blob",
            workspace::put_blob,
        )
        .slow(),
        get(
            "/api/workspaces/{workspace_id}/blobs/{hash}",
            READ,
            "Read a blob",
            workspace::get_blob,
        )
        .slow(),
        delete(
            "/api/workspaces/{workspace_id}/blobs/{hash}",
            WRITE,
            "Delete a blob",
            workspace::delete_blob,
        ),
        get(
            "/api/workspaces/{workspace_id}/secrets",
            READ,
            "A workspace's secrets, without values",
            workspace::secrets,
        ),
        put(
            "/api/workspaces/{workspace_id}/secrets/{name}",
            WRITE,
            "Set a secret",
            workspace::put_secret,
        )
        .example(r#"{"value":"sk-123","host":"api.example.com"}"#),
        delete(
            "/api/workspaces/{workspace_id}/secrets/{name}",
            WRITE,
            "Delete a secret",
            workspace::delete_secret,
        ),
        // Conversations
        post("/api/commands", WRITE, "Do something, once", conversation::submit).example(
            r#"{"command_id":"01890a5d-ac96-774b-bcce-b302099a8057","command":{"kind":"send_message","log":"{Log}","text":"hello"}}"#,
        ),
        get("/api/conversations", READ, "My conversations", conversation::list),
        get("/api/conversations/search", READ, "Find what was said", conversation::search),
        get("/api/conversations/{log_id}", READ, "One conversation", conversation::get),
        get(
            "/api/conversations/{log_id}/participants",
            READ,
            "Who takes part in a conversation",
            conversation::participants,
        ),
        get("/api/conversations/{log_id}/pins", READ, "What is pinned", conversation::pins),
        get(
            "/api/conversations/{log_id}/export",
            READ,
            "A conversation as a file",
            conversation::export,
        )
        .slow(),
        post("/api/conversations/import", WRITE, "Make a conversation out of such a file", conversation::import)
            .slow(),
        post(
            "/api/conversations/{log_id}/link",
            WRITE,
            "Make a link that lets others read along",
            conversation::open_link,
        ),
        post("/api/shared", PUBLIC, "Read along by a link", conversation::read_linked)
            .example(r#"{"after":0,"before":null,"code":"wrong-code","limit":10}"#),
        get("/api/logs/{log_id}/entries", READ, "A page of a log", conversation::entries),
        get("/api/logs/{log_id}/events", READ, "Follow a log", conversation::follow),
        get("/api/me/inbox", READ, "The log of my inbox", conversation::inbox),
        get("/ws", READ, "Follow logs and submit commands", conversation::socket),
        // Models
        get("/api/providers", READ, "Providers of models that I can use", model::providers),
        post("/api/providers", WRITE, "Set up a provider of models", model::add)
            .example(
                r#"{"api":"chat","base_url":"https://api.example.com/v1","key":"sk-123","kind":"compatible","name":"mine","server":false,"untested":true,"workspace_id":"{Workspace}"}"#,
            )
            .slow(),
        get("/api/providers/health", READ, "How providers of models do", model::health),
        patch("/api/providers/{provider_id}", WRITE, "Change a provider of models", model::change)
            .example(
                r#"{"api":"chat","base_url":"https://api.example.com/v1","enabled":true,"key":"sk-123","name":"mine","untested":true}"#,
            )
            .slow(),
        delete(
            "/api/providers/{provider_id}",
            WRITE,
            "Remove a provider of models",
            model::delete,
        ),
        post(
            "/api/providers/{provider_id}/test",
            WRITE,
            "Ask a provider of models whether it works",
            model::test,
        )
        .slow(),
        post(
            "/api/providers/{provider_id}/login/device",
            WRITE,
            "Begin a login to a provider of models that is finished on another device",
            provider_login::device,
        )
        .example(
            r#"{"settings":{"client_id":"us","device_url":"http://127.0.0.1:1/device","token_url":"http://127.0.0.1:1/token"}}"#,
        )
        .slow(),
        post(
            "/api/providers/{provider_id}/login/pkce",
            SESSION,
            "Begin a login to a provider of models in the browser",
            provider_login::browser,
        )
        .example(
            r#"{"settings":{"authorize_url":"http://127.0.0.1:1/authorize","client_id":"us","token_url":"http://127.0.0.1:1/token"}}"#,
        ),
        post(
            "/api/providers/logins/{login_id}",
            WRITE,
            "How far a login to a provider of models is",
            provider_login::poll,
        )
        .slow(),
        get(
            mosaic_gateway::CALLBACK,
            PUBLIC,
            "Come back from a login to a provider of models",
            provider_login::callback,
        )
        .slow(),
        get("/api/models", READ, "Models that I can use", model::models).slow(),
        // Routing
        get("/api/routing/rules", READ, "The rules that hold for me", routing::rules),
        post("/api/routing/rules", WRITE, "Make a rule", routing::create).example(
            r#"{"enabled":true,"name":"Code to Opus","priority":10,"then":{"models":[{"family":"opus"}]},"when":[{"field":"task","op":"eq","value":"coding"}],"workspace_id":"{Workspace}"}"#,
        ),
        put("/api/routing/rules/{rule_id}", WRITE, "Change a rule", routing::update).example(
            r#"{"enabled":true,"name":"Code to Opus","priority":10,"then":{"models":[{"family":"opus"}]},"when":[{"field":"task","op":"eq","value":"coding"}],"workspace_id":"{Workspace}"}"#,
        ),
        delete("/api/routing/rules/{rule_id}", WRITE, "Delete a rule", routing::delete),
        put(
            "/api/routing/rules/{rule_id}/override",
            WRITE,
            "Make something else of a rule of the system in one workspace",
            routing::overrule,
        )
        .example(
            r#"{"enabled":false,"then":{"models":[{"class":"cheap"}]},"workspace_id":"{Workspace}"}"#,
        ),
        put("/api/routing/order", WRITE, "Put rules into another order", routing::order)
            .example(r#"{"ids":[],"workspace_id":"{Workspace}"}"#),
        post(
            "/api/routing/explain",
            READ,
            "Which model would be chosen for a message, without calling any",
            routing::explain,
        )
        .example(
            r#"{"attachments":["image"],"model":"auto","text":"hello","workspace_id":"{Workspace}"}"#,
        )
        .slow(),
        // Spending
        get("/api/budgets", READ, "The budgets that bind me", spending::budgets),
        put("/api/budgets", WRITE, "Set a budget", spending::put_budget).example(
            r#"{"micros":5000000,"period":"day","subject":{"kind":"workspace","id":"{Workspace}"},"tokens":1000000}"#,
        ),
        delete("/api/budgets/{budget_id}", WRITE, "Take a budget away", spending::delete_budget),
        get("/api/usage", READ, "What was used", spending::usage),
        // Other programs, in the formats of OpenAI and Anthropic
        post("/v1/chat/completions", MODELS, "OpenAI's Chat Completions", compatible::chat)
            .example(r#"{"model":"auto","messages":[{"role":"user","content":"hello"}]}"#)
            .patient(),
        post("/v1/responses", MODELS, "OpenAI's Responses", compatible::responses)
            .example(r#"{"model":"auto","input":"hello"}"#)
            .patient(),
        post("/v1/messages", MODELS, "Anthropic's Messages", compatible::messages)
            .example(
                r#"{"model":"auto","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}"#,
            )
            .patient(),
        post(
            "/v1/messages/count_tokens",
            MODELS,
            "About how many tokens a request of Anthropic's Messages has",
            compatible::count_tokens,
        )
        .example(
            r#"{"model":"auto","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}"#,
        ),
        post("/v1/embeddings", MODELS, "OpenAI's Embeddings", compatible::embeddings)
            .example(r#"{"model":"auto","input":"hello"}"#)
            .patient(),
        get("/v1/models/{model}", MODELS, "One of these models", compatible::model),
        get("/v1/models/{provider}/{model}", MODELS, "The same, with its provider", compatible::model_of),
        get("/v1/models", MODELS, "The models that I can use, as OpenAI or Anthropic list them", compatible::models),
        // Admins
        get("/api/users", ADMIN, "All accounts", admin::list_users),
        post("/api/users", ADMIN_SESSION, "Make an account", admin::create_user)
            .example(r#"{"name":"grace","password":"correct horse"}"#),
        get("/api/users/{user_id}", ADMIN, "One account", admin::get_user),
        patch(
            "/api/users/{user_id}",
            ADMIN_SESSION,
            "Make somebody an admin, or no longer",
            admin::change_user,
        )
        .example(r#"{"admin":false}"#),
        delete(
            "/api/users/{user_id}",
            ADMIN_SESSION,
            "Delete an account and everything in it",
            admin::delete_user,
        ),
        post("/api/users/{user_id}/suspend", ADMIN, "Suspend an account", admin::suspend),
        post("/api/users/{user_id}/resume", ADMIN, "Let an account be used again", admin::resume),
        post(
            "/api/users/{user_id}/recovery",
            ADMIN_SESSION,
            "Make a link for a new password",
            admin::recovery,
        ),
        get("/api/invites", ADMIN, "Open invitations", admin::list_invites),
        post("/api/invites", ADMIN_SESSION, "Invite somebody to this server", admin::create_invite)
            .example(r#"{"team_id":"{Team}","role":"member","expires_in_hours":24}"#),
        delete("/api/invites/{invite_id}", ADMIN, "Take an invitation back", admin::delete_invite),
        get(
            "/api/admin/workspaces",
            ADMIN,
            "All workspaces and their disk use",
            admin::list_workspaces,
        ),
        patch(
            "/api/workspaces/{workspace_id}",
            ADMIN,
            "Change a workspace's quota",
            admin::set_quota,
        )
        .example(r#"{"quota_bytes":1073741824}"#),
        get("/api/admin/budgets", ADMIN, "All budgets", spending::all_budgets),
        get("/api/audit", ADMIN, "The audit log", admin::audit),
        get("/api/audit/verify", ADMIN, "Check the audit log's chain", admin::verify_audit).slow(),
        // The one who runs the machine, over the control socket
        post("/api/operator/backup", OPERATOR, "Write a backup", operator::backup)
            .example(r#"{"path":"/nowhere/backup"}"#)
            .slow(),
        post("/api/operator/secrets/rotate", OPERATOR, "Change the master key", operator::rotate)
            .slow(),
        post("/api/operator/setup", OPERATOR, "Make a new setup link", operator::setup_link),
        get("/api/operator/users/{name}", OPERATOR, "Find an account by name", operator::find_user),
        get(
            "/api/operator/users/{user_id}/workspace",
            OPERATOR,
            "Somebody's own workspace",
            operator::workspace_of,
        ),
        get(
            "/api/operator/users/{user_id}/usage",
            OPERATOR,
            "What somebody used",
            spending::usage_of,
        ),
        post(
            "/api/operator/users/{user_id}/tokens",
            OPERATOR,
            "Make a token for somebody",
            operator::create_token,
        )
        .example(r#"{"name":"ci","scopes":["read"],"expires_in_days":30}"#),
        post(
            "/api/operator/users/{user_id}/teams",
            OPERATOR,
            "Make a team for somebody",
            operator::create_team,
        )
        .example(r#"{"name":"Engines"}"#),
        put(
            "/api/operator/teams/{team_id}/members/{user_id}",
            OPERATOR,
            "Put somebody into a team",
            operator::put_member,
        )
        .example(r#"{"role":"member"}"#),
    ]
}

macro_rules! methods {
    ($($name:ident $method:ident)*) => {$(
        fn $name<I, A, F, Fut>(path: &'static str, needs: Needs, summary: &'static str, f: F) -> Row
        where
            I: crate::input::Input,
            A: crate::answer::Answer,
            F: Fn(crate::row::Cx, I) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Result<A, crate::refusal::Refusal>> + Send + 'static,
        {
            Row::new(Method::$method, path, needs, summary, f)
        }
    )*};
}

methods! { get GET post POST put PUT patch PATCH delete DELETE }
