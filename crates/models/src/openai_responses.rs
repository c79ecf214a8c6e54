//! OpenAI's Responses. Nothing is kept at the provider: what was reasoned comes sealed and goes back sealed. What it
//! shares with Chat Completions (lists, embeddings, refusals, heads) is taken from there.

mod answer;
mod body;
mod input;
mod stream;

use crate::{
    Endpoint, Error, Event, Listed, Output, Request, Result, Vectors, openai,
    openai_chat::{self, embedding, failure, listing},
    thinking::level,
    wire::{Framing, How, Outgoing, Reader, Wire},
};
use body::{Body, Choice, Format, Reasoning, TextOut, ToolOut};
use http::HeaderMap;
use mosaic_protocol::provider::FailureClass;
use std::borrow::Cow;
use stream::Stream;

/// Responses, by OpenAI or by a server that speaks it too.
pub(crate) struct Responses;

impl Wire for Responses {
    fn call(&self, endpoint: &Endpoint, request: &Request, how: How) -> Result<Outgoing> {
        openai_chat::outgoing(endpoint, "responses", &body(endpoint, request, how)?)
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn reader(&self, endpoint: &Endpoint) -> Box<dyn Reader> {
        Box::new(Stream::new(endpoint))
    }

    fn whole(&self, endpoint: &Endpoint, body: &[u8]) -> Result<Vec<Event>> {
        let response = serde_json::from_slice(body)
            .map_err(|error| failure::malformed("the answer", &error))?;
        let mut events = vec![];
        Stream::new(endpoint).whole(response, &mut events)?;
        Ok(events)
    }

    fn refusal(&self, endpoint: &Endpoint, status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
        failure::refusal(endpoint, status, headers, body)
    }

    fn list(&self, endpoint: &Endpoint) -> Result<Outgoing> {
        let headers = openai_chat::headers(endpoint)?;
        Ok(Outgoing { url: endpoint.at("models"), headers, body: None })
    }

    fn listed(&self, body: &[u8]) -> Result<Vec<Listed>> {
        listing::listed(body)
    }

    fn embed(
        &self,
        endpoint: &Endpoint,
        model: &str,
        texts: &[String],
    ) -> Option<Result<Outgoing>> {
        Some(openai_chat::embed(endpoint, model, texts))
    }

    fn embedded(&self, body: &[u8]) -> Result<Vectors> {
        embedding::read(body)
    }
}

fn body<'a>(endpoint: &Endpoint, request: &'a Request, how: How) -> Result<Body<'a>> {
    // The format has no such field, and without it the model would run past them.
    openai_chat::at_most(0, &request.stop)?;
    let input = input::items(endpoint.kind, request);
    if input.is_empty() {
        return Err(Error::new(FailureClass::BadRequest, "there is nothing to answer"));
    }
    let has_tools = !request.tools.is_empty();
    let reasons = openai::reasons(&request.model);
    let effort = openai::effort(&request.model, request.thinking);
    Ok(Body {
        model: &request.model,
        instructions: instructions(request),
        input,
        tools: request.tools.iter().map(ToolOut::from).collect(),
        tool_choice: if has_tools { Choice::of(&request.tool_choice) } else { None },
        parallel_tool_calls: request.parallel_tools.filter(|_| has_tools),
        max_output_tokens: request.max_output,
        temperature: request.temperature.filter(|_| !reasons),
        top_p: request.top_p.filter(|_| !reasons),
        // A summary of nothing is refused by some models.
        reasoning: reasons.then(|| Reasoning {
            effort,
            summary: (level(request.thinking) != Some(None)).then_some("auto"),
        }),
        text: Format::of(&request.output).map(|format| TextOut { format }),
        include: if reasons { &["reasoning.encrypted_content"] } else { &[] },
        store: false,
        safety_identifier: request.on_behalf.as_deref(),
        stream: how == How::Stream,
    })
}

/// The system prompt. Whoever wants "some JSON" must say the word, or the provider refuses.
fn instructions(request: &Request) -> Option<Cow<'_, str>> {
    let texts = request.system.iter().map(|system| system.text.as_str());
    let told = "Answer with one JSON object.";
    let told = Some(told).filter(|_| request.output == Output::Json);
    let all = openai_chat::history::joined(texts.chain(told));
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests;
