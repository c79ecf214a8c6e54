//! Plays recorded streams to a reader, for tests: whole, and cut at every byte, which must come to the same.

use crate::{
    Event, Result,
    frames::Frames,
    wire::{Framing, Reader},
};
use std::{fmt::Write, fs, path::Path};

/// Every stream of a folder in `fixtures/sse`, and what it comes to, one event a line.
pub(crate) fn folder(name: &str, reader: impl Fn() -> Box<dyn Reader>) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/sse").join(name);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut all = String::new();
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let whole = told(play(reader(), &[&bytes]));
        let single: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(told(play(reader(), &single)), whole, "{}", file.display());
        writeln!(all, "{}", file.file_stem().unwrap().display()).unwrap();
        for line in whole.lines() {
            writeln!(all, "  {line}").unwrap();
        }
        all.push('\n');
    }
    all
}

/// The events of a stream in these pieces, and how it ended.
pub(crate) fn play(mut reader: Box<dyn Reader>, cuts: &[&[u8]]) -> (Vec<Event>, Result<()>) {
    let mut frames = Frames::new(Framing::Sse);
    let mut events = vec![];
    let mut taken = Ok(());
    for cut in cuts {
        taken = frames.push(cut, &mut |piece| reader.read(piece, &mut events));
        if taken.is_err() || matches!(events.last(), Some(Event::Ended(_))) {
            return (events, taken);
        }
    }
    if taken.is_ok() {
        taken = reader.over(&mut events);
    }
    (events, taken)
}

/// One event a line.
pub(crate) fn told((events, taken): (Vec<Event>, Result<()>)) -> String {
    let mut all = String::new();
    let ended = matches!(events.last(), Some(Event::Ended(_)));
    for event in events {
        match event {
            Event::Usage(reported) => {
                let u = reported.usage;
                let cost = reported.cost_micros;
                writeln!(
                    all,
                    "Usage(in {} read {} write {} out {} thought {} cost {cost:?})",
                    u.input, u.cache_read, u.cache_write, u.output, u.reasoning
                )
                .unwrap();
            }
            Event::Sealed(sealed) => {
                writeln!(all, "Sealed({} {})", sealed.by, sealed.value).unwrap();
            }
            event => writeln!(all, "{event:?}").unwrap(),
        }
    }
    match taken {
        Err(error) => writeln!(all, "failed: {}: {error}", error.class).unwrap(),
        Ok(()) if !ended => all.push_str("incomplete\n"),
        Ok(()) => {}
    }
    all
}
