//! A whole answer: what its events come to.

use crate::{Event, Part, Reported, Why};

/// What the events of an answer come to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// The provider's name for it.
    pub id: Option<String>,
    /// The model that answered, as the provider says.
    pub model: Option<String>,
    /// What it said, in order: thoughts, words, calls.
    pub parts: Vec<Part>,
    /// What the provider says was used.
    pub reported: Option<Reported>,
    /// Why it ended. `None`: it did not, and is incomplete.
    pub why: Option<Why>,
    /// Where each call is among the parts.
    calls: Vec<usize>,
}

impl Reply {
    /// One more event.
    pub fn push(&mut self, event: &Event) {
        match event {
            Event::Began { id, model } => {
                self.id.clone_from(id);
                self.model.clone_from(model);
            }
            Event::Text(more) => match self.parts.last_mut() {
                Some(Part::Text { text, .. }) => text.push_str(more),
                _ => self.parts.push(Part::text(more.as_str())),
            },
            Event::Thinking(more) => match self.parts.last_mut() {
                Some(Part::Thinking { text, sealed: None }) => text.push_str(more),
                _ => self.parts.push(Part::Thinking { text: more.clone(), sealed: None }),
            },
            Event::Sealed(seal) => match self.parts.last_mut() {
                Some(Part::Thinking { sealed: sealed @ None, .. }) => *sealed = Some(seal.clone()),
                _ => self
                    .parts
                    .push(Part::Thinking { text: String::new(), sealed: Some(seal.clone()) }),
            },
            Event::ToolCall { id, name, .. } => {
                self.calls.push(self.parts.len());
                let (id, name) = (id.clone(), name.clone());
                self.parts.push(Part::ToolCall { id, name, arguments: String::new() });
            }
            Event::Arguments { index, piece } => {
                let at = usize::try_from(*index).ok().and_then(|index| self.calls.get(index));
                if let Some(Part::ToolCall { arguments, .. }) =
                    at.and_then(|at| self.parts.get_mut(*at))
                {
                    arguments.push_str(piece);
                }
            }
            Event::Usage(reported) => self.reported = Some(*reported),
            Event::Ended(why) => self.why = Some(why.clone()),
        }
    }

    /// The words alone.
    pub fn text(&self) -> String {
        self.parts
            .iter()
            .filter_map(|part| match part {
                Part::Text { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }
}
