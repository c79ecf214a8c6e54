//! Sends calls, and reads their answers event by event. Dropping a [`Calling`] closes the provider's connection.

use crate::{
    Endpoint, Error, Event, Listed, Request, Result, Vectors,
    frames::Frames,
    kinds,
    retry::{Retries, wait},
    wire::{How, Outgoing, Reader, Wire},
};
use bytes::Bytes;
use http::{HeaderMap, Method};
use mosaic_outbound::{Answer, Outbound, Patience};
use mosaic_protocol::{
    Time,
    provider::{Api, FailureClass, ProviderKind, RateLimit},
};
use std::{collections::VecDeque, pin::Pin, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// How much of a refusal is read.
const REFUSAL_BYTES: usize = 64 * 1024;

/// How many models a provider may list, and how much text it may use for that.
const LIST_BYTES: usize = 8 * 1024 * 1024;

/// No model's name is longer, and no provider has more of them that people choose from.
const ID_BYTES: usize = 200;
const MOST_LISTED: usize = 1_000;

/// How long calls may take.
#[derive(Debug, Clone, Copy)]
pub struct Patiences {
    /// From sending to the end of the answer.
    pub total: Duration,
    /// Without a sign of life from a stream.
    pub silence: Duration,
    /// For a question that a person waits for: which models are there, does the key work.
    pub asking: Duration,
    /// The largest answer, in bytes.
    pub answer_bytes: usize,
}

impl Default for Patiences {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(600),
            silence: Duration::from_secs(120),
            asking: Duration::from_secs(15),
            answer_bytes: 64 * 1024 * 1024,
        }
    }
}

/// A model that runs in our own process.
pub trait InProcess: Send + Sync {
    /// Starts an answer; its events come through the channel. Dropping the receiver stops it.
    fn chat(&self, request: Request) -> mpsc::Receiver<Result<Event>>;

    /// Embeds texts.
    fn embed(
        &self,
        model: &str,
        texts: Vec<String>,
    ) -> Pin<Box<dyn Future<Output = Result<Vectors>> + Send + '_>>;

    /// Which models are there.
    fn list(&self) -> Vec<Listed>;
}

/// Everything that can answer.
#[derive(Clone)]
pub struct Models {
    outbound: Outbound,
    patiences: Patiences,
    local: Option<Arc<dyn InProcess>>,
}

/// An answer that is coming.
pub struct Calling {
    source: Source,
    ready: VecDeque<Event>,
    /// The head of the provider's answer.
    headers: HeaderMap,
    /// What went wrong after the events that are ready.
    failed: Option<Error>,
    /// `Ended` was handed out.
    over: bool,
}

enum Source {
    /// Everything is in `ready`.
    Nothing,
    Stream {
        answer: Box<Answer>,
        frames: Frames,
        reader: Box<dyn Reader>,
    },
    InProcess(mpsc::Receiver<Result<Event>>),
}

impl Models {
    /// Over this client; `local`: what runs in our own process.
    pub fn new(
        outbound: Outbound,
        patiences: Patiences,
        local: Option<Arc<dyn InProcess>>,
    ) -> Self {
        Self { outbound, patiences, local }
    }

    /// Whether a model runs in our own process.
    pub fn has_local(&self) -> bool {
        self.local.as_ref().is_some_and(|local| !local.list().is_empty())
    }

    /// The embedding model in our own process, if there is one.
    pub fn local_embedding(&self) -> Option<String> {
        let listed = self.local.as_ref()?.list();
        listed.into_iter().find(|it| it.embedding == Some(true)).map(|it| it.id)
    }

    /// Embeds texts in our own process.
    pub async fn embed_locally(&self, model: &str, texts: Vec<String>) -> Result<Vectors> {
        self.local.as_ref().ok_or_else(no_local)?.embed(model, texts).await
    }

    /// Calls a model, for an answer in pieces.
    pub async fn stream(
        &self,
        endpoint: &Endpoint,
        request: &Request,
        retries: Retries,
    ) -> Result<Calling> {
        self.call(endpoint, request, How::Stream, retries).await
    }

    /// Calls a model, for an answer all at once.
    pub async fn whole(
        &self,
        endpoint: &Endpoint,
        request: &Request,
        retries: Retries,
    ) -> Result<Calling> {
        self.call(endpoint, request, How::Whole, retries).await
    }

    async fn call(
        &self,
        endpoint: &Endpoint,
        request: &Request,
        how: How,
        retries: Retries,
    ) -> Result<Calling> {
        // What the newer of OpenAI's formats cannot say, the older one can.
        let needs_chat = !request.stop.is_empty()
            || request.seed.is_some()
            || request.presence_penalty.is_some()
            || request.frequency_penalty.is_some();
        let api = match endpoint.kind {
            ProviderKind::OpenAi if needs_chat => Api::Chat,
            _ => endpoint.api,
        };
        let Some(wire) = kinds::wire(endpoint.kind, api) else {
            return self.in_process(endpoint.kind, request);
        };
        let outgoing = wire.call(endpoint, request, how)?;
        let (url, headers) = (outgoing.url, outgoing.headers);
        let body = outgoing.body.map(Bytes::from);
        let (mut tried, mut waited) = (0, Duration::ZERO);
        loop {
            tried += 1;
            let again = Again { url: &url, headers: &headers, body: body.clone() };
            let error = match self.once(endpoint, wire, again, how).await {
                Ok(calling) => return Ok(calling),
                Err(error) => error,
            };
            let Some(pause) = wait(retries, tried, waited, &error) else { return Err(error) };
            waited += pause;
            tokio::time::sleep(pause).await;
        }
    }

    fn in_process(&self, kind: ProviderKind, request: &Request) -> Result<Calling> {
        let events = match kind {
            ProviderKind::Scripted => crate::scripted::play(request)?,
            _ => self.local.as_ref().ok_or_else(no_local)?.chat(request.clone()),
        };
        Ok(Calling::from(Source::InProcess(events)))
    }

    async fn once(
        &self,
        endpoint: &Endpoint,
        wire: &'static dyn Wire,
        again: Again<'_>,
        how: How,
    ) -> Result<Calling> {
        let silence = match how {
            How::Stream => self.patiences.silence,
            // All at once says nothing before all is there.
            How::Whole => self.patiences.total,
        };
        let patience =
            Patience { total: self.patiences.total, silence, bytes: self.patiences.answer_bytes };
        let answer = self.send(endpoint, wire, again, patience).await?;
        match how {
            How::Stream => {
                let headers = answer.headers().clone();
                let calling = Calling::from(Source::Stream {
                    answer: Box::new(answer),
                    frames: Frames::new(wire.framing()),
                    reader: wire.reader(endpoint),
                });
                Ok(Calling { headers, ..calling })
            }
            How::Whole => {
                let whole = answer.whole().await.map_err(|error| outbound(&error, endpoint))?;
                let (head, body) = whole.into_parts();
                let ready = wire.whole(endpoint, &body)?.into();
                let calling = Calling::from(Source::Nothing);
                Ok(Calling { ready, headers: head.headers, ..calling })
            }
        }
    }

    async fn send(
        &self,
        endpoint: &Endpoint,
        wire: &dyn Wire,
        again: Again<'_>,
        patience: Patience,
    ) -> Result<Answer> {
        let method = if again.body.is_some() { Method::POST } else { Method::GET };
        let mut request = http::Request::builder()
            .method(method)
            .uri(again.url)
            .body(again.body.unwrap_or_default())
            .map_err(|_| Error::new(FailureClass::BadRequest, "the provider's address is none"))?;
        request.headers_mut().clone_from(again.headers);
        let answer = self
            .outbound
            .open(request, endpoint.reach, patience)
            .await
            .map_err(|error| outbound(&error, endpoint))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = refusal_body(answer).await;
        Err(Error { status: Some(status), ..wire.refusal(endpoint, status, &headers, &body) })
    }

    /// Asks a provider which models it has. That it answers is also a proof that the key works.
    pub async fn list(&self, endpoint: &Endpoint) -> Result<Vec<Listed>> {
        let Some(wire) = kinds::wire(endpoint.kind, endpoint.api) else {
            return match endpoint.kind {
                ProviderKind::Scripted => Ok(crate::scripted::list()),
                _ => Ok(self.local.as_ref().ok_or_else(no_local)?.list()),
            };
        };
        let answer = self.ask(endpoint, wire, wire.list(endpoint)?, LIST_BYTES).await?;
        let mut listed = wire.listed(&answer)?;
        listed.retain(|model| (1..=ID_BYTES).contains(&model.id.len()));
        listed.truncate(MOST_LISTED);
        Ok(listed)
    }

    /// Embeds texts.
    pub async fn embed(
        &self,
        endpoint: &Endpoint,
        model: &str,
        texts: &[String],
    ) -> Result<Vectors> {
        let none = || Error::new(FailureClass::BadRequest, "this provider makes no embeddings");
        let Some(wire) = kinds::wire(endpoint.kind, endpoint.api) else {
            return match endpoint.kind {
                ProviderKind::Scripted => Err(none()),
                _ => self.embed_locally(model, texts.to_vec()).await,
            };
        };
        let outgoing = wire.embed(endpoint, model, texts).ok_or_else(none)??;
        let limit = self.patiences.answer_bytes;
        let vectors = wire.embedded(&self.ask(endpoint, wire, outgoing, limit).await?)?;
        if vectors.vectors.len() == texts.len() {
            Ok(vectors)
        } else {
            Err(Error::new(FailureClass::Malformed, "there is not one embedding for each text"))
        }
    }

    async fn ask(
        &self,
        endpoint: &Endpoint,
        wire: &dyn Wire,
        outgoing: Outgoing,
        bytes: usize,
    ) -> Result<Vec<u8>> {
        let asking = self.patiences.asking;
        let patience = Patience { total: asking, silence: asking, bytes };
        let again = Again {
            url: &outgoing.url,
            headers: &outgoing.headers,
            body: outgoing.body.map(Bytes::from),
        };
        let answer = self.send(endpoint, wire, again, patience).await?;
        Ok(answer.whole().await.map_err(|error| outbound(&error, endpoint))?.into_body())
    }
}

/// What is sent, once more.
struct Again<'a> {
    url: &'a str,
    headers: &'a HeaderMap,
    body: Option<Bytes>,
}

/// As much of a refusal as is needed to understand it.
async fn refusal_body(mut answer: Answer) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(piece)) = answer.next().await {
        let room = REFUSAL_BYTES - body.len();
        body.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        if body.len() >= REFUSAL_BYTES {
            break;
        }
    }
    body
}

fn no_local() -> Error {
    Error::new(
        FailureClass::NoSuchModel,
        "the local model is not installed; `make models` fetches it",
    )
}

fn outbound(error: &mosaic_outbound::Error, endpoint: &Endpoint) -> Error {
    use mosaic_outbound::Error as E;
    let class = match error {
        E::Unreachable { .. } => FailureClass::Transport,
        E::Late { .. } => FailureClass::Timeout,
        E::TooLong { .. } => FailureClass::Malformed,
        E::OutOfReach { .. } | E::Client(_) => FailureClass::BadRequest,
    };
    Error::said(class, &error.to_string(), endpoint.key.as_ref())
}

impl From<Source> for Calling {
    fn from(source: Source) -> Self {
        Self {
            source,
            ready: VecDeque::new(),
            headers: HeaderMap::new(),
            failed: None,
            over: false,
        }
    }
}

impl Calling {
    /// What the provider said of its limits with this answer.
    pub fn rate_limit(&self, now: Time) -> Option<RateLimit> {
        crate::rate_limit(&self.headers, now)
    }

    /// The next event; `None` after the proper end. Whatever else ends an answer is an error.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if self.over {
                return Ok(None);
            }
            if let Some(event) = self.ready.pop_front() {
                self.over = matches!(event, Event::Ended(_));
                return Ok(Some(event));
            }
            if let Some(error) = self.failed.take() {
                self.source = Source::Nothing;
                return Err(error);
            }
            let more = match &mut self.source {
                Source::Nothing => Ok(false),
                Source::InProcess(events) => match events.recv().await {
                    Some(Ok(event)) => {
                        self.ready.push_back(event);
                        Ok(true)
                    }
                    Some(Err(error)) => Err(error),
                    None => Ok(false),
                },
                Source::Stream { answer, frames, reader } => {
                    read(answer, frames, reader.as_mut(), &mut self.ready).await
                }
            };
            match more {
                Ok(true) => {}
                Ok(false) => {
                    let stopped = "the answer stopped without its end";
                    self.failed = Some(Error::new(FailureClass::Incomplete, stopped));
                }
                Err(error) => self.failed = Some(error),
            }
        }
    }
}

/// Reads what has come, as few events as it can be told in. False at the end.
async fn read(
    answer: &mut Answer,
    frames: &mut Frames,
    reader: &mut dyn Reader,
    ready: &mut VecDeque<Event>,
) -> Result<bool> {
    let mut events = vec![];
    let piece = match answer.next().await {
        Ok(piece) => piece,
        Err(mosaic_outbound::Error::Unreachable { cause, .. }) => {
            let message = format!("the connection broke in the middle of the answer: {cause}");
            return Err(Error::new(FailureClass::Incomplete, message));
        }
        Err(error) => {
            let class = match error {
                mosaic_outbound::Error::Late { .. } => FailureClass::Timeout,
                _ => FailureClass::Malformed,
            };
            return Err(Error::new(class, error.to_string()));
        }
    };
    let taken = match &piece {
        Some(bytes) => frames.push(bytes, &mut |piece| reader.read(piece, &mut events)),
        None => frames
            .over(&mut |piece| reader.read(piece, &mut events))
            .and_then(|()| reader.over(&mut events)),
    };
    for event in events {
        let ended = matches!(event, Event::Ended(_));
        match (ready.back_mut(), event) {
            (Some(Event::Text(text)), Event::Text(more)) => text.push_str(&more),
            (Some(Event::Thinking(text)), Event::Thinking(more)) => text.push_str(&more),
            (
                Some(Event::Arguments { index, piece }),
                Event::Arguments { index: same, piece: more },
            ) if *index == same => piece.push_str(&more),
            (_, event) => ready.push_back(event),
        }
        if ended {
            // What follows the end, even what cannot be read, is no part of the answer.
            return Ok(true);
        }
    }
    taken?;
    Ok(piece.is_some())
}
