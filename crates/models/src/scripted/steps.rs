//! What is played, step by step. Pure; made as it is played, so that a million pieces take no room.

use super::{check::seal, example::example, names, names::Play, script, script::Ends};
use crate::{
    Error, Event, Message, Output, Part, Reported, Request, Result, Role, ToolChoice, Why,
};
use mosaic_protocol::{provider::FailureClass, usage::Usage};
use std::{iter, time::Duration};

/// One step.
#[derive(Debug)]
pub(super) enum Step {
    /// An event.
    Tell(Event),
    /// Nothing, for so long.
    Wait(Duration),
    /// Nothing, for ever.
    Stall,
    /// The end, badly.
    Fail(Error),
}

/// The steps of an answer. When they are over, so is the answer, whether it was told its end or not.
pub(super) type Steps = Box<dyn Iterator<Item = Step> + Send>;

/// How much of a call's arguments comes at a time.
const PIECE_BYTES: usize = 4096;

/// The name that is called where no tool was offered.
const NO_TOOL: &str = "no_such_tool";

/// What is asked, as far as an answer depends on it.
pub(super) struct Asked {
    /// The last words of the user.
    pub(super) words: String,
    /// What tools answered, if they did so last.
    pub(super) results: Option<String>,
    /// How often the model answered already.
    pub(super) answers: u64,
    /// How many words there are, all in all: scripted models count words for tokens.
    prompt: u64,
}

/// An answer before it is cut into steps.
struct Answer {
    thinking: Option<String>,
    pieces: Box<dyn Iterator<Item = String> + Send>,
    /// How many pieces there are.
    count: u64,
    pause: Duration,
    /// Tools with their arguments.
    calls: Vec<(String, String)>,
    usage: Tells,
    end: End,
}

enum Tells {
    /// What it counted.
    Counted,
    /// This.
    This(Usage),
    /// Nothing.
    Nothing,
}

enum End {
    Properly(Why),
    Cut,
    Stall,
    Fail(Error),
}

/// The steps of an answer to this.
pub(super) fn steps(play: &Play, request: &Request) -> Result<Steps> {
    let asked = Asked {
        words: request
            .messages
            .iter()
            .rev()
            .filter(|message| message.role == Role::User)
            .map(|message| words_of(&message.parts))
            .find(|words| !words.is_empty())
            .unwrap_or_default(),
        results: last_results(request),
        answers: answers(&request.messages),
        prompt: prompt(request),
    };
    let tool = first_tool(request);
    let called = tool.map_or(NO_TOOL, |tool| tool.name.as_str()).to_owned();
    let echo = || Answer::saying(asked.words.clone(), request);
    // The same words over and over, for counts that are larger than what was said.
    let again = |most: u64, end| {
        let words = if asked.words.trim().is_empty() { "word " } else { asked.words.as_str() };
        let spaced = if words.ends_with(char::is_whitespace) { "" } else { " " };
        let words = Words { text: format!("{words}{spaced}"), at: 0 };
        let pieces = Box::new(words.cycle().take(usize::try_from(most).unwrap_or(usize::MAX)));
        Answer { pieces, count: most, usage: Tells::Nothing, end, ..Answer::nothing() }
    };
    let calling = |name: String, arguments: String| Answer {
        calls: vec![(name, arguments)],
        end: End::Properly(Why::ToolCalls),
        ..Answer::nothing()
    };
    let answer = match play {
        Play::Echo => echo(),
        Play::Say(text) => Answer::saying(text.clone(), request),
        Play::Thinks => {
            let thinking = Some(format!("I am asked: {}", asked.words));
            Answer { thinking, ..echo() }
        }
        Play::Slow(pause) => Answer { pause: *pause, ..echo() },
        Play::UsageNever => Answer { usage: Tells::Nothing, ..echo() },
        Play::NoFinalEvent => Answer { end: End::Cut, ..echo() },
        Play::CutAfter(words) => again(*words, End::Cut),
        Play::StallAfter(words) => again(*words, End::Stall),
        Play::Malformed => {
            let broken = "the scripted model sent an event that cannot be read";
            again(1, End::Fail(Error::new(FailureClass::Malformed, broken)))
        }
        Play::TinyChunks(count) => Answer {
            pieces: Box::new((0..*count).map(|_| "x".to_owned())),
            count: *count,
            ..Answer::nothing()
        },
        Play::Refuses => {
            let refused = Why::Refused(Some("the scripted model does not want to".to_owned()));
            Answer { end: End::Properly(refused), ..again(1, End::Cut) }
        }
        Play::Tool => match (&asked.results, tool) {
            (Some(results), _) => Answer::saying(format!("The tool answered: {results}"), request),
            (None, Some(tool)) => calling(called, example(&tool.schema).to_string()),
            (None, None) => Answer::saying("I have no tool.".to_owned(), request),
        },
        Play::Structured => {
            let value = match &request.output {
                Output::Schema { schema, .. } => example(schema),
                Output::Json => serde_json::json!({ "example": true }),
                Output::Text => serde_json::json!("example"),
            };
            Answer::saying(value.to_string(), request)
        }
        Play::WrongToolJson => calling(called, "{\"broken\": ".to_owned()),
        Play::HugeToolCall(bytes) => {
            let around = "{\"text\":\"\"}".len();
            let filled = usize::try_from(*bytes).unwrap_or(0).saturating_sub(around);
            calling(called, format!("{{\"text\":\"{}\"}}", "x".repeat(filled)))
        }
        Play::Script => {
            let turn = script::next_turn(request, &asked)?;
            if let Some(name) = &turn.plays {
                let play = names::read(name)?;
                if play == Play::Script {
                    let message = "a turn of a script cannot be a script";
                    return Err(Error::new(FailureClass::BadRequest, message));
                }
                return steps(&play, request);
            }
            Answer::of_turn(turn, request)
        }
        Play::Fails { class, status, after } => {
            let message = format!("the scripted model fails as it was told: {class}");
            return Err(Error {
                retry_after: *after,
                status: (*status > 0).then_some(*status),
                ..Error::new(*class, message)
            });
        }
    };
    Ok(answer.steps(request, &asked))
}

impl Answer {
    fn nothing() -> Self {
        Self {
            thinking: None,
            pieces: Box::new(iter::empty()),
            count: 0,
            pause: Duration::ZERO,
            calls: vec![],
            usage: Tells::Counted,
            end: End::Properly(Why::Done),
        }
    }

    /// A text, as far as the request lets it be written.
    fn saying(mut text: String, request: &Request) -> Self {
        let mut why = Why::Done;
        let stops = request.stop.iter().filter(|stop| !stop.is_empty());
        let first = stops.filter_map(|stop| Some((text.find(stop.as_str())?, stop))).min();
        if let Some((at, stop)) = first {
            text.truncate(at);
            why = Why::Stop(Some(stop.clone()));
        }
        let mut count = Words { text: text.clone(), at: 0 }.count() as u64;
        if let Some(most) = request.max_output.map(u64::from).filter(|most| *most < count) {
            count = most;
            why = Why::MaxOutput;
        }
        let words = Words { text, at: 0 }.take(usize::try_from(count).unwrap_or(usize::MAX));
        Self { pieces: Box::new(words), count, end: End::Properly(why), ..Self::nothing() }
    }

    fn of_turn(turn: script::Turn, request: &Request) -> Self {
        let said = Self::saying(turn.text.unwrap_or_default(), request);
        let calls: Vec<_> = turn
            .calls
            .into_iter()
            .map(|script::Call { tool, arguments }| (tool, arguments.to_string()))
            .collect();
        let end = match (turn.ends, said.end) {
            (Ends::Properly, End::Properly(Why::Done)) if !calls.is_empty() => {
                End::Properly(Why::ToolCalls)
            }
            (Ends::Properly, end) => end,
            (Ends::MaxOutput, _) => End::Properly(Why::MaxOutput),
            (Ends::Refused, _) => End::Properly(Why::Refused(None)),
            (Ends::Cut, _) => End::Cut,
            (Ends::Stall, _) => End::Stall,
        };
        Self {
            thinking: turn.thinking,
            pause: Duration::from_millis(turn.pause_ms),
            calls,
            usage: turn.usage.map_or(Tells::Counted, |used| Tells::This(used.into())),
            end,
            ..said
        }
    }

    fn steps(self, request: &Request, asked: &Asked) -> Steps {
        let pause = (!self.pause.is_zero()).then_some(self.pause);
        let began = Event::Began {
            id: Some(format!("scripted-{}", asked.answers)),
            model: Some(request.model.clone()),
        };
        let reasoning =
            self.thinking.as_ref().map_or(0, |text| Words { text: text.clone(), at: 0 }.count());
        let argument_bytes: usize = self.calls.iter().map(|(_, arguments)| arguments.len()).sum();
        let counted = Usage {
            input: asked.prompt,
            // Four bytes of arguments count as a word.
            output: self.count + (reasoning + argument_bytes.div_ceil(4)) as u64,
            reasoning: reasoning as u64,
            ..Usage::default()
        };
        let thinking = self.thinking.into_iter().flat_map(|text| {
            let sealed = Event::Sealed(seal(&text));
            Words { text, at: 0 }.map(Event::Thinking).chain(iter::once(sealed))
        });
        let text = self.pieces.map(Event::Text);
        let spoken = thinking
            .chain(text)
            .flat_map(move |event| pause.map(Step::Wait).into_iter().chain([Step::Tell(event)]));
        let answers = asked.answers;
        let calls = (0u32..).zip(self.calls).flat_map(move |(index, (name, arguments))| {
            let id = format!("call_{answers}_{index}");
            let pieces = Pieces { text: arguments, at: 0 };
            iter::once(Event::ToolCall { index, id, name })
                .chain(pieces.map(move |piece| Event::Arguments { index, piece }))
        });
        let usage = match self.usage {
            Tells::Counted => Some(counted),
            Tells::This(usage) => Some(usage),
            Tells::Nothing => None,
        };
        let usage = usage.map(|usage| Event::Usage(Reported { usage, cost_micros: None }));
        let end = match self.end {
            End::Properly(why) => Some(Step::Tell(Event::Ended(why))),
            End::Cut => None,
            End::Stall => Some(Step::Stall),
            End::Fail(error) => Some(Step::Fail(error)),
        };
        Box::new(
            iter::once(Step::Tell(began))
                .chain(spoken)
                .chain(calls.map(Step::Tell))
                .chain(usage.map(Step::Tell))
                .chain(end),
        )
    }
}

/// A text word by word, each with the white space after it.
#[derive(Clone)]
struct Words {
    text: String,
    at: usize,
}

impl Iterator for Words {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let word = self.text.get(self.at..)?.split_inclusive(char::is_whitespace).next()?;
        self.at += word.len();
        Some(word.to_owned())
    }
}

/// A text in pieces of some size.
struct Pieces {
    text: String,
    at: usize,
}

impl Iterator for Pieces {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let piece = rest.get(..rest.floor_char_boundary(PIECE_BYTES)).unwrap_or(rest);
        self.at += piece.len();
        Some(piece.to_owned())
    }
}

/// The words among some parts.
pub(super) fn words_of(parts: &[Part]) -> String {
    let mut words = String::new();
    for part in parts {
        if let Part::Text { text, .. } = part {
            words.push_str(text);
        }
    }
    words
}

/// How often the model answered: one answer may stand in several messages.
pub(super) fn answers(messages: &[Message]) -> u64 {
    let mut before = Role::User;
    let mut answers = 0;
    for message in messages {
        answers += u64::from(message.role == Role::Assistant && before == Role::User);
        before = message.role;
    }
    answers
}

/// What tools answered after the last answer of the model.
fn last_results(request: &Request) -> Option<String> {
    let since = request.messages.iter().rev().take_while(|message| message.role == Role::User);
    let mut results: Vec<String> = since
        .flat_map(|message| message.parts.iter().rev())
        .filter_map(|part| match part {
            Part::ToolResult { parts, .. } => Some(words_of(parts)),
            Part::Text { .. } | Part::Image(_) | Part::Thinking { .. } | Part::ToolCall { .. } => {
                None
            }
        })
        .collect();
    results.reverse();
    (!results.is_empty()).then(|| results.join("\n"))
}

/// The tool that a model with no will of its own calls.
fn first_tool(request: &Request) -> Option<&crate::Tool> {
    match &request.tool_choice {
        ToolChoice::Never => None,
        ToolChoice::Named(name) => request.tools.iter().find(|tool| tool.name == *name),
        ToolChoice::Auto | ToolChoice::Some => request.tools.first(),
    }
}

fn prompt(request: &Request) -> u64 {
    fn words(part: &Part) -> usize {
        match part {
            Part::Text { text, .. } | Part::Thinking { text, .. } => {
                text.split_whitespace().count()
            }
            Part::ToolCall { arguments, .. } => arguments.len().div_ceil(4),
            Part::ToolResult { parts, .. } => parts.iter().map(words).sum(),
            // As much as a small picture has elsewhere.
            Part::Image(_) => 100,
        }
    }
    let system: usize =
        request.system.iter().map(|system| system.text.split_whitespace().count()).sum();
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    (system + parts.map(words).sum::<usize>()) as u64
}
