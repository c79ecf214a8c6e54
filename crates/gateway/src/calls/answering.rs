//! An answer that is coming: events as they come, another model when one fails in the middle and that was asked for.

use super::{
    Switching,
    sending::{Live, Run, fails_over},
};
use crate::{Error, Result};
use mosaic_models::{Event, Message, Part, Role};
use mosaic_protocol::{
    provider::{FailureClass, ProviderKind},
    route::Route,
    usage::{Cost, Usage},
};
use std::collections::VecDeque;

/// What a model that goes on for another one is told.
const GO_ON: &str = "Your answer was cut off by a fault. Go on exactly where it stops, with the next character. \
    Do not repeat anything, and do not mention this.";

/// What whoever is answered by the model of our own process should know.
const SMALL: &str = "a very small model in this gateway's own process answered; for a better one set up a provider: \
    mosaic provider add";

/// What comes of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// More of the answer.
    Event(Event),
    /// Another model goes on, because the one before failed.
    Switched {
        /// The one before: `provider/model`.
        from: String,
        /// The one that goes on.
        to: String,
        /// Why.
        why: String,
    },
}

/// An answer that is coming. Dropped, it stops the model, and what was used up to there is settled.
pub struct Answering {
    run: Run,
    live: Option<Live>,
    ready: VecDeque<Said>,
    route: Route,
    warnings: Vec<String>,
    /// What was shown, where another model may have to go on from it.
    shown: String,
    /// A tool was called: nobody can go on in the middle of that.
    called: bool,
    /// What models used that failed in the middle.
    before: Option<(Usage, Cost)>,
    settled: Option<(Usage, Cost)>,
}

/// One after the other.
fn add(before: Option<(Usage, Cost)>, next: (Usage, Cost)) -> Option<(Usage, Cost)> {
    let Some((a, one)) = before else { return Some(next) };
    let (b, other) = next;
    let usage = a.plus(b);
    let micros = one.micros.zip(other.micros).map(|(one, other)| one.saturating_add(other));
    Some((usage, Cost { micros, exact: one.exact && other.exact, ..other }))
}

impl Answering {
    pub(super) async fn begin(mut run: Run) -> Result<Self> {
        let live = run.next().await?;
        let route = run.chosen.route(live.place);
        let mut warnings = run.warnings();
        if route.kind == ProviderKind::Local {
            warnings.push(SMALL.to_owned());
        }
        let mut answering = Self {
            run,
            live: None,
            ready: VecDeque::new(),
            route,
            warnings,
            shown: String::new(),
            called: false,
            before: None,
            settled: None,
        };
        answering.take(live);
        Ok(answering)
    }

    fn take(&mut self, mut live: Live) {
        for event in std::mem::take(&mut live.first) {
            self.note(&event, &mut live);
            self.ready.push_back(Said::Event(event));
        }
        // Settled already, if the first words were the last.
        self.live = Some(live).filter(|_| self.settled.is_none());
    }

    /// Which model answers, and why.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// What the caller should know: a budget is nearly used up.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What was used and what it cost, once the answer has ended.
    pub fn settled(&self) -> Option<(Usage, Cost)> {
        self.settled
    }

    /// What is next; `None` after the proper end. An error ends the answer.
    pub async fn next(&mut self) -> Result<Option<Said>> {
        if let Some(said) = self.ready.pop_front() {
            return Ok(Some(said));
        }
        let Some(mut live) = self.live.take() else { return Ok(None) };
        match live.calling.next().await {
            Ok(Some(event)) => {
                live.settling.hear(&event);
                if live.settling.is_beyond() {
                    let said =
                        "the provider does not stop where it was told to, and a budget ends here";
                    let error = mosaic_models::Error::new(FailureClass::Quota, said);
                    live.settling.cut();
                    return Err(Error::ModelFailed(error));
                }
                self.note(&event, &mut live);
                self.live = Some(live).filter(|_| self.settled.is_none());
                Ok(Some(Said::Event(event)))
            }
            Ok(None) => Ok(None),
            Err(error) => {
                let gone = live.settling.failed(&error);
                self.before = add(self.before, gone);
                self.go_on(live, error).await
            }
        }
    }

    fn note(&mut self, event: &Event, live: &mut Live) {
        match event {
            Event::Text(text) if self.run.ask.switching == Switching::Continue => {
                self.shown.push_str(text);
            }
            Event::ToolCall { .. } => self.called = true,
            Event::Ended(_) => {
                let last = live.settling.done();
                self.settled = add(self.before, last);
            }
            _ => {}
        }
    }

    /// Lets the next model go on, if that was asked for and can be.
    async fn go_on(&mut self, live: Live, error: mosaic_models::Error) -> Result<Option<Said>> {
        let can = self.run.ask.switching == Switching::Continue
            && !self.called
            && fails_over(&error)
            && self.run.has_more();
        if !can {
            return Err(Error::ModelFailed(error));
        }
        let from = live.settling.name();
        drop(live);
        let messages = &mut self.run.ask.request.messages;
        let n = messages.len();
        if !self.shown.is_empty() {
            let message = |role, text: &str| Message { role, parts: vec![Part::text(text)] };
            messages.push(message(Role::Assistant, &self.shown));
            messages.push(message(Role::User, GO_ON));
        }
        let next = self.run.next().await;
        self.run.ask.request.messages.truncate(n);
        // Whoever waits is told of the first failure, which is why the second was asked.
        let next = next.map_err(|_| Error::ModelFailed(error.clone()))?;
        self.route = self.run.chosen.route(next.place);
        let to = next.settling.name();
        self.take(next);
        Ok(Some(Said::Switched { from, to, why: error.message }))
    }
}
