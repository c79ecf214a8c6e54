//! One who writes: a command after the other, each with an id of its own. What gets no answer is sent again, or left
//! for good; what got one is sent again now and then, and its id tried for something else.

use crate::{
    chance::Chance,
    check::is_final,
    history::{Event, History},
    http::{Http, PATIENCE},
    people::Person,
    socket::Socket,
};
use http::Method;
use mosaic_client::Client;
use mosaic_protocol::{
    CommandId, ErrorCode, Label, LogId, MessageText, Seq, Tag,
    command::{Command, Submission},
    entry::Origin,
    frame::{ClientFrame, ServerFrame},
    log::Accepted,
};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// What all writers of a round share.
pub(crate) struct Shared {
    pub(crate) history: History,
    /// The conversations that everybody writes to.
    pub(crate) logs: Vec<LogId>,
    /// Conversations that were begun on the way, and by whom.
    pub(crate) aside: Mutex<Vec<(LogId, usize)>>,
    pub(crate) n_accepted: AtomicU64,
    pub(crate) n_sent: AtomicU64,
    pub(crate) stop: AtomicBool,
    /// What was asked for, by whom, and whether it was acknowledged.
    pub(crate) asked: Mutex<Vec<Asked>>,
}

/// A command that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) by: usize,
    pub(crate) id: CommandId,
    pub(crate) command: Command,
    pub(crate) is_answered: bool,
}

impl Shared {
    fn stops(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    pub(crate) fn aside(&self) -> Vec<(LogId, usize)> {
        self.aside.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What came of a try.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    Accepted(LogId, Seq),
    Refused(ErrorCode),
    Lost,
}

/// How commands travel.
pub(crate) enum Line {
    /// `POST /api/commands`.
    Http(Http),
    /// A WebSocket that is opened again when it broke.
    Socket(SocketAddr, Option<Box<Socket>>),
    /// The client that comes back by itself, and sends again by itself.
    Client(Client),
}

impl Line {
    /// The `n`th kind.
    pub(crate) fn of(n: usize, address: SocketAddr, who: &Person) -> anyhow::Result<Line> {
        Ok(match n % 3 {
            0 => Line::Http(Http::to(address)),
            1 => Line::Socket(address, None),
            _ => {
                let (url, token) = (format!("http://{address}"), who.token.clone());
                Line::Client(Client::start(mosaic_client::Settings { url, token })?)
            }
        })
    }

    async fn carry(&mut self, who: &Person, id: CommandId, command: &Command) -> Answer {
        match self {
            Line::Http(http) => {
                let submission = Submission { command_id: id, command: command.clone() };
                let Ok(json) = serde_json::to_value(&submission) else { return Answer::Lost };
                let credential = who.credential();
                let asked = http.ask(Method::POST, "/api/commands", &credential, &json);
                let Ok(answer) = asked.await else { return Answer::Lost };
                if let Ok(it) = serde_json::from_value::<Accepted>(answer.json.clone()) {
                    return Answer::Accepted(it.log, it.seq);
                }
                serde_json::from_value(answer.json["error"]["code"].clone())
                    .map_or(Answer::Lost, Answer::Refused)
            }
            Line::Socket(address, open) => {
                let mut socket = match open.take() {
                    Some(socket) => socket,
                    None => match Socket::open(*address, &who.token, vec![]).await {
                        Some(socket) => Box::new(socket),
                        None => return Answer::Lost,
                    },
                };
                let frame = ClientFrame::Submit { command_id: id, command: command.clone() };
                let answered = async {
                    socket.say(&frame).await?;
                    loop {
                        match socket.hear().await? {
                            ServerFrame::Accepted(it) if it.command_id == id => {
                                return Some(Answer::Accepted(it.log, it.seq));
                            }
                            ServerFrame::Refused { command_id, code, .. } if command_id == id => {
                                return Some(Answer::Refused(code));
                            }
                            _ => {}
                        }
                    }
                };
                match tokio::time::timeout(PATIENCE, answered).await {
                    Ok(Some(answer)) => {
                        *open = Some(socket);
                        answer
                    }
                    _ => Answer::Lost,
                }
            }
            Line::Client(client) => {
                let submitted = client.submit_as(id, command.clone());
                // It sends again as long as it takes; nobody waits for ever.
                match tokio::time::timeout(2 * PATIENCE, submitted).await {
                    Ok(Ok(it)) => Answer::Accepted(it.log, it.seq),
                    Ok(Err(mosaic_client::Error::Refused { code, .. })) => Answer::Refused(code),
                    _ => Answer::Lost,
                }
            }
        }
    }
}

/// Sends a command once, and notes what came of it.
pub(crate) async fn send(
    shared: &Shared,
    name: &str,
    line: &mut Line,
    who: &Person,
    id: CommandId,
    command: &Command,
) -> Answer {
    let attempt = shared.history.sent(name, id, command);
    shared.n_sent.fetch_add(1, Ordering::SeqCst);
    let answer = line.carry(who, id, command).await;
    shared.history.note(match answer {
        Answer::Accepted(log, seq) => Event::Accepted { attempt, log, seq },
        Answer::Refused(code) => Event::Refused { attempt, code },
        Answer::Lost => Event::Unanswered { attempt },
    });
    if let Answer::Accepted(..) = answer {
        shared.n_accepted.fetch_add(1, Ordering::SeqCst);
    }
    answer
}

/// One who writes.
pub(crate) struct Writer {
    pub(crate) name: String,
    /// Which of the people it writes as.
    pub(crate) by: usize,
    pub(crate) who: Person,
    pub(crate) line: Line,
    pub(crate) address: SocketAddr,
    pub(crate) chance: Chance,
    pub(crate) shared: Arc<Shared>,
    /// Own messages, which can be said differently.
    said: Vec<(LogId, Seq)>,
    /// Conversations of its own, which can be deleted.
    own: Vec<LogId>,
}

impl Writer {
    pub(crate) fn new(
        name: String,
        by: usize,
        who: Person,
        (address, line): (SocketAddr, Line),
        chance: Chance,
        shared: Arc<Shared>,
    ) -> Writer {
        Writer { name, by, who, line, address, chance, shared, said: vec![], own: vec![] }
    }

    /// Writes until it is told to stop.
    pub(crate) async fn run(mut self) {
        while !self.shared.stops() {
            let id = CommandId::new(self.chance.uuid());
            let Some(command) = self.choose(id) else { continue };
            let answer = self.insist(id, &command).await;
            let is_answered = match answer {
                Answer::Accepted(log, seq) => {
                    self.remember(&command, log, seq);
                    true
                }
                Answer::Refused(code) => is_final(code),
                Answer::Lost => false,
            };
            let asked = Asked { by: self.by, id, command: command.clone(), is_answered };
            self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
            if matches!(answer, Answer::Accepted(..)) {
                if self.chance.percent(10) {
                    self.send(id, &command).await;
                }
                // Something else under the same id. (Only of marks no id is kept.)
                let is_mark = matches!(command, Command::MarkRead { .. });
                if self.chance.percent(5) && !is_mark {
                    let other = CommandId::new(self.chance.uuid());
                    let log = self.chance.pick(&self.shared.logs).copied();
                    if let Some(command) =
                        log.and_then(|log| message(other, log, "in another's name"))
                    {
                        // By itself: a client that has sent the first one twice takes its second answer for this one's.
                        let mut apart = Line::Http(Http::to(self.address));
                        send(&self.shared, &self.name, &mut apart, &self.who, id, &command).await;
                    }
                }
            }
        }
    }

    /// Sends it again until there is an answer, or leaves it for good.
    async fn insist(&mut self, id: CommandId, command: &Command) -> Answer {
        loop {
            let answer = self.send(id, command).await;
            let is_known = match answer {
                Answer::Accepted(..) => true,
                Answer::Refused(code) => is_final(code),
                Answer::Lost => false,
            };
            if is_known || self.shared.stops() || self.chance.percent(30) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(self.chance.among(10, 60))).await;
        }
    }

    async fn send(&mut self, id: CommandId, command: &Command) -> Answer {
        let answer = send(&self.shared, &self.name, &mut self.line, &self.who, id, command).await;
        if let Answer::Lost = answer {
            // A gateway that is down is not asked as fast as one can.
            tokio::time::sleep(Duration::from_millis(self.chance.among(5, 30))).await;
        }
        answer
    }

    fn remember(&mut self, command: &Command, log: LogId, seq: Seq) {
        match command {
            Command::CreateConversation { .. }
            | Command::Fork { .. }
            | Command::EditMessage { .. } => {
                self.own.push(log);
                let mut aside = self.shared.aside.lock().unwrap_or_else(PoisonError::into_inner);
                aside.push((log, self.by));
            }
            Command::SendMessage { .. } => self.said.push((log, seq)),
            Command::DeleteConversation { .. } => {
                self.own.retain(|it| *it != log);
                self.said.retain(|(it, _)| *it != log);
            }
            _ => {}
        }
    }

    fn choose(&mut self, id: CommandId) -> Option<Command> {
        let common = *self.chance.pick(&self.shared.logs)?;
        // Now and then a conversation of one's own, which nobody else writes to.
        let mine = self.chance.pick(&self.own).copied();
        let log = if self.chance.percent(20) { mine.unwrap_or(common) } else { common };
        let label = || Label::try_from(id.to_string()).ok();
        let seq = |chance: &mut Chance| Seq(i64::try_from(chance.among(1, 3)).unwrap_or(1));
        match self.chance.among(0, 100) {
            0..64 => {
                let length =
                    if self.chance.percent(3) { 20_000 } else { self.chance.among(0, 160) };
                message(id, log, &"x".repeat(usize::try_from(length).unwrap_or(0)))
            }
            64..70 => Some(Command::CreateConversation { workspace_id: None, title: label() }),
            70..75 => Some(Command::Fork {
                log,
                at: Some(seq(&mut self.chance)),
                workspace_id: None,
                title: label(),
            }),
            75..79 => Some(Command::Rename { log, title: label()? }),
            79..83 => {
                let tags = vec![Tag::try_from(id.to_string()).ok()?];
                Some(Command::SetTags { log, tags })
            }
            83..87 => Some(Command::Pin { log, seq: seq(&mut self.chance) }),
            87..89 => Some(Command::Unpin { log, seq: seq(&mut self.chance) }),
            89..91 => {
                let archive = self.chance.percent(50);
                Some(if archive { Command::Archive { log } } else { Command::Unarchive { log } })
            }
            91..93 => {
                let (log, seq) = *self.chance.pick(&self.said).filter(|(_, seq)| seq.0 < 40)?;
                let text = MessageText::try_from(format!("{id} differently")).ok()?;
                Some(Command::EditMessage { log, seq, text })
            }
            93..96 => Some(Command::DeleteConversation { log: mine? }),
            _ => Some(Command::MarkRead { log, seq: seq(&mut self.chance) }),
        }
    }
}

fn message(id: CommandId, log: LogId, more: &str) -> Option<Command> {
    let text = MessageText::try_from(format!("{id} {more}")).ok()?;
    let origin = Origin { surface: "chaos".to_owned(), ..Origin::default() };
    Some(Command::SendMessage { log, text, attachments: vec![], reply_to: None, origin })
}
