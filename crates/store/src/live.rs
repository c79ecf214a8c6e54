//! What is kept in memory of logs that somebody follows: how far each reaches, its last entries, what is being typed.
//!
//! Readers are only told that there is more; they take it themselves, each at its own speed. So a slow one loses
//! nothing and holds nobody up, and what is kept has a bound. What happens here is told to other nodes from here, too.

pub(crate) mod drafts;

use crate::{
    bus::{Bus, message::OfLog},
    follow::Update,
};
use bytes::Bytes;
use drafts::{Drafts, Heard, Length};
use mosaic_protocol::{
    DraftId, LogId, NodeId, Seq, UserId,
    entry::Fact,
    frame::{PresenceState, ServerFrame},
    log::{Body, DraftChannel, DraftPiece, Entry},
};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// How many entries are kept, and how many bytes of them.
const RING: usize = 256;
const RING_BYTES: usize = 256 * 1024;
/// How many people other nodes may say are there.
const PRESENT: usize = 1024;

/// An entry, and its frame, which is made once for all readers.
pub struct Kept {
    log: LogId,
    /// The entry.
    pub entry: Entry,
    frame: OnceLock<Bytes>,
}

impl Kept {
    pub(crate) fn new(log: LogId, entry: Entry) -> Kept {
        Kept { log, entry, frame: OnceLock::new() }
    }

    /// The `entry` frame that tells it.
    pub fn frame(&self) -> Bytes {
        let made = || {
            let frame = ServerFrame::Entry { log: self.log, entry: self.entry.clone() };
            serde_json::to_vec(&frame).unwrap_or_default().into()
        };
        self.frame.get_or_init(made).clone()
    }

    fn size(&self) -> usize {
        match &self.entry.body {
            Body::Fact(
                Fact::UserMessage { text, .. }
                | Fact::AssistantReply { text, .. }
                | Fact::ToolResult { text, .. },
            ) => 200 + 2 * text.as_str().len(),
            _ => 400,
        }
    }
}

/// What readers are told: that there is something to take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Signal {
    pub(crate) head: Seq,
    pub(crate) access_version: i64,
    /// Counts what happened to drafts and presence.
    pub(crate) passing: u64,
    pub(crate) gone: bool,
}

#[derive(Default)]
struct Recent {
    entries: VecDeque<Arc<Kept>>,
    bytes: usize,
    drafts: Drafts,
    present: HashMap<UserId, Present>,
}

/// What somebody does, since when (as `Signal::passing` counts), and whether they said so here.
struct Present {
    state: PresenceState,
    at: u64,
    is_here: bool,
}

/// Which logs began or ceased to be followed since somebody asked.
#[derive(Default)]
pub(crate) struct Turnover {
    logs: Mutex<HashSet<LogId>>,
    changed: Notify,
}

impl Turnover {
    fn note(&self, log: LogId) {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).insert(log);
        self.changed.notify_one();
    }

    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(crate) fn take(&self) -> HashSet<LogId> {
        std::mem::take(&mut *self.logs.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One log that somebody follows, or types in.
pub(crate) struct Live {
    pub(crate) log: LogId,
    signal: watch::Sender<Signal>,
    recent: Mutex<Recent>,
    turnover: Option<Arc<Turnover>>,
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(turnover) = &self.turnover {
            turnover.note(self.log);
        }
    }
}

impl Live {
    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Signal> {
        self.signal.subscribe()
    }

    pub(crate) fn head(&self) -> Seq {
        self.signal.borrow().head
    }

    /// Whether it is known already that the log has come so far.
    pub(crate) fn knows(&self, head: Seq, access_version: i64) -> bool {
        let signal = self.signal.borrow();
        signal.head >= head && signal.access_version >= access_version
    }

    /// Entries that a reader took itself.
    pub(crate) fn settle(&self, entries: &[Entry]) {
        let mut recent = self.recent();
        entries.iter().for_each(|entry| recent.drafts.settle(entry));
    }

    /// Notes entries that were committed, in their order.
    fn add(&self, kept: Vec<Kept>, access_version: i64) {
        let mut recent = self.recent();
        let mut head = self.head();
        for kept in kept {
            let (seq, last) = (kept.entry.seq, recent.entries.back().map(|last| last.entry.seq));
            if last.is_some_and(|last| seq <= last) {
                continue;
            }
            if last.is_some_and(|last| seq != last.plus(1)) {
                // Something between was written elsewhere: what is kept must be without gaps.
                recent.entries.clear();
                recent.bytes = 0;
            }
            recent.drafts.settle(&kept.entry);
            recent.bytes += kept.size();
            recent.entries.push_back(Arc::new(kept));
            head = head.max(seq);
        }
        while recent.entries.len() > RING || (recent.bytes > RING_BYTES && recent.entries.len() > 1)
        {
            if let Some(first) = recent.entries.pop_front() {
                recent.bytes -= first.size();
            }
        }
        drop(recent);
        self.tell(|signal| {
            signal.head = signal.head.max(head);
            signal.access_version = signal.access_version.max(access_version);
        });
    }

    fn tell(&self, change: impl FnOnce(&mut Signal)) {
        self.signal.send_if_modified(|signal| {
            let before = *signal;
            change(signal);
            *signal != before
        });
    }

    /// Puts what is kept after a place, up to `head`, into `ready`. False: there is nothing, or something between is
    /// missing.
    pub(crate) fn take(
        &self,
        seq: Seq,
        head: Seq,
        limit: usize,
        ready: &mut VecDeque<Update>,
    ) -> bool {
        let recent = self.recent();
        let Some(first) = recent.entries.front().map(|first| first.entry.seq) else { return false };
        if first > seq.plus(1) {
            return false;
        }
        let skip = usize::try_from(seq.0 + 1 - first.0).unwrap_or(usize::MAX);
        let before = ready.len();
        ready.extend(
            recent
                .entries
                .range(skip.min(recent.entries.len())..)
                .take(limit)
                .take_while(|kept| kept.entry.seq <= head)
                .cloned()
                .map(Update::Entry),
        );
        ready.len() > before
    }

    /// What was typed beyond what a reader has had of each draft. Drafts that are no more are forgotten by the reader.
    pub(crate) fn typed(
        &self,
        had: &mut HashMap<(DraftId, DraftChannel), usize>,
    ) -> Vec<DraftPiece> {
        self.recent().drafts.beyond(had)
    }

    /// Who did something since `seen`, which is moved on.
    pub(crate) fn present(&self, seen: &mut u64) -> Vec<(UserId, PresenceState)> {
        let recent = self.recent();
        let news = recent.present.iter().filter(|(_, present)| present.at > *seen);
        let news: Vec<_> = news.map(|(user, present)| (*user, present.state)).collect();
        *seen = recent.present.values().map(|present| present.at).max().unwrap_or(0).max(*seen);
        news
    }

    fn passed(&self) {
        self.tell(|signal| signal.passing += 1);
    }

    fn set_present(&self, user: UserId, state: PresenceState, is_here: bool) {
        let mut recent = self.recent();
        if !is_here && recent.present.len() >= PRESENT && !recent.present.contains_key(&user) {
            return;
        }
        // Whoever is woken by this waits for the lock, and then sees it.
        let mut at = 0;
        self.tell(|signal| {
            signal.passing += 1;
            at = signal.passing;
        });
        recent.present.insert(user, Present { state, at, is_here });
    }

    // What other nodes say. Whoever asks again because something is missing is not asked here.

    fn after_hearing(&self, heard: Heard) -> bool {
        if heard.is_new {
            self.passed();
        }
        heard.is_missing
    }

    /// Answers whether something before it was missed.
    pub(crate) fn hear_draft(&self, node: NodeId, piece: &DraftPiece) -> bool {
        let heard = self.recent().drafts.typed_there(node, piece, Instant::now());
        self.after_hearing(heard)
    }

    /// Answers whether something was missed.
    pub(crate) fn hear_drafting(&self, node: NodeId, open: &[Length]) -> bool {
        let heard = self.recent().drafts.open_there(node, open, Instant::now());
        self.after_hearing(heard)
    }

    pub(crate) fn hear_dropped(&self, node: NodeId, draft: DraftId) {
        if self.recent().drafts.dropped_there(node, draft) {
            self.passed();
        }
    }

    pub(crate) fn hear_presence(&self, user: UserId, state: PresenceState) {
        self.set_present(user, state, false);
    }

    /// Forgets drafts of nodes that died, and tells which are open here.
    pub(crate) fn keep_drafts(&self, bus: &Bus) {
        let mut recent = self.recent();
        let expired = recent.drafts.expire(Instant::now());
        // Told under the lock, so that what is told of one log is told in order.
        if recent.drafts.any_here() {
            bus.say(self.log, OfLog::Drafting { open: recent.drafts.lengths_here() });
        }
        drop(recent);
        if expired {
            self.passed();
        }
    }

    /// Tells other nodes what is typed and who is here, all of it.
    pub(crate) fn tell_all(&self, bus: &Bus) {
        let recent = self.recent();
        for piece in recent.drafts.pieces_here() {
            bus.say(self.log, OfLog::Draft(piece));
        }
        for (user, present) in recent.present.iter().filter(|(_, present)| present.is_here) {
            bus.say(self.log, OfLog::Presence { user: *user, state: present.state });
        }
    }
}

/// Every log that somebody follows.
#[derive(Default)]
pub(crate) struct Lives {
    all: Mutex<HashMap<LogId, Weak<Live>>>,
    /// Those in which somebody types here: they stay, whether anybody follows them or not.
    typing: Mutex<HashMap<LogId, Arc<Live>>>,
    bus: OnceLock<(Arc<Bus>, Arc<Turnover>)>,
}

impl Lives {
    fn map(&self) -> MutexGuard<'_, HashMap<LogId, Weak<Live>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn typing(&self) -> MutexGuard<'_, HashMap<LogId, Arc<Live>>> {
        self.typing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on other nodes are told. Answers false if they were before.
    pub(crate) fn join(&self, bus: Arc<Bus>, turnover: Arc<Turnover>) -> bool {
        self.bus.set((bus, turnover)).is_ok()
    }

    pub(crate) fn bus(&self) -> Option<&Arc<Bus>> {
        self.bus.get().map(|(bus, _)| bus)
    }

    fn say(&self, log: LogId, said: OfLog) {
        if let Some(bus) = self.bus() {
            bus.say(log, said);
        }
    }

    pub(crate) fn get(&self, log: LogId) -> Option<Arc<Live>> {
        self.map().get(&log).and_then(Weak::upgrade)
    }

    /// The one for this log, made if need be. Its head is known only when somebody tells it.
    pub(crate) fn of(&self, log: LogId) -> Arc<Live> {
        let mut map = self.map();
        if let Some(live) = map.get(&log).and_then(Weak::upgrade) {
            return live;
        }
        if map.len() >= 1024 && map.len().is_power_of_two() {
            map.retain(|_, live| live.strong_count() > 0);
        }
        let (signal, _) = watch::channel(Signal::default());
        let turnover = self.bus.get().map(|(_, turnover)| turnover.clone());
        let live = Arc::new(Live { log, signal, recent: Mutex::default(), turnover });
        map.insert(log, Arc::downgrade(&live));
        if let Some(turnover) = &live.turnover {
            turnover.note(log);
        }
        live
    }

    /// All that are followed now.
    pub(crate) fn all(&self) -> Vec<Arc<Live>> {
        let mut map = self.map();
        map.retain(|_, live| live.strong_count() > 0);
        map.values().filter_map(Weak::upgrade).collect()
    }

    /// What was committed here.
    pub(crate) fn appended(&self, log: LogId, kept: Vec<Kept>, access_version: i64) {
        let seq = kept.last().map_or(Seq::START, |last| last.entry.seq);
        if let Some(live) = self.get(log) {
            self.add(&live, kept, access_version);
        }
        self.say(log, OfLog::Reached { seq, access_version });
    }

    /// Notes entries that were committed, in their order.
    pub(crate) fn add(&self, live: &Live, kept: Vec<Kept>, access_version: i64) {
        live.add(kept, access_version);
        self.rest(live);
    }

    /// When nothing is typed here any more, the log stays only if somebody follows it.
    fn rest(&self, live: &Live) {
        let mut typing = self.typing();
        if typing.contains_key(&live.log) && !live.recent().drafts.any_here() {
            let rested = typing.remove(&live.log);
            drop(typing);
            drop(rested);
        }
    }

    /// What a log's row says, for whoever looked.
    pub(crate) fn known(&self, log: LogId, head: Seq, access_version: i64) {
        if let Some(live) = self.get(log) {
            live.tell(|signal| {
                signal.head = signal.head.max(head);
                signal.access_version = signal.access_version.max(access_version);
            });
        }
    }

    /// It was deleted here.
    pub(crate) fn deleted(&self, log: LogId) {
        self.gone(log);
        self.say(log, OfLog::Gone {});
    }

    /// It is not there any more.
    pub(crate) fn gone(&self, log: LogId) {
        if let Some(live) = self.get(log) {
            live.tell(|signal| signal.gone = true);
        }
        let rested = self.typing().remove(&log);
        drop(rested);
    }

    /// More was typed. Answers whether there was room for it.
    pub(crate) fn draft(
        &self,
        log: LogId,
        draft: DraftId,
        channel: DraftChannel,
        more: &str,
    ) -> bool {
        let live = self.of(log);
        let mut recent = live.recent();
        let Some(offset) = recent.drafts.typed_here(draft, channel, more) else { return false };
        // Told under the lock, so that the pieces of one draft are told in order.
        for piece in drafts::pieces(draft, channel, offset, more) {
            self.say(log, OfLog::Draft(piece));
        }
        drop(recent);
        live.passed();
        let before = self.typing().insert(log, live.clone());
        drop(before);
        // It may have been settled meanwhile.
        self.rest(&live);
        true
    }

    /// This draft will not be settled.
    pub(crate) fn drop_draft(&self, log: LogId, draft: DraftId) {
        if let Some(live) = self.get(log) {
            let mut recent = live.recent();
            if recent.drafts.drop_here(draft) {
                self.say(log, OfLog::DraftDropped { draft_id: draft });
            }
            drop(recent);
            live.passed();
            self.rest(&live);
        }
    }

    pub(crate) fn present(&self, log: LogId, user: UserId, state: PresenceState) {
        if let Some(live) = self.get(log) {
            live.set_present(user, state, true);
        }
        self.say(log, OfLog::Presence { user, state });
    }
}
