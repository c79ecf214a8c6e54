//! A WebSocket: commands come in, the logs that are followed go out. One task per connection, and no queue: what is
//! told is taken from the logs as fast as the other end takes it.

use crate::{
    error::problem,
    refusal::Refusal,
    row::{Cx, RECHECK},
    state::stopped,
};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::{
    FutureExt, SinkExt, StreamExt,
    future::{AbortHandle, Abortable, BoxFuture},
    stream::FuturesUnordered,
};
use mosaic_gateway::{Error, Following, Update};
use mosaic_protocol::{
    CommandId, ErrorCode, Generation, LogId, Seq,
    access::Actor,
    command::{Command, MANIFEST, Submission},
    frame::{ClientFrame, Limits, Position, ServerFrame, VERSIONS},
};
use std::{collections::HashMap, time::Duration};
use tokio::time::{Instant, MissedTickBehavior};

/// A message of the longest text, with everything around it escaped.
pub(crate) const FRAME_BYTES: usize = 1024 * 1024;
/// What may wait in our memory for one that does not read.
pub(crate) const QUEUE_BYTES: usize = 256 * 1024;
const FOLLOWS: usize = 200;
const IDLE: Duration = Duration::from_secs(90);
/// The other end took nothing for so long.
const STALLED: Duration = Duration::from_secs(30);
/// How many updates are put into one write.
const AT_ONCE: usize = 64;

/// Why a connection ends, as a close code and a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The other end closed it, or is gone.
    Left,
    /// The login has ended.
    LoggedOut,
    /// The gateway stops.
    Stopping,
    /// A log cannot be followed just now, although it may be. Who comes back and resumes misses nothing; who stayed
    /// would wait for what never comes.
    Troubled,
    /// Nothing was heard for too long.
    Idle,
    /// Nothing was taken for too long.
    Stalled,
    /// The first frame was no `hello`, or of no version that is spoken.
    NoHello,
    /// A frame was too large, or not a text.
    BadFrame,
}

impl Ending {
    fn close(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Ending::Left => return None,
            Ending::LoggedOut => (4001, "the login has ended"),
            Ending::Stopping => (1012, "the gateway stops; come back"),
            Ending::Troubled => (1013, "a log cannot be read just now; come back and resume"),
            Ending::Idle => (4002, "nothing was heard; send ping in time"),
            Ending::Stalled => (4003, "nothing was taken for too long; come back and resume"),
            Ending::NoHello => {
                (4004, "the first frame must be hello, with a version that is spoken")
            }
            Ending::BadFrame => (1003, "frames are JSON texts"),
        };
        Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) })
    }
}

type Next = BoxFuture<'static, (Box<Following>, Result<Update, Error>)>;

struct Connection {
    cx: Cx,
    actor: Actor,
    socket: WebSocket,
    follows: FuturesUnordered<Abortable<Next>>,
    followed: HashMap<LogId, AbortHandle>,
    heard: Instant,
}

/// Serves until one end has had enough.
pub(crate) async fn serve(socket: WebSocket, cx: Cx) {
    let Ok(actor) = cx.actor().cloned() else { return };
    let mut connection = Connection {
        cx,
        actor,
        socket,
        follows: FuturesUnordered::new(),
        followed: HashMap::new(),
        heard: Instant::now(),
    };
    let ending = connection.run().await;
    tracing::debug!(?ending, "a socket ended");
    if let Some(close) = ending.close() {
        let said = connection.socket.send(Message::Close(Some(close)));
        let _ = tokio::time::timeout(RECHECK, said).await;
    }
}

impl Connection {
    async fn run(&mut self) -> Ending {
        match self.greet().await {
            Err(ending) => ending,
            Ok(()) => match self.talk().await {
                Err(ending) => ending,
                Ok(never) => match never {},
            },
        }
    }

    async fn greet(&mut self) -> Result<(), Ending> {
        let first = tokio::time::timeout(Duration::from_secs(20), self.socket.recv()).await;
        let text = match first.map_err(|_| Ending::NoHello)? {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(_)) => return Err(Ending::BadFrame),
            Some(Err(_)) | None => return Err(Ending::Left),
        };
        let Ok(ClientFrame::Hello { versions, generation, resume }) = serde_json::from_str(&text)
        else {
            return Err(Ending::NoHello);
        };
        let version = versions.1.min(VERSIONS.1);
        if version < versions.0.max(VERSIONS.0) {
            return Err(Ending::NoHello);
        }
        let welcome = self.welcome(version).await.map_err(|error| {
            tracing::warn!(%error, "a socket could not be welcomed");
            Ending::Stopping
        })?;
        let ServerFrame::Welcome { generation: now, .. } = &welcome else {
            return Err(Ending::Stopping);
        };
        let now = *now;
        self.say(&welcome).await?;
        for position in resume {
            self.follow(resumed(position, generation, now)).await?;
        }
        Ok(())
    }

    async fn welcome(&mut self, version: u32) -> Result<ServerFrame, Error> {
        let gateway = self.cx.gateway();
        let Actor::User(person) = &self.actor else { return Err(Error::Unauthenticated) };
        Ok(ServerFrame::Welcome {
            version,
            generation: gateway.store().generation().await?,
            user: person.id,
            inbox: gateway.inbox(&self.actor).await?,
            commands: MANIFEST.iter().map(|kind| (*kind).to_owned()).collect(),
            limits: Limits {
                frame_bytes: FRAME_BYTES,
                follows: FOLLOWS,
                idle_seconds: IDLE.as_secs(),
                queue_bytes: QUEUE_BYTES,
            },
        })
    }

    async fn talk(&mut self) -> Result<std::convert::Infallible, Ending> {
        let mut stopping = self.cx.state.stopping.clone();
        let mut ticks = tokio::time::interval(RECHECK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopped(&mut stopping) => return Err(Ending::Stopping),
                _ = ticks.tick() => self.check_in().await?,
                frame = self.socket.recv() => match frame {
                    Some(Ok(Message::Text(text))) => {
                        self.heard = Instant::now();
                        self.hear(&text).await?;
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => self.heard = Instant::now(),
                    Some(Ok(Message::Binary(_))) => return Err(Ending::BadFrame),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Ending::Left),
                },
                Some(update) = self.follows.next() => {
                    self.tell(update).await?;
                    for _ in 0..AT_ONCE {
                        match self.follows.next().now_or_never() {
                            Some(Some(update)) => self.tell(update).await?,
                            _ => break,
                        }
                    }
                    self.flush().await?;
                }
            }
        }
    }

    /// Whether this one may still be here.
    async fn check_in(&mut self) -> Result<(), Ending> {
        // If the database does not answer, whoever was in stays in, and is asked again.
        if let Err(Error::Unauthenticated) = self.cx.still_in().await {
            return Err(Ending::LoggedOut);
        }
        if self.heard.elapsed() > IDLE { Err(Ending::Idle) } else { Ok(()) }
    }

    async fn hear(&mut self, text: &str) -> Result<(), Ending> {
        let frame = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => return self.misunderstood(text, &error).await,
        };
        if !matches!(frame, ClientFrame::Ping {})
            && let Actor::User(person) = &self.actor
            && let Err(refusal) = self.cx.state.throttle.user(&person.id.to_string())
        {
            return self.refuse(command_of(&frame), &refusal).await;
        }
        match frame {
            ClientFrame::Hello { .. } => {
                let message = "`hello` is said once".to_owned();
                self.say(&ServerFrame::Error { code: ErrorCode::Invalid, message }).await
            }
            ClientFrame::Ping {} => self.say(&ServerFrame::Pong {}).await,
            ClientFrame::Follow { log, after } => self.follow(Position { log, after }).await,
            ClientFrame::Unfollow { log } => {
                if let Some(handle) = self.followed.remove(&log) {
                    handle.abort();
                }
                Ok(())
            }
            ClientFrame::Submit { command_id, command } => self.submit(command_id, command).await,
            ClientFrame::Presence { log, state } => {
                // Whoever may not be there is told nothing: it would only say that there is something.
                let _ = self.cx.gateway().present(&self.actor, log, state).await;
                Ok(())
            }
        }
    }

    async fn submit(&mut self, command_id: CommandId, command: Command) -> Result<(), Ending> {
        let submission = Submission { command_id, command };
        match self.cx.gateway().submit(&self.actor, &submission).await {
            Ok(accepted) => self.say(&ServerFrame::Accepted(accepted)).await,
            Err(error) => self.refuse(Some(command_id), &error.into()).await,
        }
    }

    async fn follow(&mut self, position: Position) -> Result<(), Ending> {
        let Position { log, after } = position;
        if let Some(handle) = self.followed.remove(&log) {
            handle.abort();
        }
        if self.followed.len() >= FOLLOWS {
            let message = format!("one connection follows at most {FOLLOWS} logs");
            return self.say(&ServerFrame::Error { code: ErrorCode::Conflict, message }).await;
        }
        match self.cx.gateway().follow(&self.actor, log, after).await {
            Ok(following) => {
                let (handle, registration) = AbortHandle::new_pair();
                self.followed.insert(log, handle);
                self.follows.push(Abortable::new(next(Box::new(following)), registration));
                Ok(())
            }
            Err(Error::NotFound | Error::Denied(_)) => self.say(&ServerFrame::Gone { log }).await,
            Err(error) => Err(troubled(&error)),
        }
    }

    /// Puts an update on its way; `flush` sees to it that it leaves.
    async fn tell(
        &mut self,
        update: Result<(Box<Following>, Result<Update, Error>), futures_util::future::Aborted>,
    ) -> Result<(), Ending> {
        // It was unfollowed meanwhile.
        let Ok((following, update)) = update else { return Ok(()) };
        let log = following.log();
        let frame = match update {
            Ok(Update::Entry(kept)) => text(kept.frame()),
            Ok(Update::Live(head)) => json(&ServerFrame::Live { log, head }),
            Ok(Update::Draft(piece)) => json(&ServerFrame::Draft { log, piece }),
            Ok(Update::Presence(user, state)) => json(&ServerFrame::Presence { log, user, state }),
            Ok(Update::Access(_)) => return Ok(()),
            Ok(Update::Gone) => {
                self.followed.remove(&log);
                return self.feed(json(&ServerFrame::Gone { log })).await;
            }
            Err(error) => return Err(troubled(&error)),
        };
        let (handle, registration) = AbortHandle::new_pair();
        self.followed.insert(log, handle);
        self.follows.push(Abortable::new(next(following), registration));
        self.feed(frame).await
    }

    async fn misunderstood(&mut self, text: &str, error: &serde_json::Error) -> Result<(), Ending> {
        let message = format!("the frame is not understood: {error}");
        let id = serde_json::from_str::<serde_json::Value>(text).ok();
        let id = id.and_then(|frame| frame["command_id"].as_str()?.parse().ok());
        self.refuse(id, &Error::Invalid(message).into()).await
    }

    async fn refuse(
        &mut self,
        command: Option<CommandId>,
        refusal: &Refusal,
    ) -> Result<(), Ending> {
        let problem = problem(refusal, &self.cx.seen);
        let frame = match command {
            Some(command_id) => ServerFrame::Refused {
                command_id,
                code: problem.code,
                message: problem.message,
                next: problem.next,
            },
            None => ServerFrame::Error { code: problem.code, message: problem.message },
        };
        self.say(&frame).await
    }

    async fn say(&mut self, frame: &ServerFrame) -> Result<(), Ending> {
        self.feed(json(frame)).await?;
        self.flush().await
    }

    async fn feed(&mut self, frame: Utf8Bytes) -> Result<(), Ending> {
        // What does not fit any more leaves first.
        self.patiently(|socket| socket.feed(Message::Text(frame.clone())).boxed()).await
    }

    async fn flush(&mut self) -> Result<(), Ending> {
        self.patiently(|socket| socket.flush().boxed()).await
    }

    /// Sends; whoever loses their login meanwhile, or takes nothing for too long, is left.
    async fn patiently(
        &mut self,
        mut send: impl for<'s> FnMut(&'s mut WebSocket) -> BoxFuture<'s, Result<(), axum::Error>>,
    ) -> Result<(), Ending> {
        let started = Instant::now();
        let mut stopping = self.cx.state.stopping.clone();
        loop {
            tokio::select! {
                sent = send(&mut self.socket) => return sent.map_err(|_| Ending::Left),
                () = tokio::time::sleep(RECHECK) => {}
                () = stopped(&mut stopping) => return Err(Ending::Stopping),
            }
            self.heard = Instant::now();
            self.check_in().await?;
            if started.elapsed() > STALLED {
                return Err(Ending::Stalled);
            }
        }
    }
}

/// Whoever is told less than they follow must not go on as if they were told everything: they come back and resume.
fn troubled(error: &Error) -> Ending {
    tracing::warn!(%error, "following a log");
    Ending::Troubled
}

fn next(mut following: Box<Following>) -> Next {
    async move {
        let update = following.next().await;
        (following, update)
    }
    .boxed()
}

/// A place from another life of the data says nothing about this one.
fn resumed(position: Position, of: Option<Generation>, now: Generation) -> Position {
    if of.is_none_or(|of| of == now) {
        position
    } else {
        Position { after: Seq::START, ..position }
    }
}

fn command_of(frame: &ClientFrame) -> Option<CommandId> {
    match frame {
        ClientFrame::Submit { command_id, .. } => Some(*command_id),
        _ => None,
    }
}

fn json(frame: &ServerFrame) -> Utf8Bytes {
    serde_json::to_string(frame).unwrap_or_default().into()
}

/// JSON is UTF-8.
fn text(frame: bytes::Bytes) -> Utf8Bytes {
    Utf8Bytes::try_from(frame).unwrap_or_default()
}
