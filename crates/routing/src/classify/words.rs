//! The fallback: what a message is about by its words alone, for when no embedding is at hand. A weighing of hints that
//! a reader can follow; it is right about half the time where the trained reading is right most of the time.

pub(super) mod cues;

use super::{Message, meaning::certain, parts::Parts, shape::Shape};
use cues::{Cue, N_CUES};
use mosaic_protocol::route::{Classification, ClassifiedBy, Complexity, Domain, Need, Task};

/// Hints of a message: in what is asked, and in what is pasted.
pub(super) struct Hints {
    pub(super) ask: [u8; N_CUES],
    pub(super) paste: [u8; N_CUES],
}

impl Hints {
    fn ask(&self, cue: Cue) -> f32 {
        f32::from(self.ask[cue as usize].min(3))
    }

    fn both(&self, cue: Cue) -> f32 {
        self.ask(cue) + f32::from(self.paste[cue as usize].min(3)) * 0.5
    }
}

/// By words alone.
pub(super) fn classify(
    message: &Message,
    parts: &Parts,
    shape: &Shape,
    hints: &Hints,
) -> Classification {
    let (task, confidence) = task(parts, shape, hints);
    let complexity = complexity(parts, shape, hints);
    let domain = domain(task, shape, hints);
    let needs = needs(message, task, complexity, hints);
    Classification { task, complexity, domain, needs, confidence, by: ClassifiedBy::Words }
}

fn task(parts: &Parts, shape: &Shape, hints: &Hints) -> (Task, f32) {
    let pasted = !parts.paste.is_empty();
    let trade = [Cue::Frontend, Cue::Backend, Cue::Devops, Cue::Data, Cue::Docs]
        .map(|cue| hints.ask(cue))
        .iter()
        .sum::<f32>();
    let fails = if trade > 0.0 { hints.ask(Cue::Fails) } else { 0.0 };
    let chat = if shape.ask_chars < 60 { 1.0 } else { 0.0 };
    let scores = [
        (Task::Coding, hints.ask(Cue::Code) + trade.min(2.0) * 0.6 + fails + shape.code * 2.0),
        (Task::Research, hints.ask(Cue::Find) * 1.2),
        (
            Task::Summarization,
            hints.ask(Cue::Shorten) * 1.5 + if pasted && shape.code < 0.3 { 0.5 } else { 0.0 },
        ),
        (
            Task::Analysis,
            hints.ask(Cue::Decide) + hints.ask(Cue::Reason) * 0.5 + hints.ask(Cue::Why) * 0.3,
        ),
        (Task::Creative, hints.ask(Cue::Write) * 1.1),
        (Task::Conversation, 0.6 + hints.ask(Cue::Chat) * 0.5 + chat * 0.5 + shape.asks * 0.3),
    ];
    let (best, score) = scores.into_iter().fold((Task::Conversation, f32::MIN), |best, next| {
        if next.1 > best.1 { next } else { best }
    });
    let total: f32 = scores.iter().map(|(_, score)| score).sum();
    (best, (0.8 * score / total.max(1.0)).clamp(0.1, 0.8))
}

fn complexity(parts: &Parts, shape: &Shape, hints: &Hints) -> Complexity {
    let size = shape.demands * 0.5
        + shape.ask_chars as f32 / 150.0
        + hints.ask(Cue::Big) * 0.6
        + hints.ask(Cue::Long) * 0.4
        + hints.ask(Cue::Reason) * 0.4
        - hints.ask(Cue::Small) * 0.5
        + if parts.paste.len() > 400 { 0.8 } else { 0.0 };
    match size {
        size if size < 1.1 => Complexity::Simple,
        size if size < 3.4 => Complexity::Moderate,
        _ => Complexity::Complex,
    }
}

fn domain(task: Task, shape: &Shape, hints: &Hints) -> Domain {
    if task == Task::Creative {
        return Domain::General;
    }
    let general = 0.5 + hints.both(Cue::Daily) * 0.7;
    let scores = [
        (Domain::General, general),
        (Domain::Frontend, hints.both(Cue::Frontend)),
        (
            Domain::Backend,
            hints.both(Cue::Backend)
                + if task == Task::Coding { 0.8 } else { 0.0 }
                + shape.code * 0.5,
        ),
        (Domain::Devops, hints.both(Cue::Devops)),
        (Domain::Data, hints.both(Cue::Data) + shape.table * 0.8),
        (Domain::Docs, hints.both(Cue::Docs) * 1.2),
    ];
    scores
        .into_iter()
        .fold((Domain::General, f32::MIN), |best, next| if next.1 > best.1 { next } else { best })
        .0
}

fn needs(message: &Message, task: Task, complexity: Complexity, hints: &Hints) -> Vec<Need> {
    Need::ALL
        .iter()
        .copied()
        .filter(|need| match need {
            Need::Tools => hints.ask(Cue::Own) > 0.0 || hints.ask(Cue::Live) > 0.0,
            Need::Vision => hints.ask(Cue::Vision) > 0.0,
            Need::LongContext => hints.ask(Cue::Long) > 2.0,
            Need::Reasoning => hints.ask(Cue::Reason) > 0.0,
        } || certain(message, task, complexity, *need))
        .collect()
}
