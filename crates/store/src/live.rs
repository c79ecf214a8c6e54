//! What is kept in memory of logs that somebody follows: how far each reaches, its last entries, what is being typed.
//!
//! Readers are only told that there is more; they take it themselves, each at its own speed. So a slow one loses
//! nothing and holds nobody up, and what is kept has a bound.

use crate::follow::Update;
use bytes::Bytes;
use mosaic_protocol::{
    DraftId, LogId, Seq, UserId,
    entry::Fact,
    frame::{PresenceState, ServerFrame},
    log::{Body, DraftChannel, DraftPiece, Entry},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};
use tokio::sync::watch;

/// How many entries are kept, and how many bytes of them.
const RING: usize = 256;
const RING_BYTES: usize = 256 * 1024;
/// How much may be typed before it is settled.
const DRAFT_BYTES: usize = 1024 * 1024;

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
    drafts: HashMap<DraftId, HashMap<DraftChannel, String>>,
    present: HashMap<UserId, (PresenceState, u64)>,
}

/// One log that somebody follows.
pub(crate) struct Live {
    pub(crate) log: LogId,
    signal: watch::Sender<Signal>,
    recent: Mutex<Recent>,
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

    /// Notes entries that were committed, in their order.
    pub(crate) fn add(&self, kept: Vec<Kept>, access_version: i64) {
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
            if let Body::Fact(Fact::AssistantReply { draft_id: Some(draft), .. }) = &kept.entry.body
            {
                recent.drafts.remove(draft);
            }
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

    /// Puts what is kept after a place into `ready`. False: there is nothing, or something between is missing.
    pub(crate) fn take(&self, seq: Seq, limit: usize, ready: &mut VecDeque<Update>) -> bool {
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
        let recent = self.recent();
        had.retain(|(draft, _), _| recent.drafts.contains_key(draft));
        let mut pieces = vec![];
        for (draft_id, channels) in &recent.drafts {
            for (channel, text) in channels {
                let offset = had.entry((*draft_id, *channel)).or_default();
                if let Some(more) = text.get(*offset..).filter(|more| !more.is_empty()) {
                    let (draft_id, channel) = (*draft_id, *channel);
                    pieces.push(DraftPiece {
                        draft_id,
                        channel,
                        offset: *offset,
                        text: more.into(),
                    });
                    *offset = text.len();
                }
            }
        }
        pieces
    }

    /// Who did something since `seen`, which is moved on.
    pub(crate) fn present(&self, seen: &mut u64) -> Vec<(UserId, PresenceState)> {
        let recent = self.recent();
        let news = recent.present.iter().filter(|(_, (_, at))| *at > *seen);
        let news: Vec<_> = news.map(|(user, (state, _))| (*user, *state)).collect();
        *seen = recent.present.values().map(|(_, at)| *at).max().unwrap_or(0).max(*seen);
        news
    }
}

/// Every log that somebody follows.
#[derive(Default)]
pub(crate) struct Lives(Mutex<HashMap<LogId, Weak<Live>>>);

impl Lives {
    fn map(&self) -> MutexGuard<'_, HashMap<LogId, Weak<Live>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let live = Arc::new(Live { log, signal, recent: Mutex::default() });
        map.insert(log, Arc::downgrade(&live));
        live
    }

    /// All that are followed now.
    pub(crate) fn all(&self) -> Vec<Arc<Live>> {
        let mut map = self.map();
        map.retain(|_, live| live.strong_count() > 0);
        map.values().filter_map(Weak::upgrade).collect()
    }

    pub(crate) fn appended(&self, log: LogId, kept: Vec<Kept>, access_version: i64) {
        if let Some(live) = self.get(log) {
            live.add(kept, access_version);
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

    pub(crate) fn gone(&self, log: LogId) {
        if let Some(live) = self.get(log) {
            live.tell(|signal| signal.gone = true);
        }
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
        let text = recent.drafts.entry(draft).or_default().entry(channel).or_default();
        if text.len() + more.len() > DRAFT_BYTES {
            return false;
        }
        text.push_str(more);
        drop(recent);
        live.tell(|signal| signal.passing += 1);
        true
    }

    /// This draft will not be settled.
    pub(crate) fn drop_draft(&self, log: LogId, draft: DraftId) {
        if let Some(live) = self.get(log) {
            live.recent().drafts.remove(&draft);
            live.tell(|signal| signal.passing += 1);
        }
    }

    pub(crate) fn present(&self, log: LogId, user: UserId, state: PresenceState) {
        if let Some(live) = self.get(log) {
            let passing = live.signal.borrow().passing + 1;
            live.recent().present.insert(user, (state, passing));
            live.tell(|signal| signal.passing = signal.passing.max(passing));
        }
    }
}
