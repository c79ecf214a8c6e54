//! What the training and measuring scripts ask of the classifier, so that there is one implementation of it: reads JSON
//! lines with `text` (and `attachments`, `embedding`) and prints, for each, its numbers and what it is classified as.

use mosaic_routing::classify::{self, Attached, Message};
use serde_json::{Value, json};
use std::io::{BufRead, Write};

fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout());
    for line in std::io::stdin().lock().lines() {
        let value: Value = serde_json::from_str(&line?)?;
        let attachments: Vec<Attached> =
            value["attachments"].as_array().into_iter().flatten().map(attached).collect();
        let text = value["text"].as_str().unwrap_or_default();
        let message = Message { text, attachments: &attachments };
        let features = classify::features(&message);
        let mut answer = json!({
            "to_embed": classify::to_embed(text),
            "light": features.light,
            "grams": features.grams,
            "words": classify::classify(&message, None),
        });
        if let Some(embedding) = value["embedding"].as_array() {
            let embedding: Vec<f32> =
                embedding.iter().filter_map(Value::as_f64).map(|n| n as f32).collect();
            answer["meaning"] = json!(classify::classify(&message, Some(&embedding)));
        }
        writeln!(out, "{answer}")?;
    }
    out.flush()
}

fn attached(value: &Value) -> Attached {
    match value["kind"].as_str() {
        Some("image") => Attached::Image,
        Some("document") => Attached::Document { bytes: value["bytes"].as_u64().unwrap_or(0) },
        _ => Attached::Other,
    }
}
