//! A log that is followed: what its follower is told, and the check that nothing is missing and nothing comes twice.

use mosaic_protocol::{
    LogId, Seq, UserId,
    frame::PresenceState,
    log::{DraftPiece, Entry},
    replay::{Gap, Replay},
};
use tokio::sync::mpsc;

/// How much may wait for a follower before the connection waits for it.
const WAITING: usize = 256;

/// Something that a follower is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// The next entry.
    Entry(Entry),
    /// Everything up to here was told; what comes now is live. Told again after each return.
    Live(Seq),
    /// More is being typed. A piece at offset 0 begins anew.
    Draft(DraftPiece),
    /// Somebody does something.
    Presence(UserId, PresenceState),
    /// The data is of another life: a backup was restored. What was told before may not be; it begins at 1 again.
    Restarted,
}

/// A log that is followed. Dropping it ends that.
pub struct Follow {
    log: LogId,
    told: mpsc::Receiver<Told>,
}

/// The other end of a `Follow`.
pub(crate) type Teller = mpsc::Sender<Told>;

pub(crate) fn channel(log: LogId) -> (Follow, Teller) {
    let (teller, told) = mpsc::channel(WAITING);
    (Follow { log, told }, teller)
}

impl Follow {
    /// Which log.
    pub fn log(&self) -> LogId {
        self.log
    }

    /// The next thing there is. `None`: the log is no longer to be seen, or the client is closed.
    pub async fn next(&mut self) -> Option<Told> {
        self.told.recv().await
    }

    /// The next entry; everything else is passed over.
    pub async fn next_entry(&mut self) -> Option<Entry> {
        loop {
            if let Told::Entry(entry) = self.next().await? {
                return Some(entry);
            }
        }
    }
}

impl Follow {
    /// Tells what comes to a replay of this log until everything was told that there is; answers the last place then.
    /// After that, every further `Told::Entry` is for the replay, too, and with `Told::Restarted` it begins anew.
    /// `None`: the log is no longer to be seen. A gap: the replay does not begin where this log is followed from.
    pub async fn catch_up(&mut self, replay: &mut Replay) -> Result<Option<Seq>, Gap> {
        loop {
            let Some(told) = self.next().await else { return Ok(None) };
            match told {
                Told::Entry(entry) => replay.tell(&entry)?,
                Told::Restarted => *replay = Replay::default(),
                Told::Live(head) => return Ok(Some(head)),
                Told::Draft(_) | Told::Presence(..) => {}
            }
        }
    }
}

/// What to do with an entry that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It is the next one.
    Next,
    /// It was told already.
    Known,
    /// Something before it is missing: ask again from where we are.
    Gap,
}

/// Compares the place of an entry with the last one that was told.
pub(crate) fn arrival(last: Seq, seq: Seq) -> Arrival {
    if seq <= last {
        Arrival::Known
    } else if seq == last.plus(1) {
        Arrival::Next
    } else {
        Arrival::Gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_replay_catches_up_and_goes_on_from_what_it_has() {
        let entries: Vec<Entry> = include_str!("../../../fixtures/replay/forked.jsonl")
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let whole = Replay::of(&entries).unwrap();
        let log = "01890a5d-ac96-774b-bcce-000000000050".parse().unwrap();
        let (mut follow, teller) = channel(log);
        // A cut and what is told again after it; and another life of the data.
        let mut replay = Replay::of(&entries[..20]).unwrap();
        for told in [entries[20..25].to_vec(), entries[23..].to_vec()] {
            for entry in told {
                teller.send(Told::Entry(entry)).await.unwrap();
            }
        }
        teller.send(Told::Live(whole.head)).await.unwrap();
        assert_eq!(follow.catch_up(&mut replay).await, Ok(Some(whole.head)));
        assert_eq!(replay, whole);
        teller.send(Told::Restarted).await.unwrap();
        teller.send(Told::Entry(entries[0].clone())).await.unwrap();
        teller.send(Told::Live(Seq(1))).await.unwrap();
        assert_eq!(follow.catch_up(&mut replay).await, Ok(Some(Seq(1))));
        teller.send(Told::Entry(entries[5].clone())).await.unwrap();
        assert_eq!(follow.catch_up(&mut replay).await, Err(Gap { after: Seq(1) }));
        assert_eq!(replay, Replay::of(&entries[..1]).unwrap());
        drop(teller);
        assert_eq!(follow.catch_up(&mut replay).await, Ok(None));
    }

    #[test]
    fn nothing_twice_and_nothing_missing() {
        assert_eq!(arrival(Seq(0), Seq(1)), Arrival::Next);
        assert_eq!(arrival(Seq(4), Seq(5)), Arrival::Next);
        assert_eq!(arrival(Seq(4), Seq(4)), Arrival::Known);
        assert_eq!(arrival(Seq(4), Seq(1)), Arrival::Known);
        assert_eq!(arrival(Seq(4), Seq(6)), Arrival::Gap);
    }
}
