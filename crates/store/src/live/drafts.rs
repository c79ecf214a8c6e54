//! What is being typed in one log: here, and on other nodes as the bus tells it. Never stored.
//!
//! A text only grows; a retried answer is another draft. So a piece says all that is needed by its offset: what is
//! there already is passed over, and a piece that does not fit shows that one before it was missed.

use mosaic_protocol::{
    DraftId, NodeId,
    entry::Fact,
    log::{Body, DraftChannel, DraftPiece, Entry},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};
use tokio::time::Instant;

/// How much may be typed before it is settled.
pub(crate) const DRAFT_BYTES: usize = 1024 * 1024;
/// How many drafts one log may have at once from here, and as many from elsewhere.
const OPEN: usize = 64;
/// How many of those that ended are remembered, so that a late piece does not bring one back.
const ENDED: usize = 256;
/// How much of a draft is told at once.
const PIECE_BYTES: usize = 16 * 1024;
/// A draft from elsewhere of which nothing is heard for so long is no more: its node has died.
pub(crate) const UNHEARD: Duration = Duration::from_secs(20);

/// Who types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Here,
    Node(NodeId),
}

/// How far a channel of a draft has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Length {
    pub(crate) draft_id: DraftId,
    pub(crate) channel: DraftChannel,
    pub(crate) bytes: usize,
}

/// What came of something that was heard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// There is something to show.
    pub(crate) is_new: bool,
    /// Something before it was missed.
    pub(crate) is_missing: bool,
}

struct Draft {
    source: Source,
    heard: Instant,
    channels: HashMap<DraftChannel, String>,
}

#[derive(Default)]
pub(crate) struct Drafts {
    open: HashMap<DraftId, Draft>,
    ended: VecDeque<DraftId>,
}

impl Drafts {
    fn count(&self, here: bool) -> usize {
        self.open.values().filter(|draft| (draft.source == Source::Here) == here).count()
    }

    pub(crate) fn any_here(&self) -> bool {
        self.open.values().any(|draft| draft.source == Source::Here)
    }

    /// More was typed here. Answers where it begins, if there was room for it.
    pub(crate) fn typed_here(
        &mut self,
        draft: DraftId,
        channel: DraftChannel,
        more: &str,
    ) -> Option<usize> {
        if !self.open.contains_key(&draft) && self.count(true) >= OPEN {
            return None;
        }
        let (source, heard) = (Source::Here, Instant::now());
        let new = || Draft { source, heard, channels: HashMap::new() };
        let draft = self.open.entry(draft).or_insert_with(new);
        let text = draft.channels.entry(channel).or_default();
        if draft.source != Source::Here || text.len() + more.len() > DRAFT_BYTES {
            return None;
        }
        text.push_str(more);
        Some(text.len() - more.len())
    }

    /// More was typed on another node.
    pub(crate) fn typed_there(&mut self, node: NodeId, piece: &DraftPiece, now: Instant) -> Heard {
        let nothing = Heard::default();
        let missing = Heard { is_missing: true, ..nothing };
        if self.ended.contains(&piece.draft_id) {
            return nothing;
        }
        let (source, is_full) = (Source::Node(node), self.count(false) >= OPEN);
        let draft = match self.open.get_mut(&piece.draft_id) {
            // Nobody else continues what another one types.
            Some(draft) if draft.source != source => return nothing,
            Some(draft) => draft,
            None if is_full => return nothing,
            None if piece.offset > 0 => return missing,
            None => {
                let new = Draft { source, heard: now, channels: HashMap::new() };
                self.open.entry(piece.draft_id).or_insert(new)
            }
        };
        draft.heard = now;
        let had = draft.channels.get(&piece.channel).map_or(0, String::len);
        if piece.offset > had {
            return missing;
        }
        match piece.text.get(had - piece.offset..) {
            Some(more) if !more.is_empty() && had + more.len() <= DRAFT_BYTES => {
                draft.channels.entry(piece.channel).or_default().push_str(more);
                Heard { is_new: true, ..nothing }
            }
            _ => nothing,
        }
    }

    /// Another node says which drafts it has open, and how long they are.
    pub(crate) fn open_there(&mut self, node: NodeId, open: &[Length], now: Instant) -> Heard {
        let mut heard = Heard::default();
        let is_open = |id: &DraftId| open.iter().any(|length| length.draft_id == *id);
        let theirs = self.open.iter().filter(|(_, draft)| draft.source == Source::Node(node));
        let over: Vec<DraftId> = theirs.map(|(id, _)| *id).filter(|id| !is_open(id)).collect();
        for id in over {
            heard.is_new |= self.end(id);
        }
        for length in open.iter().filter(|length| !self.ended.contains(&length.draft_id)) {
            match self.open.get_mut(&length.draft_id) {
                Some(draft) if draft.source != Source::Node(node) => {}
                Some(draft) => {
                    draft.heard = now;
                    let had = draft.channels.get(&length.channel).map_or(0, String::len);
                    heard.is_missing |= had < length.bytes;
                }
                None => heard.is_missing |= length.bytes > 0,
            }
        }
        heard
    }

    /// Another node gave one of its drafts up. Answers whether it was shown.
    pub(crate) fn dropped_there(&mut self, node: NodeId, draft: DraftId) -> bool {
        let theirs = self.open.get(&draft).is_some_and(|it| it.source == Source::Node(node));
        theirs && self.end(draft)
    }

    /// It will not be settled. Answers whether it was from here.
    pub(crate) fn drop_here(&mut self, draft: DraftId) -> bool {
        let ours = self.open.get(&draft).is_some_and(|it| it.source == Source::Here);
        self.end(draft);
        ours
    }

    /// If this entry settles a draft, that one is no more.
    pub(crate) fn settle(&mut self, entry: &Entry) {
        if let Body::Fact(Fact::AssistantReply { draft_id: Some(draft), .. }) = &entry.body {
            self.end(*draft);
        }
    }

    fn end(&mut self, draft: DraftId) -> bool {
        if self.ended.len() >= ENDED {
            self.ended.pop_front();
        }
        if !self.ended.contains(&draft) {
            self.ended.push_back(draft);
        }
        self.open.remove(&draft).is_some()
    }

    /// Drafts whose node has died. Answers whether there were any.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        let before = self.open.len();
        self.open.retain(|_, draft| {
            draft.source == Source::Here || now.duration_since(draft.heard) < UNHEARD
        });
        self.open.len() < before
    }

    /// What is open here, and how long it is.
    pub(crate) fn lengths_here(&self) -> Vec<Length> {
        let ours = self.open.iter().filter(|(_, draft)| draft.source == Source::Here);
        ours.flat_map(|(draft_id, draft)| {
            draft.channels.iter().map(|(channel, text)| Length {
                draft_id: *draft_id,
                channel: *channel,
                bytes: text.len(),
            })
        })
        .collect()
    }

    /// Everything that is open here, in pieces.
    pub(crate) fn pieces_here(&self) -> Vec<DraftPiece> {
        let mut all = vec![];
        for (draft_id, draft) in self.open.iter().filter(|(_, it)| it.source == Source::Here) {
            for (channel, text) in &draft.channels {
                all.extend(pieces(*draft_id, *channel, 0, text));
            }
        }
        all
    }

    /// What was typed beyond what a reader has had of each draft. Drafts that are no more are forgotten by the reader.
    pub(crate) fn beyond(
        &self,
        had: &mut HashMap<(DraftId, DraftChannel), usize>,
    ) -> Vec<DraftPiece> {
        had.retain(|(draft, _), _| self.open.contains_key(draft));
        let mut news = vec![];
        for (draft_id, draft) in &self.open {
            for (channel, text) in &draft.channels {
                let offset = had.entry((*draft_id, *channel)).or_default();
                if let Some(more) = text.get(*offset..).filter(|more| !more.is_empty()) {
                    let (draft_id, channel, text) = (*draft_id, *channel, more.to_owned());
                    news.push(DraftPiece { draft_id, channel, offset: *offset, text });
                    *offset += more.len();
                }
            }
        }
        news
    }
}

/// A text in pieces that fit into a message.
pub(crate) fn pieces(
    draft_id: DraftId,
    channel: DraftChannel,
    mut offset: usize,
    mut text: &str,
) -> Vec<DraftPiece> {
    let mut all = vec![];
    while !text.is_empty() {
        let (piece, rest) = text.split_at(text.floor_char_boundary(PIECE_BYTES));
        all.push(DraftPiece { draft_id, channel, offset, text: piece.to_owned() });
        offset += piece.len();
        text = rest;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ambient;

    fn piece(draft_id: DraftId, offset: usize, text: &str) -> DraftPiece {
        DraftPiece { draft_id, channel: DraftChannel::Text, offset, text: text.to_owned() }
    }

    fn shown(drafts: &Drafts) -> Vec<String> {
        drafts.beyond(&mut HashMap::new()).into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn pieces_from_elsewhere_fit_together_whatever_is_lost_or_comes_twice() {
        let ambient = Ambient::real();
        let (node, other) = (ambient.id(NodeId::new), ambient.id(NodeId::new));
        let [draft, second] = [(); 2].map(|()| ambient.id(DraftId::new));
        let (mut drafts, now) = (Drafts::default(), Instant::now());
        let took = Heard { is_new: true, is_missing: false };
        let missing = Heard { is_new: false, is_missing: true };
        assert_eq!(drafts.typed_there(node, &piece(draft, 3, "lo"), now), missing);
        assert_eq!(drafts.typed_there(node, &piece(draft, 0, "Hé"), now), took);
        assert_eq!(drafts.typed_there(node, &piece(draft, 5, "o"), now), missing);
        assert_eq!(drafts.typed_there(node, &piece(draft, 0, "Héllo"), now), took);
        for again in [piece(draft, 0, "Hé"), piece(draft, 0, "Héllo"), piece(draft, 3, "llo")] {
            assert_eq!(drafts.typed_there(node, &again, now), Heard::default());
        }
        // In the middle of a letter, by another one, or absurd.
        assert_eq!(drafts.typed_there(node, &piece(draft, 5, "é?"), now), Heard::default());
        assert_eq!(drafts.typed_there(other, &piece(draft, 6, "!"), now), Heard::default());
        assert_eq!(drafts.typed_there(node, &piece(draft, usize::MAX, "x"), now), missing);
        let much = "x".repeat(DRAFT_BYTES);
        assert_eq!(drafts.typed_there(node, &piece(draft, 6, &much), now), Heard::default());
        assert_eq!(shown(&drafts), ["Héllo"]);
        assert_eq!(drafts.typed_here(draft, DraftChannel::Text, "mine"), None);

        // What it says is open is open, and nothing else of it.
        let length = |draft_id, bytes| Length { draft_id, channel: DraftChannel::Text, bytes };
        let open = drafts.open_there(node, &[length(draft, 6), length(second, 2)], now);
        assert_eq!(open, missing, "the second was missed");
        assert_eq!(drafts.typed_there(node, &piece(second, 0, "It"), now), took);
        assert!(!drafts.dropped_there(other, draft));
        assert_eq!(drafts.open_there(other, &[], now), Heard::default());
        assert_eq!(drafts.open_there(node, &[length(second, 2)], now), took);
        assert_eq!(shown(&drafts), ["It"]);
        // What has ended does not come back with a late piece.
        assert_eq!(drafts.typed_there(node, &piece(draft, 0, "Hé"), now), Heard::default());
        assert!(!drafts.expire(now + UNHEARD / 2));
        assert!(drafts.expire(now + UNHEARD));
        assert_eq!(shown(&drafts), Vec::<String>::new());
    }

    #[test]
    fn drafts_from_elsewhere_have_a_bound_and_leave_room_for_ours() {
        let ambient = Ambient::real();
        let node = ambient.id(NodeId::new);
        let (mut drafts, now) = (Drafts::default(), Instant::now());
        for n in 0..2 * OPEN {
            let heard = drafts.typed_there(node, &piece(ambient.id(DraftId::new), 0, "x"), now);
            assert_eq!(heard.is_new, n < OPEN);
        }
        for n in 0..=OPEN {
            let typed = drafts.typed_here(ambient.id(DraftId::new), DraftChannel::Text, "x");
            assert_eq!(typed.is_some(), n < OPEN);
        }
        assert_eq!(drafts.pieces_here().len(), OPEN);
    }

    #[test]
    fn a_long_draft_is_told_in_pieces() {
        let ambient = Ambient::real();
        let node = ambient.id(NodeId::new);
        let draft = ambient.id(DraftId::new);
        let text = "äö€".repeat(10_000);
        let (mut here, mut there) = (Drafts::default(), Drafts::default());
        assert_eq!(here.typed_here(draft, DraftChannel::Tool, &text), Some(0));
        for piece in here.pieces_here() {
            assert!(piece.text.len() <= PIECE_BYTES);
            assert!(there.typed_there(node, &piece, Instant::now()).is_new);
        }
        assert_eq!(shown(&there), [text]);
    }
}
