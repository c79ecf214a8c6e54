//! A WebSocket: commands come in, the logs that are followed go out. One task per connection: what is told is taken from
//! the logs as fast as the other end takes it. With a thousand readers this is where the time goes, so nothing is asked,
//! made or looked at again for every entry that is not needed for it.

use crate::{
    error::problem,
    outgoing::{self, Outgoing},
    refusal::Refusal,
    row::{Cx, RECHECK},
    state::stopped,
};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::{
    FutureExt, SinkExt, StreamExt,
    future::{AbortHandle, Abortable, Aborted, BoxFuture},
    stream::FuturesUnordered,
    task::AtomicWaker,
};
use mosaic_gateway::Error;
use mosaic_protocol::{
    CommandId, ErrorCode, Generation, LogId, Seq,
    access::Actor,
    command::{Command, MANIFEST, Submission},
    frame::{ClientFrame, Limits, Position, PresenceState, ServerFrame, VERSIONS},
};
use std::{
    collections::{HashMap, HashSet},
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker, ready},
    time::Duration,
};
use tokio::time::{Instant, MissedTickBehavior};

/// A message of the longest text, with everything around it escaped.
pub(crate) const FRAME_BYTES: usize = 1024 * 1024;
/// The longest text with every character of it escaped by six, and what is around it: the largest frame that leaves.
pub(crate) const ENTRY_BYTES: usize = 6 * 256 * 1024 + 64 * 1024;
/// What may wait in our memory for one that does not read.
pub(crate) const QUEUE_BYTES: usize = 256 * 1024;
const FOLLOWS: usize = 200;
const IDLE: Duration = Duration::from_secs(90);
/// How long one write may take. Whoever takes nothing at all is left much earlier (`moving.rs`); this is for those who take
/// next to nothing: the largest frame leaves in this time at three kilobytes in a second.
const STALLED: Duration = Duration::from_secs(600);

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

/// A log that is followed, until there is nothing more to tell of it.
type Told = Abortable<BoxFuture<'static, (LogId, Result<(), Error>)>>;

/// Whether something has happened besides what is told: to look for it is not cheap, and is in vain for most entries.
#[derive(Default)]
struct Besides {
    something: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Besides {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.something.store(true, Ordering::Release);
        self.task.wake();
    }
}

/// What happens to a connection.
enum Event {
    /// There is something to tell.
    Tell,
    /// A log is no longer followed.
    Ended(Result<(LogId, Result<(), Error>), Aborted>),
    /// The other end said something.
    Heard(Option<Result<Message, axum::Error>>),
    /// It is time to ask whether this one may still be here.
    Tick,
    /// The gateway stops.
    Stop,
}

struct Connection {
    cx: Cx,
    actor: Actor,
    socket: WebSocket,
    follows: FuturesUnordered<Told>,
    outgoing: Outgoing,
    followed: HashMap<LogId, AbortHandle>,
    heard: Instant,
    /// When they were last asked whether they are there.
    asked: Option<Instant>,
    /// Where they said that they are.
    present: HashSet<LogId>,
}

/// Serves until one end has had enough.
pub(crate) async fn serve(socket: WebSocket, cx: Cx) {
    let Ok(actor) = cx.actor().cloned() else { return };
    let mut connection = Connection {
        cx,
        actor,
        socket,
        follows: FuturesUnordered::new(),
        outgoing: Outgoing::default(),
        followed: HashMap::new(),
        heard: Instant::now(),
        asked: None,
        present: HashSet::new(),
    };
    let ending = connection.run().await;
    tracing::debug!(?ending, "a socket ended");
    for log in &connection.present {
        let _ = connection.cx.gateway().absent(&connection.actor, *log);
    }
    if ending == Ending::Left {
        // The answer to their goodbye, if they said one.
        let _ = tokio::time::timeout(RECHECK, connection.socket.flush()).await;
    }
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
        if resume.len() > FOLLOWS {
            let message =
                format!("`hello` resumes at most {FOLLOWS} logs; use another connection for more");
            self.say(&ServerFrame::Error { code: ErrorCode::Invalid, message }).await?;
            return Err(Ending::NoHello);
        }
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
        let mut stopped = pin!(stopped(&mut stopping));
        let mut ticks = tokio::time::interval(RECHECK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let besides = Arc::new(Besides { something: AtomicBool::new(true), ..Besides::default() });
        let noting = Waker::from(besides.clone());
        loop {
            self.tell().await?;
            let event = poll_fn(|cx| {
                if let Poll::Ready(Some(ended)) = self.follows.poll_next_unpin(cx) {
                    return Poll::Ready(Event::Ended(ended));
                }
                besides.task.register(cx.waker());
                if besides.something.swap(false, Ordering::AcqRel) {
                    let cx = &mut Context::from_waker(&noting);
                    let happened = if stopped.as_mut().poll(cx).is_ready() {
                        Some(Event::Stop)
                    } else if ticks.poll_tick(cx).is_ready() {
                        Some(Event::Tick)
                    } else if let Poll::Ready(heard) = self.socket.poll_next_unpin(cx) {
                        Some(Event::Heard(heard))
                    } else {
                        None
                    };
                    if let Some(event) = happened {
                        // There may be more of it.
                        besides.something.store(true, Ordering::Release);
                        return Poll::Ready(event);
                    }
                }
                if self.outgoing.is_empty() { Poll::Pending } else { Poll::Ready(Event::Tell) }
            });
            match event.await {
                // At the beginning of the loop, as after every event.
                Event::Tell => {}
                // It was unfollowed.
                Event::Ended(Err(Aborted)) => {}
                Event::Ended(Ok((log, ended))) => {
                    self.followed.remove(&log);
                    ended.map_err(|error| troubled(&error))?;
                }
                Event::Heard(heard) => match heard {
                    Some(Ok(Message::Text(text))) => {
                        self.heard = Instant::now();
                        self.hear(&text).await?;
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => self.heard = Instant::now(),
                    Some(Ok(Message::Binary(_))) => return Err(Ending::BadFrame),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Ending::Left),
                },
                Event::Tick => {
                    self.check_in().await?;
                    self.ask().await?;
                }
                Event::Stop => return Err(Ending::Stopping),
            }
        }
    }

    /// Lets everything leave that is to be told.
    async fn tell(&mut self) -> Result<(), Ending> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        let outgoing = self.outgoing.clone();
        self.patiently(|socket, cx| {
            while !outgoing.is_empty() {
                ready!(socket.poll_ready_unpin(cx))?;
                if let Some(frame) = outgoing.take() {
                    socket.start_send_unpin(Message::Text(frame))?;
                }
            }
            socket.poll_flush_unpin(cx)
        })
        .await
    }

    /// Whether this one may still be here.
    async fn check_in(&mut self) -> Result<(), Ending> {
        // If the database does not answer, whoever was in stays in, and is asked again.
        if let Err(Error::Unauthenticated) = self.cx.still_in().await {
            return Err(Ending::LoggedOut);
        }
        if self.heard.elapsed() > IDLE { Err(Ending::Idle) } else { Ok(()) }
    }

    /// Whoever was not heard for a while is asked whether they are there: most programs answer by themselves.
    async fn ask(&mut self) -> Result<(), Ending> {
        if self.heard.elapsed() < IDLE / 3 || self.asked >= Some(self.heard) {
            return Ok(());
        }
        self.asked = Some(Instant::now());
        self.patiently(|socket, cx| socket.poll_ready_unpin(cx)).await?;
        let ping = Message::Ping(Default::default());
        self.socket.start_send_unpin(ping).map_err(|_| Ending::Left)?;
        self.flush().await
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
                self.is_present(log, state).await;
                Ok(())
            }
        }
    }

    async fn is_present(&mut self, log: LogId, state: PresenceState) {
        let gateway = self.cx.gateway();
        // Whoever may not be there is told nothing: it would only say that there is something.
        if state == PresenceState::Away {
            if self.present.remove(&log) {
                let _ = gateway.absent(&self.actor, log);
            }
        } else if (self.present.contains(&log) || self.present.len() < FOLLOWS)
            && gateway.present(&self.actor, log, state).await.is_ok()
        {
            self.present.insert(log);
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
                let told = outgoing::tell(Box::new(following), self.outgoing.clone()).boxed();
                self.follows.push(Abortable::new(told, registration));
                Ok(())
            }
            Err(Error::NotFound | Error::Denied(_)) => self.say(&ServerFrame::Gone { log }).await,
            Err(error) => Err(troubled(&error)),
        }
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

    /// Puts a frame on its way; `flush` sees to it that it leaves.
    async fn feed(&mut self, frame: Utf8Bytes) -> Result<(), Ending> {
        // What does not fit any more leaves first.
        self.patiently(|socket, cx| socket.poll_ready_unpin(cx)).await?;
        self.socket.start_send_unpin(Message::Text(frame)).map_err(|_| Ending::Left)
    }

    async fn flush(&mut self) -> Result<(), Ending> {
        self.patiently(|socket, cx| socket.poll_flush_unpin(cx)).await
    }

    /// Sends; whoever loses their login meanwhile, or takes nothing for too long, is left.
    async fn patiently(
        &mut self,
        mut send: impl FnMut(&mut WebSocket, &mut Context<'_>) -> Poll<Result<(), axum::Error>>,
    ) -> Result<(), Ending> {
        // Nearly always it is done at once.
        let at_once = poll_fn(|cx| Poll::Ready(send(&mut self.socket, cx))).await;
        if let Poll::Ready(sent) = at_once {
            return sent.map_err(|_| Ending::Left);
        }
        let started = Instant::now();
        let mut stopping = self.cx.state.stopping.clone();
        loop {
            tokio::select! {
                sent = poll_fn(|cx| send(&mut self.socket, cx)) => {
                    return sent.map_err(|_| Ending::Left);
                }
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

pub(crate) fn json(frame: &ServerFrame) -> Utf8Bytes {
    serde_json::to_string(frame).unwrap_or_default().into()
}
