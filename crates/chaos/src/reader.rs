//! Those who read: by the client that comes back by itself, and by bare sockets that go on where they were, begin from
//! nothing each time, hang up now and then, or take their time.

use crate::{
    chance::Chance,
    history::{Event, History},
    people::Person,
    socket::Socket,
};
use mosaic_client::{Client, Told};
use mosaic_protocol::{
    LogId, Seq,
    frame::{ClientFrame, Position, ServerFrame},
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::task::AbortHandle;

/// How a bare socket reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Comes back and goes on.
    GoesOn,
    /// Comes back and begins from nothing.
    BeginsAnew,
    /// Takes its time with each frame.
    Slow,
    /// Hangs up by itself now and then.
    HangsUp,
}

/// The last entry that a reader has of each log. A log that is gone is not in it.
type Positions = Arc<Mutex<BTreeMap<LogId, Seq>>>;

/// One who reads, until it is dropped.
pub(crate) struct Reader {
    pub(crate) name: String,
    positions: Positions,
    tasks: Vec<AbortHandle>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Reader {
    /// What it has.
    pub(crate) fn positions(&self) -> BTreeMap<LogId, Seq> {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The `n`th kind of reader.
    pub(crate) async fn begin(
        n: usize,
        address: SocketAddr,
        who: &Person,
        logs: &[LogId],
        chance: Chance,
        history: &History,
    ) -> anyhow::Result<Reader> {
        let manner = match n % 5 {
            0 => return Reader::by_client(n, address, who, logs, history).await,
            1 => Manner::GoesOn,
            2 => Manner::BeginsAnew,
            3 => Manner::Slow,
            _ => Manner::HangsUp,
        };
        let name = format!("reader {n}, {manner:?}");
        let positions = Positions::default();
        let bare = Bare {
            name: name.clone(),
            manner,
            address,
            token: who.token.clone(),
            logs: logs.to_vec(),
            chance,
            history: history.clone(),
            positions: positions.clone(),
        };
        let tasks = vec![tokio::spawn(bare.run()).abort_handle()];
        Ok(Reader { name, positions, tasks })
    }

    async fn by_client(
        n: usize,
        address: SocketAddr,
        who: &Person,
        logs: &[LogId],
        history: &History,
    ) -> anyhow::Result<Reader> {
        let name = format!("reader {n}, by the client");
        let (url, token) = (format!("http://{address}"), who.token.clone());
        let client = Client::start(mosaic_client::Settings { url, token })?;
        let (positions, mut tasks) = (Positions::default(), vec![]);
        for log in logs {
            let mut follow = client.follow(*log, Seq::START).await?;
            let (history, positions, reader) = (history.clone(), positions.clone(), name.clone());
            let log = *log;
            history.note(Event::Follows { reader: reader.clone(), log, after: Seq::START });
            set(&positions, log, Some(Seq::START));
            let client = client.clone();
            let following = tokio::spawn(async move {
                // As long as somebody follows, the client stays.
                let _client = client;
                while let Some(told) = follow.next().await {
                    let reader = reader.clone();
                    match told {
                        Told::Entry(entry) => {
                            let seq = entry.seq;
                            history.note(Event::Saw { reader, log, entry });
                            set(&positions, log, Some(seq));
                        }
                        Told::Restarted => history.note(Event::SawRestart { reader, log }),
                        Told::Live(_) | Told::Draft(_) | Told::Presence(..) => {}
                    }
                }
                history.note(Event::SawGone { reader, log });
                set(&positions, log, None);
            });
            tasks.push(following.abort_handle());
        }
        Ok(Reader { name, positions, tasks })
    }
}

fn set(positions: &Positions, log: LogId, seq: Option<Seq>) {
    let mut positions = positions.lock().unwrap_or_else(PoisonError::into_inner);
    match seq {
        Some(seq) => drop(positions.insert(log, seq)),
        None => drop(positions.remove(&log)),
    }
}

struct Bare {
    name: String,
    manner: Manner,
    address: SocketAddr,
    token: String,
    logs: Vec<LogId>,
    chance: Chance,
    history: History,
    positions: Positions,
}

impl Bare {
    async fn run(mut self) {
        for log in self.logs.clone() {
            set(&self.positions, log, Some(Seq::START));
        }
        loop {
            self.listen().await;
            tokio::time::sleep(Duration::from_millis(self.chance.among(10, 80))).await;
        }
    }

    /// Listens over one connection, until it ends.
    async fn listen(&mut self) -> Option<()> {
        let has = self.positions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // In hello, or log by log after it: both are ways to come back.
        let at_once = self.chance.percent(50);
        let begins_anew = self.manner == Manner::BeginsAnew;
        let after = |seq: Seq| if begins_anew { Seq::START } else { seq };
        let wanted: Vec<Position> =
            has.iter().map(|(log, seq)| Position { log: *log, after: after(*seq) }).collect();
        let resume = if at_once { wanted.clone() } else { vec![] };
        // Noted before anything can come.
        for Position { log, after } in &wanted {
            let reader = self.name.clone();
            self.history.note(Event::Follows { reader, log: *log, after: *after });
            set(&self.positions, *log, Some(*after));
        }
        let mut socket = Socket::open(self.address, &self.token, resume).await?;
        if !at_once {
            for Position { log, after } in wanted {
                socket.say(&ClientFrame::Follow { log, after }).await?;
            }
        }
        let mut left = match self.manner {
            Manner::HangsUp => self.chance.among(5, 120),
            _ => u64::MAX,
        };
        loop {
            // Less than what ends a connection that says nothing.
            let heard = tokio::time::timeout(Duration::from_secs(20), socket.hear()).await;
            let Ok(frame) = heard else {
                socket.say(&ClientFrame::Ping {}).await?;
                continue;
            };
            let reader = self.name.clone();
            match frame? {
                ServerFrame::Entry { log, entry } => {
                    let seq = entry.seq;
                    self.history.note(Event::Saw { reader, log, entry });
                    set(&self.positions, log, Some(seq));
                    left = left.saturating_sub(1);
                    if left == 0 {
                        return None;
                    }
                    if self.manner == Manner::Slow {
                        let ms = self.chance.among(0, 6);
                        tokio::time::sleep(Duration::from_millis(ms)).await;
                    }
                }
                ServerFrame::Gone { log } => {
                    self.history.note(Event::SawGone { reader, log });
                    set(&self.positions, log, None);
                }
                _ => {}
            }
        }
    }
}
