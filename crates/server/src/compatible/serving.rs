//! Serves a call in any of the formats: reads it, asks the gateway, and tells what comes.

use super::{
    ANSWERS_PER_USER, LARGE_BYTES, LARGE_PER_USER, LARGE_ROOM, Tongue,
    asked::Asked,
    bill::{Bill, Call},
    chat, embeddings,
    errors::Told,
    headers::{self, Wishes},
    listing, messages,
    reading::Bad,
    responses,
    telling::{Noted, Telling, tell},
};
use crate::{
    answer::Foreign,
    error,
    input::Large,
    refusal::Refusal,
    row::{Cx, RECHECK},
    shares::{Share, Shares},
};
use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use mosaic_gateway::{Answering, Ask, Embed, Said};
use mosaic_models::{Event, Reply, Why};
use mosaic_protocol::{UserId, access::Actor};
use std::sync::Arc;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// A format: how it is read, how a whole answer is written, how one in pieces is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Chat,
    Responses,
    Messages,
}

/// How much all of this may hold at once.
pub(crate) struct Rooms {
    answers: Arc<Shares<UserId>>,
    sending: Arc<Shares<UserId>>,
    large: Arc<Semaphore>,
}

impl Rooms {
    pub(crate) fn new(streams_per_user: usize) -> Self {
        Rooms {
            answers: Shares::new(ANSWERS_PER_USER.max(streams_per_user)),
            sending: Shares::new(LARGE_PER_USER),
            large: Arc::new(Semaphore::new(LARGE_ROOM)),
        }
    }
}

/// What a call holds while it is served; given back when dropped.
struct Held {
    _answer: Option<Share<UserId>>,
}

/// What a large body holds while it is read and sent on.
struct Room {
    _share: Option<Share<UserId>>,
    _permit: Option<OwnedSemaphorePermit>,
}

fn hold(cx: &Cx) -> Result<Held, Refusal> {
    let Actor::User(person) = cx.actor()? else { return Ok(Held { _answer: None }) };
    let most = ANSWERS_PER_USER.max(cx.state.settings.streams_per_user);
    let answer = cx.state.rooms.answers.take(person.id);
    Ok(Held { _answer: Some(answer.ok_or_else(|| Refusal::too_many_answers(most))?) })
}

/// Room for the body, before any of it is read. One that does not say how large it is may be as large as any.
fn room(cx: &Cx, size: Option<usize>, most: usize) -> Result<Room, Refusal> {
    let bytes = size.unwrap_or(most).min(most);
    if bytes <= LARGE_BYTES {
        return Ok(Room { _share: None, _permit: None });
    }
    let rooms = &cx.state.rooms;
    let share = match cx.actor()? {
        Actor::User(person) => Some(rooms.sending.take(person.id).ok_or_else(Refusal::busy)?),
        Actor::System => None,
    };
    let pieces = u32::try_from(bytes.div_ceil(LARGE_BYTES)).unwrap_or(u32::MAX);
    let permit = rooms.large.clone().try_acquire_many_owned(pieces).map_err(|_| Refusal::busy())?;
    Ok(Room { _share: share, _permit: Some(permit) })
}

fn refused(bad: Bad) -> Refusal {
    Refusal::Asked { param: bad.param, message: bad.message }
}

/// Answers a call.
pub(crate) async fn answer<T>(
    mut cx: Cx,
    body: Large<T>,
    format: Format,
) -> Result<Foreign, Refusal> {
    let wishes = Wishes::of(body.headers())?;
    let held = hold(&cx)?;
    let room = room(&cx, body.size(), body.most())?;
    let bytes = body.read(&mut cx).await?;
    // One that did not say how small it is needs no room any more.
    let room = Some(room).filter(|_| bytes.len() > LARGE_BYTES);
    let Asked { request, model, stream, wants_usage, left_out } = match format {
        Format::Chat => chat::parse(&bytes),
        Format::Responses => responses::parse(&bytes),
        Format::Messages => messages::parse(&bytes),
    }
    .map_err(refused)?;
    drop(bytes);
    let ask = Ask {
        request,
        model,
        whole: !stream,
        workspace_id: wishes.workspace_id,
        channel: "api",
        switching: wishes.switching,
    };
    let asked_at = Instant::now();
    let answering = cx.gateway().call_model(cx.actor()?, ask).await?;
    drop(room);
    let mut said = HeaderMap::new();
    let mut warnings = answering.warnings().to_vec();
    if !left_out.is_empty() {
        warnings.push(format!("left out tools that are not run here: {}", left_out.join(", ")));
    }
    headers::say_route(&mut said, answering.route(), &warnings);
    let call = call(&cx, &answering);
    if stream {
        let body = match format {
            Format::Chat => pieces(cx, answering, chat::Chunks::new(call, wants_usage), held),
            Format::Responses => pieces(cx, answering, responses::Steps::new(call), held),
            Format::Messages => pieces(cx, answering, messages::Blocks::new(call), held),
        };
        said.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        // nginx holds answers back unless told not to.
        said.insert("x-accel-buffering", HeaderValue::from_static("no"));
        return Ok(respond(said, body));
    }
    let (call, reply, why, bill) = gather(answering, call).await?;
    // A model may take minutes, and the right may have ended meanwhile.
    if asked_at.elapsed() >= RECHECK {
        cx.still_in().await?;
    }
    headers::say_cost(&mut said, &bill);
    if let Some(switch) = bill.switches.last() {
        headers::say_model(&mut said, &switch.to);
    }
    let body = match format {
        Format::Chat => chat::whole(&call, &reply, &why, &bill),
        Format::Responses => responses::whole(&call, &reply, &why, &bill),
        Format::Messages => messages::whole(&call, &reply, &why, &bill),
    };
    Ok(json(said, body))
}

fn call(cx: &Cx, answering: &Answering) -> Call {
    let route = answering.route();
    Call {
        id: cx.seen.request_id.replace('-', ""),
        created: cx.gateway().store().ambient().now().0.div_euclid(1000),
        model: format!("{}/{}", route.provider, route.model),
    }
}

fn pieces(cx: Cx, answering: Answering, telling: impl Telling, held: Held) -> Body {
    let seen = cx.seen.clone();
    let still_in = move || {
        let cx = cx.clone();
        async move { cx.still_in().await }
    };
    let told = move |refusal: &Refusal| {
        // Given back when the stream is dropped, whoever ends it.
        let _held = &held;
        error::told(refusal, &seen)
    };
    Body::from_stream(tell(answering, telling, still_in, told))
}

/// All of an answer. One that is not whole is a failure.
async fn gather(
    mut answering: Answering,
    mut call: Call,
) -> Result<(Call, Reply, Why, Bill), Refusal> {
    let (mut reply, mut noted) = (Reply::default(), Noted::default());
    while let Some(said) = answering.next().await? {
        match said {
            Said::Event(Event::Text(text) | Event::Thinking(text)) if text.is_empty() => {}
            Said::Event(event) => {
                noted.note(&event);
                reply.push(&event);
            }
            Said::Switched { from, to, why } => {
                call.model.clone_from(&to);
                noted.switched(from, to, why);
            }
        }
    }
    let (why, bill) = noted.end(answering.settled())?;
    Ok((call, reply, why, bill))
}

/// About how many tokens a request has.
pub(crate) async fn count_tokens<T>(mut cx: Cx, body: Large<T>) -> Result<Foreign, Refusal> {
    let room = room(&cx, body.size(), body.most())?;
    let bytes = body.read(&mut cx).await?;
    let asked = messages::parse(&bytes).map_err(refused)?;
    drop(room);
    Ok(json(HeaderMap::new(), messages::count(&asked)))
}

/// Embeddings.
pub(crate) async fn embed<T>(mut cx: Cx, body: Large<T>) -> Result<Foreign, Refusal> {
    let wishes = Wishes::of(body.headers())?;
    let _held = hold(&cx)?;
    let _room = room(&cx, body.size(), body.most())?;
    let bytes = body.read(&mut cx).await?;
    let asked = embeddings::parse(&bytes).map_err(refused)?;
    let ask = Embed {
        model: asked.model,
        texts: asked.texts,
        workspace_id: wishes.workspace_id,
        channel: "api",
    };
    let embedded = cx.gateway().embed(cx.actor()?, ask).await?;
    let length = embedded.vectors.first().map(Vec::len);
    if asked
        .dimensions
        .is_some_and(|wanted| length.and_then(|n| u64::try_from(n).ok()) != Some(wanted))
    {
        let message = format!("`dimensions`: this model's vectors have {}", length.unwrap_or(0));
        return Err(Refusal::Asked { param: Some("dimensions".into()), message });
    }
    let mut said = HeaderMap::new();
    headers::say_route(&mut said, &embedded.route, &embedded.warnings);
    let bill = Bill { usage: embedded.usage, cost: Some(embedded.cost), ..Bill::default() };
    headers::say_cost(&mut said, &bill);
    let model = format!("{}/{}", embedded.route.provider, embedded.route.model);
    let tokens = bill.usage.prompt();
    Ok(json(said, embeddings::whole(&model, &embedded.vectors, asked.encoding, tokens)))
}

/// The models that the caller can use.
pub(crate) async fn list(cx: Cx, head: HeaderMap) -> Result<Foreign, Refusal> {
    let wishes = Wishes::of(&head)?;
    let models = cx.gateway().list_usable_models(cx.actor()?, wishes.workspace_id).await?;
    let tongue = Tongue::of("/v1/models", &head);
    Ok(json(HeaderMap::new(), listing::list(&models, tongue)))
}

/// One of the models that the caller can use.
pub(crate) async fn model(cx: Cx, head: HeaderMap, id: &str) -> Result<Foreign, Refusal> {
    let wishes = Wishes::of(&head)?;
    let models = cx.gateway().list_usable_models(cx.actor()?, wishes.workspace_id).await?;
    let tongue = Tongue::of("/v1/models", &head);
    match listing::one(&models, id, tongue) {
        Some(body) => Ok(json(HeaderMap::new(), body)),
        None => {
            let (asked, nearest) =
                (id.to_owned(), mosaic_models::nearest(id, models.iter().map(|it| it.id.as_str())));
            Err(mosaic_gateway::Error::NoSuchModel { asked, nearest }.into())
        }
    }
}

fn json(mut headers: HeaderMap, body: Vec<u8>) -> Foreign {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    respond(headers, Body::from(Bytes::from(body)))
}

fn respond(headers: HeaderMap, body: Body) -> Foreign {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    *response.headers_mut() = headers;
    Foreign(response)
}

/// A refusal in the caller's words.
pub(crate) fn refusal(told: &Told, tongue: Tongue) -> Response {
    let body = match tongue {
        Tongue::Anthropic => told.anthropic(),
        Tongue::OpenAi | Tongue::Own => told.openai(),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = told.status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
