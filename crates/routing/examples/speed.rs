//! Prints how long a classification takes without the embedding, which the local model makes beforehand.

use mosaic_routing::classify::{Message, classify, to_embed};
use std::{hint::black_box, io::Write, time::Instant};

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    let long = "The pump was replaced on Monday and the report says why. ".repeat(180_000);
    let paste = format!(
        "why does this fail\n\n{}",
        "2024-01-01T10:00:00Z WARN worker=3 retry(connect) failed;\n".repeat(60)
    );
    let chinese = "把现在的夜间批处理改成准实时，允许迟到两小时的数据，历史要能重算。".repeat(40);
    for (name, text) in [
        ("a sentence", "swap the two screenshots on the getting started page, theyre mixed up"),
        ("a pasted log", paste.as_str()),
        ("a page of Chinese", chinese.as_str()),
        ("ten megabytes", long.as_str()),
    ] {
        let message = Message { text, attachments: &[] };
        let embedding: Vec<f32> = (0..384_u16).map(|n| f32::from(n % 7) - 3.0).collect();
        let words = microseconds(|| drop(black_box(classify(&message, None))));
        let meaning = microseconds(|| drop(black_box(classify(&message, Some(&embedding)))));
        let piece = microseconds(|| drop(black_box(to_embed(text))));
        writeln!(
            out,
            "{name}: by words {words:.0} µs, by meaning {meaning:.0} µs, what to embed {piece:.0} µs"
        )?;
    }
    Ok(())
}

/// The time of one call, the middle one of many.
fn microseconds(mut call: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..301)
        .map(|_| {
            let begun = Instant::now();
            call();
            begun.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[150]
}
