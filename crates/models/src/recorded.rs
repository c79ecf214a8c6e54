//! Reads recorded streams, for the tests of every format.

use crate::{
    Event, Result,
    frames::Frames,
    wire::{Framing, Reader},
};

/// The events of a stream that comes in pieces of this many bytes, one a line, with what went wrong at the end.
/// Neighbours that only say more of the same are told as one.
pub(crate) fn told(
    framing: Framing,
    mut reader: Box<dyn Reader>,
    stream: &[u8],
    cut: usize,
) -> String {
    let mut events = vec![];
    let mut frames = Frames::new(framing);
    let mut read = || -> Result<()> {
        for bytes in stream.chunks(cut) {
            frames.push(bytes, &mut |piece| reader.read(piece, &mut events))?;
        }
        frames.over(&mut |piece| reader.read(piece, &mut events))?;
        reader.over(&mut events)
    };
    let failed = read().err();
    let mut told = lines(events);
    match failed {
        Some(error) => told.push_str(&format!("{}: {error}\n", error.class)),
        None if !told.contains("Ended(") => told.push_str("(no end)\n"),
        None => {}
    }
    told
}

/// The events, one a line.
pub(crate) fn lines(events: Vec<Event>) -> String {
    let mut joined: Vec<Event> = vec![];
    for event in events {
        match (joined.last_mut(), event) {
            (Some(Event::Text(text)), Event::Text(more))
            | (Some(Event::Thinking(text)), Event::Thinking(more)) => text.push_str(&more),
            (
                Some(Event::Arguments { index, piece }),
                Event::Arguments { index: same, piece: more },
            ) if *index == same => piece.push_str(&more),
            (_, event) => joined.push(event),
        }
    }
    let mut lines = String::new();
    for event in joined {
        let line = match event {
            Event::Sealed(sealed) => format!("Sealed {} {}", sealed.by, sealed.value),
            Event::Usage(reported) => {
                let it = reported.usage;
                format!(
                    "Usage in {} read {} write {} hour {} out {} reasoning {}",
                    it.input,
                    it.cache_read,
                    it.cache_write,
                    it.cache_write_hour,
                    it.output,
                    it.reasoning
                )
            }
            other => format!("{other:?}"),
        };
        lines.push_str(&line);
        lines.push('\n');
    }
    lines
}
