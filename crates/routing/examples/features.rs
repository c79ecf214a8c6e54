//! Prints, for each message of JSON lines on standard input, what training needs.
use mosaic_routing::classify::{self, Attached, Message};
use serde_json::{Value, json};
use std::io::{BufRead, Write};

fn main() -> std::io::Result<()> {
    let stdin = std::io::stdin();
    let mut out = std::io::BufWriter::new(std::io::stdout());
    for line in stdin.lock().lines() {
        let value: Value = serde_json::from_str(&line?)?;
        let text = value["text"].as_str().unwrap_or_default();
        let attachments: Vec<Attached> = Vec::new();
        let message = Message { text, attachments: &attachments };
        let f = classify::numbers(&message);
        let w = classify::by_words(&message);
        let (a, b, c) = classify::parts3(text);
        writeln!(
            out,
            "{}",
            json!({"light": f.light, "grams": f.grams, "words": w, "ask": a, "after": b, "paste": c})
        )?;
    }
    out.flush()
}
