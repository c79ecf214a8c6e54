//! Which blocks are marked for the provider's cache: at most four marks, and none for an hour behind one for minutes.

use super::body::Body;
use crate::CacheFor;
use serde::{Serialize, Serializer, ser::SerializeMap};

/// How many marks a call may have.
const MARKS: usize = 4;

/// Writes a mark.
pub(super) fn write_mark<S: Serializer>(
    cache: &Option<CacheFor>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let Some(cache) = cache else { return None::<()>.serialize(serializer) };
    let mut mark = serializer.serialize_map(None)?;
    mark.serialize_entry("type", "ephemeral")?;
    if *cache == CacheFor::Hour {
        mark.serialize_entry("ttl", "1h")?;
    }
    mark.end()
}

/// Puts the marks right, or, where none are there and some are wanted, puts them where they help: after what never
/// changes, and after the last two turns of the user, so that the next call finds the one before.
pub(super) fn mark(body: &mut Body<'_>, wanted: bool) {
    if wanted && slots(body).iter().all(|slot| slot.is_none()) {
        if let Some(tool) = body.tools.last_mut() {
            tool.cache_control = Some(CacheFor::Minutes);
        }
        let users = body.messages.iter_mut().rev().filter(|message| message.is_user()).take(2);
        let lasts = users.filter_map(|message| message.content.last_mut());
        for slot in lasts.chain(body.system.last_mut()).filter_map(|block| block.cache_mut()) {
            *slot = Some(CacheFor::Minutes);
        }
        return;
    }
    let mut marks: Vec<_> = slots(body).into_iter().filter(|slot| slot.is_some()).collect();
    let surplus = marks.len().saturating_sub(MARKS);
    // The later ones cover what the earlier ones do.
    for slot in marks.drain(..surplus) {
        *slot = None;
    }
    let mut later_hour = false;
    for slot in marks.into_iter().rev() {
        later_hour |= *slot == Some(CacheFor::Hour);
        if later_hour {
            *slot = Some(CacheFor::Hour);
        }
    }
}

/// Every place for a mark, in the order in which the provider reads.
fn slots<'b>(body: &'b mut Body<'_>) -> Vec<&'b mut Option<CacheFor>> {
    let tools = body.tools.iter_mut().map(|tool| &mut tool.cache_control);
    let said = body.messages.iter_mut().flat_map(|message| message.content.iter_mut());
    let blocks = body.system.iter_mut().chain(said).filter_map(|block| block.cache_mut());
    tools.chain(blocks).collect()
}
