//! Odd texts, unusable embeddings, attachments, and the plain cases by words. How good it is: `tests/held_out.rs`.

use super::*;
use mosaic_protocol::route::{ClassifiedBy, Need, Task};
use proptest::prelude::*;

fn text(text: &str) -> Message<'_> {
    Message { text, attachments: &[] }
}

/// Some embedding that can be used.
fn some_embedding() -> Vec<f32> {
    (0..384_u16).map(|n| f32::from(n % 11) - 5.0).collect()
}

#[test]
fn words_tell_the_plain_cases_in_many_languages() {
    for (message, task) in [
        ("write a python function that parses dates", Task::Coding),
        ("schreib mir ein Gedicht über Regen", Task::Creative),
        ("trouve des études sur le café, avec les sources", Task::Research),
        ("resume este artículo en tres líneas", Task::Summarization),
        ("この記事を要約して", Task::Summarization),
        ("写一首关于春天的诗", Task::Creative),
        ("напиши стих про осень", Task::Creative),
        ("berechne, welche der beiden Varianten sich lohnt", Task::Analysis),
        ("merhaba, nasılsın?", Task::Conversation),
        ("hi there", Task::Conversation),
    ] {
        assert_eq!(classify(&text(message), None).task, task, "{message}");
    }
}

#[test]
fn an_embedding_that_cannot_be_used_leaves_it_to_words() {
    let good = some_embedding();
    assert_eq!(classify(&text("hello"), Some(&good)).by, ClassifiedBy::Meaning);
    let with = |at: usize, value: f32| {
        let mut bad = good.clone();
        bad[at] = value;
        bad
    };
    for bad in [
        vec![],
        vec![1.0; 383],
        vec![1.0; 768],
        vec![0.0; 384],
        with(7, f32::NAN),
        with(383, f32::INFINITY),
        vec![f32::MAX; 384],
    ] {
        assert_eq!(classify(&text("hello"), Some(&bad)), classify(&text("hello"), None));
    }
}

#[test]
fn the_length_of_an_embedding_does_not_matter() {
    let long: Vec<f32> = some_embedding().iter().map(|n| n * 64.0).collect();
    assert_eq!(
        classify(&text("hello"), Some(&long)),
        classify(&text("hello"), Some(&some_embedding()))
    );
}

#[test]
fn odd_texts_are_classified_like_any_other() {
    let huge = "why is this slow? ".repeat(600_000);
    let line = "x".repeat(10_000_000);
    for message in [
        "",
        " \n\t",
        "\0\0\0",
        "a\0b",
        "🙈🙈🙈",
        "\u{200f}\u{202e}",
        "```",
        "```\n```\n```",
        "\n\n\n?",
        &huge,
        &line,
    ] {
        for embedding in [None, Some(some_embedding())] {
            let found = classify(&text(message), embedding.as_deref());
            assert!((0.0..=1.0).contains(&found.confidence));
        }
        let piece = to_embed(message);
        assert!(piece.len() <= 800 && !piece.contains('\0'), "{} bytes", piece.len());
    }
    assert_eq!(classify(&text(""), None).task, Task::Conversation);
    assert_eq!(classify(&text("🙈"), None).task, Task::Conversation);
    assert!(classify(&text(&huge), None).needs.contains(&Need::LongContext));
}

#[test]
fn what_is_attached_is_needed() {
    let needs = |attachments: &[Attached], embedding: Option<&[f32]>| {
        classify(&Message { text: "what does it say", attachments }, embedding).needs
    };
    let embedding = some_embedding();
    for embedding in [None, Some(embedding.as_slice())] {
        assert!(needs(&[Attached::Image], embedding).contains(&Need::Vision));
        assert!(needs(&[Attached::Document { bytes: 4000 }], embedding).contains(&Need::Tools));
        assert!(
            needs(&[Attached::Document { bytes: 9_000_000 }], embedding)
                .contains(&Need::LongContext)
        );
        assert!(
            needs(&[Attached::Document { bytes: u64::MAX }; 3], embedding)
                .contains(&Need::LongContext)
        );
        assert!(needs(&[Attached::Other], embedding).contains(&Need::Tools));
    }
    assert!(!needs(&[], None).contains(&Need::Vision));
}

#[test]
fn what_is_embedded_is_the_ask_and_not_the_paste() {
    let log = "2024-01-01T10:00:00Z WARN worker=3 retry(connect) failed;\n".repeat(40);
    assert_eq!(to_embed(&format!("why does this fail\n\n{log}")), "why does this fail");
    assert_eq!(to_embed(&format!("{log}\n\nwhat broke?")), "what broke?");
    assert_eq!(to_embed(&format!("why\n\n{log}\n\nand since when?")), "why … and since when?");
    assert_eq!(to_embed("knock knock"), "knock knock");
}

proptest! {
    #[test]
    fn any_text_has_a_classification(message in any::<String>(), numbers in prop::collection::vec(any::<f32>(), 384)) {
        for embedding in [None, Some(numbers.as_slice())] {
            let found = classify(&text(&message), embedding);
            prop_assert!((0.0..=1.0).contains(&found.confidence));
            prop_assert!(found.needs.is_sorted());
            prop_assert_eq!(&found, &classify(&text(&message), embedding));
        }
    }
}
