//! Our vectors beside those of the reference implementation, for many languages and odd texts.

use crate::found;
use mosaic_local::{Embedder, Input};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Case {
    language: String,
    pub(crate) input: String,
    pub(crate) text: String,
    tokens: usize,
    pub(crate) vector: Vec<f32>,
}

pub(crate) fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../../../../fixtures/embeddings/e5-small.json")).unwrap()
}

pub(crate) fn input(name: &str) -> Input {
    if name == "query" { Input::Query } else { Input::Passage }
}

pub(crate) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn the_default_model_says_what_the_reference_says_in_every_language() {
    let Some(path) = found::model(mosaic_local::E5_FILE) else { return };
    let mut embedder = Embedder::open(&path).unwrap();
    let (mut wrong, mut sum, cases) = (Vec::new(), 0.0, cases());
    let mut least = 1.0_f32;
    for case in &cases {
        let tokens = embedder.n_tokens(input(&case.input), &case.text);
        let vector = embedder.embed(input(&case.input), &case.text);
        assert!((cosine(&vector, &vector).sqrt() - 1.0).abs() < 1e-3 && vector.len() == 384);
        let near = cosine(&vector, &case.vector);
        sum += near;
        least = least.min(near);
        if near < 0.99 || tokens != case.tokens {
            wrong.push(format!(
                "{} {:?}: {near:.4}, {tokens} tokens, not {}",
                case.language, case.text, case.tokens
            ));
        }
    }
    println!("{} texts: least {least:.4}, mean {:.4}", cases.len(), sum / cases.len() as f32);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let languages: std::collections::HashSet<_> = cases.iter().map(|case| &case.language).collect();
    assert!(cases.len() >= 60 && languages.len() > 15);
}
