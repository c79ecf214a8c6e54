//! A row of the route table, and how a request is served by it: who is it, may they pass, what do they bring.

use crate::{
    answer::{Answer, AnswerKind},
    caller::{Peer, Seen},
    compatible::{Tongue, headers},
    cookie,
    error::refuse,
    input::{Body, Input},
    refusal::Refusal,
    shares::Share,
    state::State,
};
use axum::{extract::Request, response::Response};
use http::{Method, header, request::Parts};
use mosaic_gateway::{Authenticated, Caller, Credential, Error, Gateway, network_of};
use mosaic_protocol::{
    UserId,
    access::{Actor, Grant, Needs, meets},
};
use schemars::{Schema, SchemaGenerator};
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

/// One route: what the router, the OpenAPI document and the isolation tests know of it.
pub struct Row {
    /// The method.
    pub method: Method,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// What it asks for before anything else.
    pub needs: Needs,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What each parameter of the path is.
    pub params: Vec<Kind>,
    /// The schema of its query.
    pub query: Option<SchemaOf>,
    /// The schema of its JSON body, or `None` inside for plain bytes.
    pub body: Option<Option<SchemaOf>>,
    /// A body that is understood, with `{Kind}` where an id goes.
    pub example: Option<&'static str>,
    pub(crate) answer: AnswerKind,
    /// It may take longer than others: it moves large things.
    pub(crate) slow: bool,
    /// It waits for a model, and models take their time.
    pub(crate) patient: bool,
    serve: Serve,
}

/// What a parameter of a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A user's id.
    User,
    /// A team's id.
    Team,
    /// A workspace's id.
    Workspace,
    /// A session's id.
    Session,
    /// A token's id.
    Token,
    /// An invitation's id.
    Invite,
    /// A linked identity's id.
    Identity,
    /// A blob's hash.
    Blob,
    /// A log's id, which is also its conversation's.
    Log,
    /// A secret's name.
    SecretName,
    /// A login provider's name.
    LoginProvider,
    /// An account's name.
    AccountName,
    /// A model's name, or its provider's, as other programs call them.
    ModelName,
    /// The id of a provider of models.
    ModelProvider,
    /// The id of a login to a provider of models that is under way.
    ProviderLogin,
    /// The id of a rule of routing.
    Rule,
    /// A budget's id.
    Budget,
}

/// Gives a schema, once there is a generator to put it in.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

type Serve = Arc<
    dyn Fn(Cx, Parts, Body) -> Pin<Box<dyn Future<Output = Result<Response, Refusal>> + Send>>
        + Send
        + Sync,
>;

/// What a route's function gets besides its input.
#[derive(Clone)]
pub(crate) struct Cx {
    pub(crate) state: Arc<State>,
    needs: Needs,
    actor: Option<Actor>,
    /// Who that is, as asked at the door.
    pub(crate) found: Option<Arc<Authenticated>>,
    pub(crate) credential: Option<Credential>,
    pub(crate) seen: Seen,
}

impl Cx {
    pub(crate) fn gateway(&self) -> &Gateway {
        &self.state.gateway
    }

    /// Who asks. On routes that need a login there always is somebody.
    pub(crate) fn actor(&self) -> Result<&Actor, Error> {
        self.actor.as_ref().ok_or(Error::Unauthenticated)
    }

    /// Who asks, on routes that need nobody.
    pub(crate) fn maybe_actor(&self) -> Option<&Actor> {
        self.actor.as_ref()
    }

    /// A place among the streams that this person may have open; none for the operator, who is one of a kind.
    pub(crate) fn stream_share(&self) -> Result<Option<Share<UserId>>, Refusal> {
        let Actor::User(person) = self.actor()? else { return Ok(None) };
        let share = self.state.streams.take(person.id);
        let most = self.state.settings.streams_per_user;
        Ok(Some(share.ok_or_else(|| Refusal::too_many_streams(most))?))
    }

    /// Whether the login that opened this still holds.
    pub(crate) async fn still_in(&self) -> Result<(), Error> {
        let credential = self.credential.as_ref().ok_or(Error::Unauthenticated)?;
        self.gateway().authenticate(credential).await.map(drop)
    }

    /// Finds out who it is and whether they pass. Asked at the door and again when a body has come in: that can take
    /// as long as the caller likes, and a right that ended meanwhile must have ended here too.
    pub(crate) async fn admit(&mut self) -> Result<(), Refusal> {
        self.found = match &self.credential {
            None => None,
            Some(credential) => match self.state.gateway.authenticate(credential).await {
                Ok(found) => Some(found),
                Err(Error::Unauthenticated) => None,
                Err(error) => return Err(error.into()),
            },
        };
        self.actor = match (&self.found, &self.credential, self.seen.peer) {
            (Some(found), ..) => Some(found.actor.clone()),
            (None, None, Peer::Operator) => Some(Actor::System),
            (None, ..) => None,
        };
        if self.needs != Needs::Public {
            meets(self.actor()?, self.needs).map_err(Error::Denied)?;
        }
        Ok(())
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller {
            address: self.seen.address.clone(),
            network: network_of(&self.seen.address),
            agent: self.seen.agent.clone(),
        }
    }
}

impl Row {
    pub(crate) fn new<I, A, F, Fut>(
        method: Method,
        path: &'static str,
        needs: Needs,
        summary: &'static str,
        f: F,
    ) -> Row
    where
        I: Input,
        A: Answer,
        F: Fn(Cx, I) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<A, Refusal>> + Send + 'static,
    {
        let serve: Serve = Arc::new(move |mut cx, parts, body| {
            let f = f.clone();
            Box::pin(async move {
                let input = I::read(&mut cx, parts, body).await?;
                let secure = cx.seen.secure;
                Ok(f(cx, input).await?.into_response(secure))
            })
        });
        let mut row = Row {
            method,
            path,
            needs,
            summary,
            params: vec![],
            query: None,
            body: None,
            example: None,
            answer: A::KIND,
            slow: false,
            patient: false,
            serve,
        };
        I::describe(&mut row);
        row
    }

    /// With a body that is understood.
    pub(crate) fn example(mut self, example: &'static str) -> Row {
        self.example = Some(example);
        self
    }

    /// It waits for a model.
    pub(crate) fn patient(mut self) -> Row {
        self.patient = true;
        self
    }

    /// It moves large things.
    pub(crate) fn slow(mut self) -> Row {
        self.slow = true;
        self
    }
}

/// Serves requests by this row.
pub(crate) fn serve(
    row: Row,
    state: Arc<State>,
) -> impl Fn(Request) -> Pin<Box<dyn Future<Output = Response> + Send>> + Clone + Send + Sync + 'static
{
    let row = Arc::new(row);
    move |request| {
        let (row, state) = (row.clone(), state.clone());
        Box::pin(async move {
            let seen = request.extensions().get::<Seen>().cloned().unwrap_or_default();
            let time = match (seen.peer, row.slow) {
                // A backup takes as long as it takes, and nobody else can ask for one.
                (Peer::Operator, _) => Duration::from_secs(24 * 3600),
                (Peer::Address(_), _) if row.patient => MODEL_TIME.max(state.settings.request_time),
                (Peer::Address(_), true) => state.settings.request_time * 10,
                (Peer::Address(_), false) => state.settings.request_time,
            };
            let answered =
                tokio::time::timeout(time, admit(&row, &state, request, seen.clone())).await;
            match answered.unwrap_or(Err(Refusal::timeout())) {
                Ok(response) => response,
                Err(refusal) => refuse(&refusal, &seen),
            }
        })
    }
}

async fn admit(
    row: &Row,
    state: &Arc<State>,
    request: Request,
    seen: Seen,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let credential = credential(&parts, &seen);
    let (state, needs) = (state.clone(), row.needs);
    let mut cx = Cx { state, needs, actor: None, found: None, credential, seen };
    cx.admit().await?;
    if let Some(Credential::Session(_)) = &cx.credential {
        cx.state.origins.check_cookie_request(&parts)?;
    }
    if let Some(Actor::User(person)) = &cx.actor {
        cx.state.throttle.user(&person.id.to_string())?;
        if let Grant::Token(id, _) = &person.grant {
            cx.state.throttle.token(&id.to_string())?;
        }
    }
    (row.serve)(cx, parts, Body::new(body)).await
}

/// A token in the header, or else the cookie's session. What speaks a foreign format is no page of ours, and a browser's
/// cookie proves nothing there.
fn credential(parts: &Parts, seen: &Seen) -> Option<Credential> {
    if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
        // A header that is not understood is no reason to fall back to a cookie.
        let text = value.to_str().unwrap_or_default();
        let (scheme, token) = text.split_once(' ').unwrap_or_default();
        let token = if scheme.eq_ignore_ascii_case("bearer") { token.trim() } else { "" };
        return Some(Credential::Token(token.to_owned()));
    }
    match seen.tongue {
        Tongue::Own => cookie::session(&parts.headers, seen.secure).map(Credential::Session),
        Tongue::Anthropic => {
            let key = headers::api_key(&parts.headers)?.to_str().unwrap_or_default();
            Some(Credential::Token(key.trim().to_owned()))
        }
        Tongue::OpenAi => None,
    }
}

/// How long a model may take for a whole answer, its body's way here included. The gateway has deadlines of its own for
/// providers, which end earlier.
const MODEL_TIME: Duration = Duration::from_secs(30 * 60);

/// How often open streams ask whether they may go on.
pub(crate) const RECHECK: Duration = Duration::from_secs(2);
