//! What is done about a message. It is data from outside, whoever sent it: bounded, read as a closed set, and believed
//! only as far as `message.rs` says.

use super::{
    Bus, held,
    message::{Envelope, OfAll, OfLog},
};
use crate::live::Lives;
use mosaic_protocol::LogId;
use serde::de::DeserializeOwned;
use std::sync::atomic::Ordering;
use tokio::time::Instant;

impl Bus {
    /// A message came. It is not too long: such a one was passed over when it was read.
    pub(crate) fn hear(&self, lives: &Lives, channel: &[u8], payload: &[u8]) {
        let name = std::str::from_utf8(channel).ok().and_then(|it| it.strip_prefix(&self.prefix));
        let understood = match name {
            Some("all") => read(payload).map(|said| self.hear_of_all(said)),
            Some(log) => log
                .parse()
                .ok()
                .and_then(|log| read(payload).map(|said| self.hear_of_log(lives, log, said))),
            None => None,
        };
        if understood.is_none() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A message that was too long to be read at all.
    pub(super) fn hear_too_much(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    fn hear_of_all(&self, Envelope { node, said }: Envelope<OfAll>) {
        let now = Instant::now();
        if node == self.node {
            if let OfAll::Here {} = said {
                *held(&self.heard_self) = now;
            }
            return;
        }
        self.received.fetch_add(1, Ordering::Relaxed);
        match said {
            OfAll::Here {} => {
                let may_have_written = held(&self.nodes).here(node, now);
                if may_have_written {
                    self.look_at_all();
                }
            }
            OfAll::Bye {} => held(&self.nodes).bye(node),
            OfAll::Look {} => self.look_at_all(),
            OfAll::Accounts {} => drop(self.accounts.fetch_add(1, Ordering::SeqCst)),
        }
    }

    fn hear_of_log(&self, lives: &Lives, log: LogId, Envelope { node, said }: Envelope<OfLog>) {
        if node == self.node {
            return;
        }
        self.received.fetch_add(1, Ordering::Relaxed);
        let Some(live) = lives.get(log) else { return };
        let is_missing = match said {
            // Where it is and who may read it is what the database says, never what is said here.
            OfLog::Reached { seq, access_version } => {
                if !live.knows(seq, access_version) {
                    self.look_at(log);
                }
                false
            }
            OfLog::Gone {} => {
                self.look_at(log);
                false
            }
            OfLog::Draft(piece) => live.hear_draft(node, &piece),
            OfLog::Drafting { open } => live.hear_drafting(node, &open),
            OfLog::DraftDropped { draft_id } => {
                live.hear_dropped(node, draft_id);
                false
            }
            OfLog::Presence { user, state } => {
                live.hear_presence(user, state);
                false
            }
            OfLog::Ask {} => {
                let mut asking = held(&self.asking);
                // Once between two beats, however often it is asked.
                if asking.answered.insert(log) {
                    drop(asking);
                    live.tell_all(self);
                } else {
                    asking.to_answer.insert(log);
                }
                false
            }
        };
        if is_missing {
            held(&self.asking).to_ask.insert(log);
        }
    }

    /// We hear this log from now on; what was said before was missed.
    pub(super) fn hears(&self, lives: &Lives, log: LogId) {
        self.look_at(log);
        self.say(log, OfLog::Ask {});
        // Others may have missed something of ours, too, and have asked when we could not hear.
        if let Some(live) = lives.get(log) {
            live.tell_all(self);
        }
    }

    /// From time to time: asks and answers what waited, and says which drafts are open.
    pub(super) fn beat(&self, lives: &Lives, n: u32) {
        let (to_ask, to_answer) = {
            let mut asking = held(&self.asking);
            let due = (std::mem::take(&mut asking.to_ask), std::mem::take(&mut asking.to_answer));
            asking.answered = due.1.clone();
            due
        };
        for log in to_ask {
            self.say(log, OfLog::Ask {});
        }
        for live in to_answer.into_iter().filter_map(|log| lives.get(log)) {
            live.tell_all(self);
        }
        if n.is_multiple_of(super::DRAFTS_EVERY) {
            lives.all().iter().for_each(|live| live.keep_drafts(self));
        }
        if self.owes_look.swap(false, Ordering::Relaxed) {
            self.say_to_all(OfAll::Look {});
        }
    }
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> Option<Envelope<T>> {
    serde_json::from_slice(payload).ok()
}
