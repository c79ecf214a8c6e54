//! OpenAI's Chat Completions, which half the world speaks with an accent. What is common is here and in the folder; the
//! accents are in `openai.rs`, `openrouter.rs`, `zai.rs`, `deepseek.rs` and `compatible.rs`, as values of [`Dialect`].

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod calls;
pub(crate) mod details;
pub(crate) mod dialect;
pub(crate) mod embedding;
pub(crate) mod failure;
pub(crate) mod history;
pub(crate) mod listing;
pub(crate) mod stream;
pub(crate) mod usage;

use crate::{
    Endpoint, Error, Event, Listed, Request, Result, Vectors,
    wire::{Framing, How, Outgoing, Reader, Wire},
};
use body::{Body, Choice, Format, StreamOptions, ToolOut};
use dialect::{Dialect, Schemas};
use http::{HeaderMap, HeaderValue, header};
use mosaic_protocol::provider::FailureClass;
use serde::Serialize;
use stream::Stream;

/// Chat Completions in one dialect.
pub(crate) struct Chat(pub(crate) &'static Dialect);

impl Wire for Chat {
    fn call(&self, endpoint: &Endpoint, request: &Request, how: How) -> Result<Outgoing> {
        let mut body = plain(self.0, request, how);
        if body.messages.is_empty() {
            return Err(Error::new(FailureClass::BadRequest, "there is nothing to answer"));
        }
        (self.0.adapt)(request, how, &mut body)?;
        outgoing(endpoint, "chat/completions", &body)
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn reader(&self, endpoint: &Endpoint) -> Box<dyn Reader> {
        Box::new(Stream::new(self.0, endpoint))
    }

    fn whole(&self, endpoint: &Endpoint, body: &[u8]) -> Result<Vec<Event>> {
        let chunk = serde_json::from_slice(body)
            .map_err(|error| failure::malformed("the answer", &error))?;
        let mut events = Vec::with_capacity(4);
        let mut stream = Stream::new(self.0, endpoint);
        stream.take(chunk, &mut events)?;
        stream.ended(&mut events)?;
        Ok(events)
    }

    fn refusal(&self, endpoint: &Endpoint, status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
        failure::refusal(endpoint, status, headers, body)
    }

    fn list(&self, endpoint: &Endpoint) -> Result<Outgoing> {
        Ok(Outgoing { url: endpoint.at("models"), headers: headers(endpoint)?, body: None })
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
        self.0.embeds.then(|| embed(endpoint, model, texts))
    }

    fn embedded(&self, body: &[u8]) -> Result<Vectors> {
        embedding::read(body)
    }
}

/// The body in OpenAI's words, before a dialect changes it.
fn plain<'a>(dialect: &Dialect, request: &'a Request, how: How) -> Body<'a> {
    let has_tools = !request.tools.is_empty();
    let is_stream = how == How::Stream;
    let format = match (Format::of(request), dialect.schemas) {
        (Some(Format::JsonSchema { .. }), Schemas::Told) => Some(Format::JsonObject),
        (format, _) => format,
    };
    Body {
        model: &request.model,
        messages: history::messages(dialect, request),
        tools: request.tools.iter().map(ToolOut::from).collect(),
        // Without tools, either is an error.
        tool_choice: if has_tools { Choice::of(&request.tool_choice) } else { None },
        parallel_tool_calls: request.parallel_tools.filter(|_| has_tools),
        max_tokens: request.max_output,
        temperature: request.temperature,
        top_p: request.top_p,
        seed: request.seed,
        presence_penalty: request.presence_penalty,
        frequency_penalty: request.frequency_penalty,
        stop: &request.stop,
        response_format: format,
        user: request.on_behalf.as_deref(),
        stream: is_stream,
        stream_options: is_stream.then_some(StreamOptions { include_usage: true }),
        ..Body::default()
    }
}

/// Refuses more stops than the provider takes: leaving some out would let the model run past them.
pub(crate) fn at_most(most: usize, stop: &[String]) -> Result<()> {
    if stop.len() <= most {
        return Ok(());
    }
    let message = match most {
        0 => "this model does not take texts to stop at".to_owned(),
        _ => format!("this provider takes at most {most} texts to stop at"),
    };
    Err(Error::new(FailureClass::BadRequest, message))
}

/// What every request of this family has in its head.
pub(crate) fn headers(endpoint: &Endpoint) -> Result<HeaderMap> {
    let mut headers = HeaderMap::with_capacity(2);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(key) = &endpoint.key {
        let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose()))
            .map_err(|_| Error::new(FailureClass::Auth, "the key has characters that none has"))?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    Ok(headers)
}

/// A body as it goes out.
pub(crate) fn outgoing(endpoint: &Endpoint, path: &str, body: &impl Serialize) -> Result<Outgoing> {
    let body = serde_json::to_vec(body)
        .map_err(|error| Error::new(FailureClass::BadRequest, error.to_string()))?;
    Ok(Outgoing { url: endpoint.at(path), headers: headers(endpoint)?, body: Some(body) })
}

/// Asks for embeddings.
pub(crate) fn embed(endpoint: &Endpoint, model: &str, texts: &[String]) -> Result<Outgoing> {
    let body = Some(embedding::body(model, texts)?);
    Ok(Outgoing { url: endpoint.at("embeddings"), headers: headers(endpoint)?, body })
}

#[cfg(test)]
mod tests;
