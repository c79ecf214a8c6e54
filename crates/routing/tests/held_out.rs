//! How good classification is on messages that training never saw, with their embeddings stored, so that no model is
//! needed; and that a sentence in a message cannot steer it.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use mosaic_protocol::route::{Classification, ClassifiedBy, Complexity, Domain, Need, Task};
use mosaic_routing::classify::{Message, UNSURE, classify, to_embed};
use serde::Deserialize;

#[derive(Deserialize)]
struct Labelled {
    text: String,
    task: Task,
    complexity: Complexity,
    domain: Domain,
    needs: Vec<Need>,
}

#[derive(Deserialize)]
struct Steered {
    of: usize,
    text: String,
}

const RECORD: usize = 4 + 4 + 384;

fn messages() -> Vec<Labelled> {
    include_str!("../data/held_out.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The stored embedding of each text; a text that is embedded otherwise by now needs `scripts/routing/store.py`.
fn embeddings<'a>(stored: &[u8], texts: impl Iterator<Item = &'a str>) -> Vec<Vec<f32>> {
    let (records, rest) = stored.as_chunks::<RECORD>();
    assert!(rest.is_empty());
    let texts: Vec<&str> = texts.collect();
    assert_eq!(records.len(), texts.len());
    std::iter::zip(records, texts)
        .map(|(record, text)| {
            let number = u32::from_le_bytes(record[..4].try_into().unwrap());
            let fnv = to_embed(text)
                .bytes()
                .fold(0x811c_9dc5_u32, |n, b| (n ^ u32::from(b)).wrapping_mul(0x0100_0193));
            assert_eq!(
                number, fnv,
                "the stored embedding is of another text than that of {text:?}"
            );
            let scale = f32::from_le_bytes(record[4..8].try_into().unwrap());
            record[8..].iter().map(|byte| f32::from(byte.cast_signed()) * scale).collect()
        })
        .collect()
}

fn by_meaning(messages: &[Labelled]) -> Vec<Classification> {
    let stored = include_bytes!("../../../fixtures/routing/held_out_embeddings.bin");
    let embeddings = embeddings(stored, messages.iter().map(|m| m.text.as_str()));
    std::iter::zip(messages, embeddings)
        .map(|(m, embedding)| {
            classify(&Message { text: &m.text, attachments: &[] }, Some(&embedding))
        })
        .collect()
}

/// The share of messages for which this holds.
fn share(
    found: &[Classification],
    messages: &[Labelled],
    right: impl Fn(&Classification, &Labelled) -> bool,
) -> f64 {
    let right =
        std::iter::zip(found, messages).filter(|(found, message)| right(found, message)).count();
    right as f64 / messages.len() as f64
}

#[test]
fn meaning_is_right_most_of_the_time_and_clearly_better_than_words() {
    let messages = messages();
    let found = by_meaning(&messages);
    let words: Vec<_> = messages
        .iter()
        .map(|m| classify(&Message { text: &m.text, attachments: &[] }, None))
        .collect();
    assert!(found.iter().all(|one| one.by == ClassifiedBy::Meaning));
    assert!(words.iter().all(|one| one.by == ClassifiedBy::Words));
    let task = share(&found, &messages, |f, m| f.task == m.task);
    let task_by_words = share(&words, &messages, |f, m| f.task == m.task);
    let complexity = share(&found, &messages, |f, m| f.complexity == m.complexity);
    let domain = share(&found, &messages, |f, m| f.domain == m.domain);
    assert!(task >= 0.85, "task {task}");
    assert!(complexity >= 0.80, "complexity {complexity}");
    assert!(domain >= 0.78, "domain {domain}");
    assert!(task >= task_by_words + 0.12, "task {task}, by words {task_by_words}");
    assert!(task_by_words >= 0.45, "by words {task_by_words}");
    for need in Need::ALL {
        let right =
            share(&found, &messages, |f, m| f.needs.contains(need) == m.needs.contains(need));
        assert!(right >= 0.85, "{need} {right}");
    }
}

#[test]
fn who_is_unsure_is_wrong_more_often() {
    let messages = messages();
    let found = by_meaning(&messages);
    let right = |unsure: bool| {
        let of: Vec<_> = std::iter::zip(&found, &messages)
            .filter(|(f, _)| (f.confidence < UNSURE) == unsure)
            .collect();
        (of.len() as f64, of.iter().filter(|(f, m)| f.task == m.task).count() as f64)
    };
    let (n_unsure, right_unsure) = right(true);
    let (n_sure, right_sure) = right(false);
    assert!(right_sure / n_sure > 0.9, "{right_sure} of {n_sure}");
    assert!(n_unsure > 0.0 && right_unsure / n_unsure < 0.75, "{right_unsure} of {n_unsure}");
    assert!(n_unsure < n_sure / 4.0, "{n_unsure} of {n_sure}");
}

#[test]
fn a_sentence_about_routing_does_not_steer() {
    let messages = messages();
    let plain = by_meaning(&messages);
    let steered: Vec<Steered> = include_str!("../../../fixtures/routing/steered.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let stored = include_bytes!("../../../fixtures/routing/steered_embeddings.bin");
    let embeddings = embeddings(stored, steered.iter().map(|s| s.text.as_str()));
    assert_eq!(steered.len(), 30);
    let changed: Vec<_> = std::iter::zip(&steered, embeddings)
        .filter(|(s, embedding)| {
            assert!(
                s.text.starts_with(&messages[s.of].text)
                    && s.text.len() > messages[s.of].text.len()
            );
            let found = classify(&Message { text: &s.text, attachments: &[] }, Some(embedding));
            found.task != plain[s.of].task
        })
        .map(|(s, _)| &s.text)
        .collect();
    assert!(changed.len() <= 4, "{} changed: {changed:#?}", changed.len());
}
