//! What was said, as messages: the system prompt first, every call followed by its result, thoughts only for whoever
//! thought them.

use super::{
    body::{CallOut, Content, Function, ImageUrl, Mark, PartOut, Picture, Said},
    dialect::{Broken, Dialect, Images, Schemas, Thoughts},
};
use crate::{
    CacheFor, Output, Part, Request, Role, Thinking,
    pairing::{self, Answered, LOST, NO_RESULT, Turn, turns},
};
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// How many marks Anthropic, behind OpenRouter, takes.
const MARKS: usize = 4;

/// All messages of a call.
pub(crate) fn messages<'a>(dialect: &Dialect, request: &'a Request) -> Vec<Said<'a>> {
    let marks = Marks::of(dialect, request);
    let wanted = dialect.thoughts != Thoughts::None;
    let turns = turns(&request.messages, &|sealed| wanted && sealed.by == dialect.kind);
    let tool_turns = match dialect.thoughts {
        Thoughts::ToolTurns => tool_turns(&turns),
        Thoughts::None | Thoughts::All | Thoughts::Details => vec![],
    };
    let mut messages = Vec::with_capacity(turns.len() + 1);
    messages.extend(system(dialect, request, marks));
    let last_user = turns.iter().rposition(|turn| turn.role == Role::User && !turn.said.is_empty());
    for (at, turn) in turns.into_iter().enumerate() {
        match turn.role {
            Role::Assistant => {
                let in_tool_turn = tool_turns.get(at).copied().unwrap_or(false);
                messages.push(assistant(dialect, request, turn, in_tool_turn));
            }
            Role::User => {
                let marks = marks.ending(Some(at) == last_user);
                let Turn { answered, said, .. } = turn;
                // No tool message takes pictures: those stand in the next message of the user.
                let mut shown = vec![];
                for answered in answered {
                    let mut content = result_words(&answered);
                    let pictures = images(answered.found.map_or(&[], |(parts, _)| parts));
                    match dialect.images {
                        Images::Sent => shown.extend(pictures),
                        Images::Mentioned => {
                            pictures.for_each(|_| content.to_mut().push_str(UNSEEN));
                        }
                    }
                    messages.push(Said {
                        tool_call_id: Some(Cow::Owned(answered.id)),
                        ..Said::new("tool", Some(Content::Text(content)))
                    });
                }
                if !shown.is_empty() || !said.is_empty() {
                    let content = user(dialect, shown, &said, marks);
                    messages.push(Said::new("user", Some(content)));
                }
            }
        }
    }
    if marks != Marks::None {
        keep_last_marks(&mut messages);
    }
    messages
}

/// Stands where a picture was that nobody there can see.
const UNSEEN: &str = "\n\n(A picture was here. It cannot be shown to this model.)";

fn picture(image: &crate::Image) -> PartOut<'_> {
    PartOut::ImageUrl { image_url: ImageUrl { url: Picture(image) } }
}

fn text(text: Cow<'_, str>, cache_control: Option<Mark>) -> PartOut<'_> {
    PartOut::Text { text, cache_control }
}

/// The pictures in a result.
pub(crate) fn images(parts: &[Part]) -> impl Iterator<Item = &crate::Image> {
    parts.iter().filter_map(|part| match part {
        Part::Image(image) => Some(image),
        _ => None,
    })
}

/// Texts as one; not copied where there is only one.
pub(crate) fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> Cow<'a, str> {
    let mut all = Cow::Borrowed("");
    for text in texts.filter(|text| !text.is_empty()) {
        if all.is_empty() {
            all = Cow::Borrowed(text);
        } else {
            all.to_mut().push_str("\n\n");
            all.to_mut().push_str(text);
        }
    }
    all
}

/// The words among the parts of a result.
fn part_words(parts: &[Part]) -> Cow<'_, str> {
    joined(parts.iter().filter_map(|part| match part {
        Part::Text { text, .. } => Some(text.as_str()),
        _ => None,
    }))
}

/// What came of a call, as a text, for formats that take nothing else there.
pub(crate) fn result_words<'a>(answered: &Answered<'a>) -> Cow<'a, str> {
    let Some((parts, failed)) = answered.found else {
        return Cow::Owned(format!("The tool failed: {NO_RESULT}."));
    };
    let said = part_words(parts);
    let said = match (said.is_empty(), images(parts).next().is_some()) {
        (true, true) => Cow::Borrowed("(a picture)"),
        (true, false) => Cow::Borrowed("(nothing)"),
        (false, _) => said,
    };
    if failed { Cow::Owned(format!("The tool failed: {said}")) } else { said }
}

/// A result whose call is gone, as words of the user.
pub(crate) fn lost_words(parts: &[Part]) -> Cow<'static, str> {
    Cow::Owned(format!("{LOST}\n{}", part_words(parts)))
}

/// Which texts are marked for the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    /// None: the provider caches by itself.
    None,
    /// Those that the caller marked.
    Given,
    /// The end of the system prompt and of the last message: the caller marked nothing, and wants marks.
    Ends,
    /// This is such an end.
    ThisEnd,
}

impl Marks {
    fn of(dialect: &Dialect, request: &Request) -> Self {
        if !(dialect.marks)(&request.model) {
            return Marks::None;
        }
        let parts = request.messages.iter().flat_map(|message| &message.parts);
        let given = request.system.iter().any(|system| system.cache.is_some())
            || parts.into_iter().any(|part| matches!(part, Part::Text { cache: Some(_), .. }));
        match (given, request.cache) {
            (true, _) => Marks::Given,
            (false, true) => Marks::Ends,
            (false, false) => Marks::None,
        }
    }

    fn ending(self, is_end: bool) -> Self {
        match self {
            Marks::Ends if is_end => Marks::ThisEnd,
            Marks::Ends | Marks::None => Marks::None,
            other => other,
        }
    }

    fn mark(self, given: Option<CacheFor>, is_last: bool) -> Option<Mark> {
        match (self, given) {
            (Marks::Given, Some(CacheFor::Minutes)) => Some(Mark { ttl: None }),
            (Marks::Given, Some(CacheFor::Hour)) => Some(Mark { ttl: Some("1h") }),
            (Marks::ThisEnd, _) if is_last => Some(Mark { ttl: None }),
            _ => None,
        }
    }
}

/// The provider refuses more marks than these; the last ones reach furthest. It also refuses an hour behind minutes.
fn keep_last_marks(messages: &mut [Said<'_>]) {
    let mut left = MARKS;
    let mut lasts = None;
    for said in messages.iter_mut().rev() {
        let Some(Content::Parts(parts)) = &mut said.content else { continue };
        for part in parts.iter_mut().rev() {
            let PartOut::Text { cache_control, .. } = part else { continue };
            let Some(mark) = cache_control else { continue };
            lasts = lasts.or(mark.ttl);
            mark.ttl = lasts;
            if left == 0 {
                *cache_control = None;
            }
            left = left.saturating_sub(1);
        }
    }
}

fn system<'a>(dialect: &Dialect, request: &'a Request, marks: Marks) -> Option<Said<'a>> {
    let told = told_form(dialect, request);
    let texts: Vec<_> = request.system.iter().filter(|system| !system.text.is_empty()).collect();
    let content = match (marks, texts.as_slice(), told) {
        (_, [], None) => return None,
        (_, [], Some(told)) => Content::Text(told.into()),
        (Marks::None, [one], None) => Content::Text(Cow::Borrowed(&one.text)),
        (Marks::None, texts, told) => {
            let texts = texts.iter().map(|system| system.text.as_str()).chain(told.as_deref());
            Content::Text(texts.collect::<Vec<_>>().join("\n\n").into())
        }
        (marks, texts, told) => {
            let marks = marks.ending(true);
            let parts = texts.iter().enumerate().map(|(at, system)| PartOut::Text {
                text: Cow::Borrowed(system.text.as_str()),
                cache_control: marks.mark(system.cache, at + 1 == texts.len()),
            });
            let told = told.map(|told| PartOut::Text { text: told.into(), cache_control: None });
            Content::Parts(parts.chain(told).collect())
        }
    };
    Some(Said::new("system", Some(content)))
}

/// What the model must be told about the form of its answer. A provider that knows "some JSON" refuses unless the word
/// is in the conversation, and one that does not know schemas leaves them to us.
fn told_form(dialect: &Dialect, request: &Request) -> Option<String> {
    match (&request.output, dialect.schemas) {
        (Output::Text, _) | (Output::Schema { .. }, Schemas::Held) => None,
        (Output::Schema { schema, .. }, Schemas::Told) => {
            Some(format!("Answer with one JSON object that fits this JSON schema:\n{schema}"))
        }
        (Output::Json, _) => {
            let has =
                |text: &str| text.as_bytes().windows(4).any(|w| w.eq_ignore_ascii_case(b"json"));
            let said = request.system.iter().any(|system| has(&system.text))
                || request.messages.iter().any(|message| has(&part_words(&message.parts)));
            (!said).then(|| "Answer with one JSON object.".to_owned())
        }
    }
}

fn user<'a>(
    dialect: &Dialect,
    shown: Vec<&'a crate::Image>,
    said: &[pairing::Said<'a>],
    marks: Marks,
) -> Content<'a> {
    let is_last_text = |at: usize| {
        !said.iter().skip(at + 1).any(|said| matches!(said, pairing::Said::Text { .. }))
    };
    let mut parts = vec![];
    if !shown.is_empty() {
        parts.push(text(Cow::Borrowed("What the tools showed:"), None));
        parts.extend(shown.into_iter().map(picture));
    }
    for (at, said) in said.iter().enumerate() {
        match said {
            pairing::Said::Text { text: words, cache } => {
                let mark = marks.mark(*cache, is_last_text(at));
                parts.push(text(Cow::Borrowed(words), mark));
            }
            pairing::Said::Image(image) => parts.push(match dialect.images {
                Images::Sent => picture(image),
                Images::Mentioned => text(Cow::Borrowed(UNSEEN.trim_start()), None),
            }),
            pairing::Said::Lost(lost) => {
                parts.push(text(lost_words(lost), None));
                if dialect.images == Images::Sent {
                    parts.extend(images(lost).map(picture));
                }
            }
            pairing::Said::Thought { .. } | pairing::Said::Call { .. } => {}
        }
    }
    // Plain text stays a string: every server takes that.
    match parts.as_mut_slice() {
        [PartOut::Text { text, cache_control: None }] => Content::Text(std::mem::take(text)),
        many => {
            let plain =
                |part: &PartOut<'_>| matches!(part, PartOut::Text { cache_control: None, .. });
            if !many.iter().all(plain) {
                return Content::Parts(parts);
            }
            let texts = many.iter().map(|part| match part {
                PartOut::Text { text, .. } => &**text,
                PartOut::ImageUrl { .. } => "",
            });
            Content::Text(Cow::Owned(joined(texts).into_owned()))
        }
    }
}

fn assistant<'a>(
    dialect: &Dialect,
    request: &Request,
    turn: Turn<'a>,
    in_tool_turn: bool,
) -> Said<'a> {
    let words = joined(turn.said.iter().filter_map(|said| match said {
        pairing::Said::Text { text, .. } => Some(*text),
        _ => None,
    }));
    let content = (!words.is_empty()).then_some(Content::Text(words));
    let mut out = Said::new("assistant", content);
    let thoughts = || {
        turn.said.iter().filter_map(|said| match said {
            pairing::Said::Thought { text, sealed } => Some((*text, *sealed)),
            _ => None,
        })
    };
    match dialect.thoughts {
        Thoughts::None => {}
        Thoughts::All | Thoughts::ToolTurns => {
            let all = joined(thoughts().map(|(text, _)| text));
            let wanted = dialect.thoughts == Thoughts::All || in_tool_turn;
            if wanted && !all.is_empty() {
                out.reasoning_content = Some(all);
            } else if in_tool_turn && request.thinking != Thinking::Off {
                // Its absence is an error where the model thinks, even if somebody else spoke there.
                out.reasoning_content = Some(Cow::Borrowed(""));
            }
        }
        Thoughts::Details => {
            let details = thoughts().filter_map(|(_, sealed)| sealed.value.as_array());
            out.reasoning_details = details.flatten().collect();
        }
    }
    let calls = turn.said.into_iter().filter_map(|said| match said {
        pairing::Said::Call { id, name, arguments } => Some(CallOut {
            id,
            function: Function { name, arguments: sendable(arguments, dialect.broken) },
        }),
        _ => None,
    });
    out.tool_calls = calls.collect();
    out
}

/// Arguments as the provider takes them back.
pub(crate) fn sendable(arguments: &str, broken: Broken) -> &str {
    if arguments.trim().is_empty() {
        return "{}";
    }
    let is_object = || {
        arguments.trim_start().starts_with('{')
            && serde_json::from_str::<IgnoredAny>(arguments).is_ok()
    };
    match broken {
        Broken::Emptied if !is_object() => "{}",
        Broken::Emptied | Broken::AsWritten => arguments,
    }
}

/// Whether each turn lies between two messages of the user between which tools were called.
fn tool_turns(turns: &[Turn<'_>]) -> Vec<bool> {
    let mut all = vec![false; turns.len()];
    let mut from = 0;
    for stretch in turns.split_inclusive(|turn| turn.role == Role::User && !turn.said.is_empty()) {
        let called = stretch.iter().any(|turn| !turn.answered.is_empty());
        if let Some(all) = all.get_mut(from..from + stretch.len()) {
            all.fill(called);
        }
        from += stretch.len();
    }
    all
}
