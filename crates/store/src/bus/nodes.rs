//! Which other nodes are on the bus, so that one that falls silent is noticed: it may be cut off from the bus alone, and
//! go on writing.

use super::SILENT;
use mosaic_protocol::NodeId;
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

/// More nodes than these are not counted.
const MOST: usize = 256;
/// A node that was not heard for so long has died. Until then the database is looked at in its place.
const FORGOTTEN: Duration = Duration::from_secs(600);

#[derive(Default)]
pub(crate) struct Nodes(HashMap<NodeId, Heard>);

struct Heard {
    last: Instant,
    /// Since when it counts as missing, for want of a word.
    expected: Instant,
}

impl Nodes {
    /// A node says that it is there. Answers whether it may have written something before that nobody was told of.
    pub(crate) fn here(&mut self, node: NodeId, now: Instant) -> bool {
        let heard = Heard { last: now, expected: now + SILENT };
        if let Some(before) = self.0.get_mut(&node) {
            let was_missing = now > before.expected;
            *before = heard;
            return was_missing;
        }
        self.0.len() < MOST && self.0.insert(node, heard).is_none()
    }

    pub(crate) fn bye(&mut self, node: NodeId) {
        self.0.remove(&node);
    }

    /// We were away ourselves: everybody has time to be heard again.
    pub(crate) fn wait_again(&mut self, now: Instant) {
        for heard in self.0.values_mut() {
            heard.expected = now + SILENT;
        }
    }

    /// Whether somebody is missing. Forgets the dead.
    pub(crate) fn any_missing(&mut self, now: Instant) -> bool {
        self.0.retain(|_, heard| now.duration_since(heard.last) < FORGOTTEN);
        self.0.values().any(|heard| now > heard.expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ambient;

    #[test]
    fn a_node_that_falls_silent_is_missed_until_it_is_back_or_dead() {
        let ambient = Ambient::real();
        let [one, two] = [(); 2].map(|()| ambient.id(NodeId::new));
        let (mut nodes, begun) = (Nodes::default(), Instant::now());
        let at = |ms| begun + Duration::from_millis(ms);
        assert!(nodes.here(one, at(0)), "who comes has a past");
        assert!(!nodes.here(one, at(200)));
        assert!(!nodes.any_missing(at(700)));
        assert!(nodes.any_missing(at(900)));
        assert!(nodes.here(one, at(1_000)));
        assert!(!nodes.any_missing(at(1_000)));
        // Who says good-bye is not missed.
        nodes.here(two, at(1_000));
        nodes.bye(two);
        nodes.here(one, at(1_700));
        assert!(!nodes.any_missing(at(1_700)));
        // We were away: they are given time, and then missed.
        nodes.wait_again(at(60_000));
        assert!(!nodes.any_missing(at(60_500)));
        assert!(nodes.any_missing(at(60_700)));
        assert!(!nodes.any_missing(at(1_700) + FORGOTTEN), "dead");
    }

    #[test]
    fn invented_nodes_have_a_bound() {
        let ambient = Ambient::real();
        let (mut nodes, now) = (Nodes::default(), Instant::now());
        let n = (0..2 * MOST).filter(|_| nodes.here(ambient.id(NodeId::new), now)).count();
        assert_eq!(n, MOST);
    }
}
