//! What a message is about by its meaning: the trained sums over its embedding and its other numbers, made into labels.

use super::{
    Attached, Message,
    features::Features,
    long_document,
    weights::{N_EMBED, N_OUT, Weights},
};
use mosaic_protocol::route::{Classification, ClassifiedBy, Complexity, Domain, Need, Task};

/// An embedding that can be used, made one long; none for a wrong length, for what is no number, for nothing at all.
pub(super) fn usable(embedding: &[f32]) -> Option<Vec<f32>> {
    let length = embedding.iter().map(|n| n * n).sum::<f32>().sqrt();
    let usable = embedding.len() == N_EMBED && length.is_finite() && length > 1e-6;
    usable.then(|| embedding.iter().map(|n| n / length).collect())
}

/// By meaning.
pub(super) fn classify(
    message: &Message,
    weights: &Weights,
    embedding: &[f32],
    features: &Features,
) -> Classification {
    let scores = weights.scores(embedding, features);
    let (tasks, rest) = scores.split_at(Task::ALL.len());
    let (complexities, rest) = rest.split_at(Complexity::ALL.len());
    let (domains, needs) = rest.split_at(Domain::ALL.len());
    let task = best(Task::ALL, tasks, Task::Conversation);
    let complexity = best(Complexity::ALL, complexities, Complexity::Moderate);
    let domain = best(Domain::ALL, domains, Domain::General);
    let needs = Need::ALL
        .iter()
        .zip(needs)
        .filter(|(need, score)| **score > 0.0 || certain(message, task, complexity, **need))
        .map(|(need, _)| *need)
        .collect();
    let confidence = confidence(tasks, weights.sharpness);
    Classification { task, complexity, domain, needs, confidence, by: ClassifiedBy::Meaning }
}

/// What follows from the other labels and from what is attached, whatever the sums say.
pub(super) fn certain(message: &Message, task: Task, complexity: Complexity, need: Need) -> bool {
    match need {
        Need::Tools => {
            task == Task::Research || message.attachments.iter().any(|a| *a != Attached::Image)
        }
        Need::Vision => message.attachments.contains(&Attached::Image),
        Need::LongContext => long_document(message),
        Need::Reasoning => task == Task::Analysis && complexity != Complexity::Simple,
    }
}

fn best<T: Copy>(labels: &[T], scores: &[f32], otherwise: T) -> T {
    let pairs = labels.iter().copied().zip(scores.iter().copied());
    pairs.fold((otherwise, f32::MIN), |best, next| if next.1 > best.1 { next } else { best }).0
}

/// The share of the best task among all, as probabilities.
fn confidence(scores: &[f32], sharpness: f32) -> f32 {
    let top = scores.iter().copied().fold(f32::MIN, f32::max);
    let total: f32 = scores.iter().map(|score| ((score - top) * sharpness).exp()).sum();
    (1.0 / total).clamp(0.0, 1.0)
}

const _: () =
    assert!(N_OUT == Task::ALL.len() + Complexity::ALL.len() + Domain::ALL.len() + Need::ALL.len());
