//! The bus: what nodes that share a database tell each other at once, over Valkey, instead of looking every half second.
//!
//! It carries hints and what passes, never the truth. "This log has come further" makes a node look into the database,
//! where it finds what is so; drafts and presence are shown and never stored. So whatever is lost, late or forged here,
//! no reader misses an entry, sees one that is not there, or keeps a right that has ended.

pub mod address;
pub(crate) mod hearing;
mod link;
pub(crate) mod message;
mod nodes;
mod resp;

use crate::{Dialect, Error, Result, Store};
use address::BusAddress;
use message::{Envelope, OfAll, OfLog};
use mosaic_protocol::{LogId, NodeId};
use nodes::Nodes;
use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinHandle,
    time::Instant,
};

/// How much may wait to be said. What comes then is not said; others look by themselves.
const WAITING: usize = 8192;
const WAITING_BYTES: usize = 4 * 1024 * 1024;
/// How often a node says that it is there, and hears itself say so.
const BEAT: Duration = Duration::from_millis(200);
/// Who was not heard for so long is asked no more: the database is looked at instead.
const SILENT: Duration = Duration::from_millis(600);
/// How long a message in line may take to be taken, and the first words with the server.
const DEAD: Duration = Duration::from_secs(3);
/// How often it is said which drafts are open.
const DRAFTS_EVERY: u32 = 25;

/// How the bus is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusState {
    /// What others write is heard of at once.
    Heard,
    /// There is no connection; it is tried again and again.
    NotConnected,
    /// There is a connection, and what is said does not come back.
    Silent,
    /// Another node that was there is not heard: it may be writing without being able to say so.
    NodeMissing,
}

impl BusState {
    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            BusState::Heard => "ok",
            BusState::NotConnected => "degraded: not connected",
            BusState::Silent => "degraded: connected, but does not answer",
            BusState::NodeMissing => "degraded: another node is not heard",
        }
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusCounts {
    /// How it is.
    pub state: BusState,
    /// Messages sent.
    pub sent: u64,
    /// Messages of other nodes that were understood.
    pub received: u64,
    /// Messages that were not sent, because there was no connection or too much was waiting.
    pub dropped: u64,
    /// Messages that were not understood.
    pub refused: u64,
}

impl BusCounts {
    /// Whether what is said comes back.
    pub fn is_connected(&self) -> bool {
        matches!(self.state, BusState::Heard | BusState::NodeMissing)
    }
}

/// A message in line.
struct Waiting {
    channel: String,
    payload: Vec<u8>,
}

/// Who asked what is typed here, and whom we ask.
#[derive(Default)]
struct Asking {
    to_ask: HashSet<LogId>,
    to_answer: HashSet<LogId>,
    answered: HashSet<LogId>,
}

/// One node's end of the bus.
pub(crate) struct Bus {
    node: NodeId,
    /// Before the name of every channel.
    prefix: String,
    waiting: mpsc::Sender<Waiting>,
    waiting_bytes: AtomicUsize,
    is_up: AtomicBool,
    /// Something was not said: all are to look, once they can hear again.
    owes_look: AtomicBool,
    state: watch::Sender<BusState>,
    heard_self: Mutex<Instant>,
    nodes: Mutex<Nodes>,
    to_look: Mutex<HashSet<LogId>>,
    look: Notify,
    look_all: Notify,
    asking: Mutex<Asking>,
    accounts: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bus {
    fn new(node: NodeId, prefix: String) -> (Bus, mpsc::Receiver<Waiting>) {
        let (waiting, incoming) = mpsc::channel(WAITING);
        let bus = Bus {
            node,
            prefix,
            waiting,
            waiting_bytes: AtomicUsize::new(0),
            is_up: AtomicBool::new(false),
            owes_look: AtomicBool::new(false),
            state: watch::channel(BusState::NotConnected).0,
            heard_self: Mutex::new(Instant::now()),
            nodes: Mutex::default(),
            to_look: Mutex::default(),
            look: Notify::new(),
            look_all: Notify::new(),
            asking: Mutex::default(),
            accounts: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        };
        (bus, incoming)
    }

    fn channel_of(&self, log: LogId) -> String {
        format!("{}{log}", self.prefix)
    }

    fn channel_of_all(&self) -> String {
        format!("{}all", self.prefix)
    }

    fn envelope<T: serde::Serialize>(&self, said: T) -> Vec<u8> {
        serde_json::to_vec(&Envelope { node: self.node, said }).unwrap_or_default()
    }

    /// Tells those who follow this log elsewhere. Never waits.
    pub(crate) fn say(&self, log: LogId, said: OfLog) {
        // The commonest case while the bus is down should cost nothing.
        if !self.is_up.load(Ordering::Relaxed) {
            return self.not_said();
        }
        self.put(self.channel_of(log), self.envelope(said));
    }

    fn say_to_all(&self, said: OfAll) {
        self.put(self.channel_of_all(), self.envelope(said));
    }

    fn put(&self, channel: String, payload: Vec<u8>) {
        let bytes = payload.len();
        let before = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let is_up = self.is_up.load(Ordering::Relaxed);
        let fits = is_up && before + bytes <= WAITING_BYTES;
        if !fits || self.waiting.try_send(Waiting { channel, payload }).is_err() {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.not_said();
        }
    }

    fn not_said(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        let owed = self.owes_look.swap(true, Ordering::Relaxed);
        if !owed && self.is_up.load(Ordering::Relaxed) {
            tracing::warn!(
                "the bus does not keep up: messages were dropped; other nodes are told to look into the database instead"
            );
        }
    }

    /// This log is to be looked at.
    fn look_at(&self, log: LogId) {
        held(&self.to_look).insert(log);
        self.look.notify_one();
    }

    /// Waits until some logs are to be looked at.
    pub(crate) async fn to_look(&self) -> HashSet<LogId> {
        loop {
            let to_look = std::mem::take(&mut *held(&self.to_look));
            if !to_look.is_empty() {
                return to_look;
            }
            self.look.notified().await;
        }
    }

    pub(crate) fn look_at_all(&self) {
        self.look_all.notify_one();
    }

    /// Waits until all logs are to be looked at.
    pub(crate) async fn to_look_at_all(&self) {
        self.look_all.notified().await;
    }

    /// How the bus is, whenever that changes.
    pub(crate) fn watch(&self) -> watch::Receiver<BusState> {
        self.state.subscribe()
    }

    fn set_state(&self, state: BusState) {
        self.state.send_if_modified(|now| std::mem::replace(now, state) != state);
    }

    /// How the bus is, going by who was heard when.
    fn judge(&self) -> BusState {
        let now = Instant::now();
        let node_missing = held(&self.nodes).any_missing(now);
        if now.duration_since(*held(&self.heard_self)) > SILENT {
            BusState::Silent
        } else if node_missing {
            BusState::NodeMissing
        } else {
            BusState::Heard
        }
    }

    fn counts(&self) -> BusCounts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        BusCounts {
            state: *self.state.borrow(),
            sent: count(&self.sent),
            received: count(&self.received),
            dropped: count(&self.dropped),
            refused: count(&self.refused),
        }
    }
}

/// The task behind a bus that was joined.
pub(crate) struct Joined {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Joined {
    /// Says good-bye, if there is somebody to say it to.
    pub(crate) async fn end(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

impl Store {
    /// Joins the other nodes on a bus. Does not wait for it: while it is not there, the database is looked at instead.
    pub async fn join_bus(&self, address: BusAddress) -> Result<()> {
        if self.dialect() == Dialect::Sqlite {
            return Err(Error::refused(
                "a bus is of use only to nodes that share a PostgreSQL database",
                "set `database_url`, or leave `bus_url` out",
            ));
        }
        // A copy of the data that was restored elsewhere has the same logs, and is another life of them.
        let prefix = format!("mosaic:{}:{}:", address.database, self.generation().await?);
        let (bus, incoming) = Bus::new(self.ambient().id(NodeId::new), prefix);
        let (bus, turnover) = (Arc::new(bus), Arc::default());
        if !self.inner.lives.join(bus.clone(), Arc::clone(&turnover)) {
            return Err(Error::refused("there is a bus already", "join one only"));
        }
        let (stop, stopping) = watch::channel(false);
        let lives = self.inner.lives.clone();
        let task = tokio::spawn(link::run(bus, lives, turnover, address, incoming, stopping));
        *held(&self.inner.joined) = Some(Joined { stop, task });
        Ok(())
    }

    /// How the bus is, and what was counted on it. `None`: there is none.
    pub fn bus(&self) -> Option<BusCounts> {
        self.inner.lives.bus().map(|bus| bus.counts())
    }

    /// After a change that may concern any log: the other nodes look, too.
    pub fn tell_others_to_look(&self) {
        if let Some(bus) = self.inner.lives.bus() {
            bus.say_to_all(OfAll::Look {});
        }
    }

    /// After a change of accounts, sessions or tokens: what other nodes remember of them is no longer sure.
    pub fn tell_accounts_changed(&self) {
        if let Some(bus) = self.inner.lives.bus() {
            bus.say_to_all(OfAll::Accounts {});
        }
    }

    /// How often other nodes have said that accounts, sessions or tokens changed.
    pub fn accounts_changed_elsewhere(&self) -> u64 {
        self.inner.lives.bus().map_or(0, |bus| bus.accounts.load(Ordering::SeqCst))
    }
}

/// Whether a bus answers: connects, subscribes, says something and hears it.
pub async fn probe(address: &BusAddress) -> std::result::Result<(), String> {
    link::probe(address).await
}
