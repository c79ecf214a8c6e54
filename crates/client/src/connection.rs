//! The task behind a client: connects, says hello with what it has, sends again what was not answered, and hands on
//! what it hears. All that must survive a cut is in `State`; a connection has nothing of its own.

use crate::{
    Error, Settings,
    backoff::Backoff,
    follow::{Arrival, Teller, Told, arrival},
};
use futures_util::{SinkExt, StreamExt};
use mosaic_protocol::{
    CommandId, Generation, LogId, Seq,
    command::Submission,
    frame::{ClientFrame, Position, PresenceState, ServerFrame, VERSIONS},
    log::Accepted,
};
use std::{collections::HashMap, time::Duration};
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error as WsError, Message,
        client::IntoClientRequest,
        handshake::client::Request,
        http::{HeaderValue, StatusCode, header},
    },
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Answer = oneshot::Sender<Result<Accepted, Error>>;

/// Nothing was heard for so long that the other end must be gone.
const SILENCE: Duration = Duration::from_secs(60);
const PING: Duration = Duration::from_secs(20);
const CONNECT_TIME: Duration = Duration::from_secs(15);

/// What a client asks its task for.
pub(crate) enum Ask {
    Submit { submission: Submission, answer: Answer },
    Follow { log: LogId, after: Seq, teller: Teller },
    Presence { log: LogId, state: PresenceState },
}

struct Followed {
    last: Seq,
    teller: Teller,
}

/// What lasts from connection to connection.
#[derive(Default)]
struct State {
    generation: Option<Generation>,
    unanswered: HashMap<CommandId, (Submission, Answer)>,
    followed: HashMap<LogId, Followed>,
}

/// Why a connection ended.
enum End {
    /// Come back.
    Cut,
    /// The last clone of the client was dropped.
    Dropped,
    /// Coming back would not help.
    Never(Error),
}

pub(crate) fn request(settings: &Settings) -> Result<Request, Error> {
    let bad = || Error::BadUrl(settings.url.clone());
    let rest = settings.url.trim_end_matches('/');
    let url = match rest.split_once("://") {
        Some(("http", rest)) => format!("ws://{rest}/ws"),
        Some(("https", rest)) => format!("wss://{rest}/ws"),
        _ => return Err(bad()),
    };
    let mut request = url.into_client_request().map_err(|_| bad())?;
    let mut value = HeaderValue::from_str(&format!("Bearer {}", settings.token))
        .map_err(|_| Error::LoggedOut)?;
    value.set_sensitive(true);
    request.headers_mut().insert(header::AUTHORIZATION, value);
    Ok(request)
}

pub(crate) async fn run(request: Request, mut asked: mpsc::Receiver<Ask>) {
    let (mut state, mut backoff) = (State::default(), Backoff::default());
    loop {
        let end = match open(request.clone()).await {
            Err(end) => end,
            Ok(mut socket) => {
                let end = serve(&mut socket, &mut state, &mut asked, &mut backoff).await;
                let _ = socket.close(None).await;
                end
            }
        };
        match end {
            End::Dropped => return,
            End::Never(error) => {
                for (_, (_, answer)) in state.unanswered.drain() {
                    let _ = answer.send(Err(error.clone()));
                }
                return;
            }
            End::Cut => {}
        }
        let (chance, _) = uuid::Uuid::new_v4().as_u64_pair();
        let wait = tokio::time::sleep(backoff.next(chance));
        tokio::pin!(wait);
        // What is asked meanwhile is noted, and done when there is a connection.
        loop {
            tokio::select! {
                () = &mut wait => break,
                ask = asked.recv() => match ask {
                    Some(ask) => drop(state.note(ask)),
                    None if state.unanswered.is_empty() => return,
                    None => break,
                },
            }
        }
    }
}

async fn open(request: Request) -> Result<Socket, End> {
    match tokio::time::timeout(CONNECT_TIME, connect_async(request)).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(WsError::Http(response))) if response.status() == StatusCode::UNAUTHORIZED => {
            Err(End::Never(Error::LoggedOut))
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "no connection");
            Err(End::Cut)
        }
        Err(_) => Err(End::Cut),
    }
}

async fn serve(
    socket: &mut Socket,
    state: &mut State,
    asked: &mut mpsc::Receiver<Ask>,
    backoff: &mut Backoff,
) -> End {
    match talk(socket, state, asked, backoff).await {
        Err(end) => end,
        Ok(never) => match never {},
    }
}

async fn talk(
    socket: &mut Socket,
    state: &mut State,
    asked: &mut mpsc::Receiver<Ask>,
    backoff: &mut Backoff,
) -> Result<std::convert::Infallible, End> {
    say(socket, &state.hello()).await?;
    let mut ticks = tokio::time::interval(PING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            frame = socket.next() => {
                heard = Instant::now();
                let text = match frame {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Close(close))) => {
                        return Err(match close.map_or(0, |close| close.code.into()) {
                            4001 => End::Never(Error::LoggedOut),
                            4004 => End::Never(Error::OtherVersion),
                            _ => End::Cut,
                        });
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(_)) | None => return Err(End::Cut),
                };
                // What a newer gateway says that we do not know is passed over.
                let Ok(frame) = serde_json::from_str::<ServerFrame>(&text) else { continue };
                for reply in state.hear(frame, backoff).await {
                    say(socket, &reply).await?;
                }
            }
            ask = asked.recv() => match ask {
                Some(ask) => if let Some(frame) = state.note(ask) {
                    say(socket, &frame).await?;
                },
                None => return Err(End::Dropped),
            },
            _ = ticks.tick() => {
                if heard.elapsed() > SILENCE {
                    return Err(End::Cut);
                }
                say(socket, &ClientFrame::Ping {}).await?;
            }
        }
    }
}

async fn say(socket: &mut Socket, frame: &ClientFrame) -> Result<(), End> {
    let text = serde_json::to_string(frame).map_err(|_| End::Cut)?;
    match tokio::time::timeout(SILENCE, socket.send(Message::text(text))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Cut),
    }
}

fn submit(submission: &Submission) -> ClientFrame {
    ClientFrame::Submit { command_id: submission.command_id, command: submission.command.clone() }
}

impl State {
    fn hello(&self) -> ClientFrame {
        let position =
            |(log, followed): (&LogId, &Followed)| Position { log: *log, after: followed.last };
        ClientFrame::Hello {
            versions: VERSIONS,
            generation: self.generation,
            resume: self.followed.iter().map(position).collect(),
        }
    }

    /// Notes what is asked for. Answers the frame that asks for it, if there is somebody to say it to.
    fn note(&mut self, ask: Ask) -> Option<ClientFrame> {
        match ask {
            Ask::Submit { submission, answer } => {
                let frame = submit(&submission);
                self.unanswered.insert(submission.command_id, (submission, answer));
                Some(frame)
            }
            Ask::Follow { log, after, teller } => {
                self.followed.insert(log, Followed { last: after, teller });
                Some(ClientFrame::Follow { log, after })
            }
            Ask::Presence { log, state } => Some(ClientFrame::Presence { log, state }),
        }
    }

    /// Takes in a frame. Answers what to say to it.
    async fn hear(&mut self, frame: ServerFrame, backoff: &mut Backoff) -> Vec<ClientFrame> {
        match frame {
            ServerFrame::Welcome { generation, .. } => {
                backoff.reset();
                return self.welcome(generation).await;
            }
            ServerFrame::Accepted(accepted) => self.answer(accepted.command_id, Ok(accepted)),
            ServerFrame::Refused { command_id, code, message, next } => {
                self.answer(command_id, Err(Error::Refused { code, message, next }));
            }
            ServerFrame::Entry { log, entry } => return self.entry(log, entry).await,
            ServerFrame::Live { log, head } => return self.tell(log, Told::Live(head)).await,
            ServerFrame::Draft { log, piece } => return self.tell(log, Told::Draft(piece)).await,
            ServerFrame::Presence { log, user, state } => {
                return self.tell(log, Told::Presence(user, state)).await;
            }
            // Its follower is told by the end of what it hears.
            ServerFrame::Gone { log } => drop(self.followed.remove(&log)),
            ServerFrame::Error { code, message } => {
                tracing::warn!(?code, message, "a frame was refused");
            }
            ServerFrame::Pong {} => {}
        }
        vec![]
    }

    async fn welcome(&mut self, generation: Generation) -> Vec<ClientFrame> {
        if self.generation.is_some_and(|known| known != generation) {
            for followed in self.followed.values_mut() {
                followed.last = Seq::START;
                let _ = followed.teller.send(Told::Restarted).await;
            }
        }
        self.generation = Some(generation);
        self.unanswered.values().map(|(submission, _)| submit(submission)).collect()
    }

    fn answer(&mut self, command_id: CommandId, answer: Result<Accepted, Error>) {
        if let Some((_, asker)) = self.unanswered.remove(&command_id) {
            // Whoever asked may have gone away; it is done all the same.
            let _ = asker.send(answer);
        }
    }

    async fn entry(&mut self, log: LogId, entry: mosaic_protocol::log::Entry) -> Vec<ClientFrame> {
        let Some(followed) = self.followed.get_mut(&log) else { return vec![] };
        match arrival(followed.last, entry.seq) {
            Arrival::Known => vec![],
            Arrival::Gap => vec![ClientFrame::Follow { log, after: followed.last }],
            Arrival::Next => {
                followed.last = entry.seq;
                self.tell(log, Told::Entry(entry)).await
            }
        }
    }

    /// Tells a follower; one that was dropped is followed no longer.
    async fn tell(&mut self, log: LogId, told: Told) -> Vec<ClientFrame> {
        let Some(followed) = self.followed.get(&log) else { return vec![] };
        if followed.teller.send(told).await.is_ok() {
            return vec![];
        }
        self.followed.remove(&log);
        vec![ClientFrame::Unfollow { log }]
    }
}
