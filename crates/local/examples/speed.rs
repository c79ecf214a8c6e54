//! Measures the local models on this machine: `cargo run --release -p mosaic-local --example speed -- FOLDER`.
#![allow(clippy::print_stdout, reason = "a program that measures prints what it measured")]

use mosaic_local::{Chat, Embedder, Input, Role, Settings};
use std::error::Error;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/models".into()));
    let begun = Instant::now();
    let mut embedder = Embedder::open(&folder)?;
    println!(
        "embeddings: opened in {:.0} ms, {}",
        begun.elapsed().as_secs_f64() * 1000.0,
        memory()
    );
    let words = "the quick brown fox jumps over the lazy dog near a river bank while people watch it from far away ";
    for n in [20, 60, 128] {
        let text: String = words.repeat(10).split_inclusive(' ').take(n - 5).collect();
        let tokens = embedder.n_tokens(Input::Query, &text).min(n);
        let before = processor_ms();
        let mut times: Vec<f64> = (0..50)
            .map(|_| {
                let begun = Instant::now();
                std::hint::black_box(embedder.embed_within(Input::Query, &text, n));
                begun.elapsed().as_secs_f64() * 1000.0
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let busy = (processor_ms() - before) / 50.0;
        println!(
            "  {tokens} tokens: median {:.2} ms, fastest {:.2} ms; {busy:.2} ms of a processor",
            times[25], times[0]
        );
    }
    println!("  {}", memory());
    drop(embedder);

    let begun = Instant::now();
    let mut chat = Chat::open(&folder)?;
    println!("chat: opened in {:.0} ms, {}", begun.elapsed().as_secs_f64() * 1000.0, memory());
    let settings = Settings { max_tokens: 128, temperature: 0.0, ..Settings::default() };
    for question in ["What is the capital of France?", "Write a short story about a lighthouse."] {
        let (begun, mut first, mut answer) = (Instant::now(), None, String::new());
        let finished = chat.reply(&[(Role::User, question)], &settings, &mut |text| {
            first = first.or((!text.is_empty()).then(|| begun.elapsed().as_secs_f64()));
            answer.push_str(text);
            ControlFlow::Continue(())
        })?;
        let (first, all) = (first.unwrap_or(0.0), begun.elapsed().as_secs_f64());
        println!(
            "  {} tokens read, first piece after {:.0} ms",
            finished.prompt_tokens,
            first * 1000.0
        );
        println!(
            "  {} tokens at {:.0}/s: {answer:?}",
            finished.output_tokens,
            finished.output_tokens as f64 / (all - first)
        );
    }
    println!("  {}", memory());
    Ok(())
}

/// Time that this thread had a processor: what others do on the machine counts less in it. 0 where it is not told.
fn processor_ms() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e6
}

/// What the process holds now, and held at most, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines =
        status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(", ")
}
