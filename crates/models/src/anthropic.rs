//! Anthropic's Messages. What a call holds is in `anthropic/body.rs`, how answers are read in `anthropic/answer.rs`.
//! There are no embeddings.

mod answer;
mod blocks;
mod body;
mod caching;
mod habits;
mod refusal;
#[cfg(test)]
mod tests;

use crate::{
    Endpoint, Error, Event, Key, Listed, Request, Result, Vectors,
    wire::{Framing, How, Outgoing, Reader, Wire},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use mosaic_protocol::provider::FailureClass;
use serde::Deserialize;

/// The version of the format that this is.
const VERSION: &str = "2023-06-01";

/// How the tokens begin that people get by logging in; they go into another header than keys.
const LOGIN: &str = "sk-ant-oat";

/// Says that such a token comes.
const LOGIN_BETA: &str = "oauth-2025-04-20";

/// The format.
pub(crate) struct Anthropic;

impl Wire for Anthropic {
    fn call(&self, endpoint: &Endpoint, request: &Request, how: How) -> Result<Outgoing> {
        let body = serde_json::to_vec(&body::body(request, how)?)
            .map_err(|_| Error::new(FailureClass::BadRequest, "the call cannot be written"))?;
        let mut headers = headers(endpoint.key.as_ref())?;
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Outgoing { url: endpoint.at("messages"), headers, body: Some(body) })
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn reader(&self, endpoint: &Endpoint) -> Box<dyn Reader> {
        Box::new(answer::Answers::new(endpoint.key.clone()))
    }

    fn whole(&self, endpoint: &Endpoint, body: &[u8]) -> Result<Vec<Event>> {
        answer::Answers::new(endpoint.key.clone()).whole(body)
    }

    fn refusal(&self, endpoint: &Endpoint, status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
        refusal::refusal(status, headers, body, endpoint.key.as_ref())
    }

    fn list(&self, endpoint: &Endpoint) -> Result<Outgoing> {
        // As many as it gives at once: more than there are.
        let url = endpoint.at("models?limit=1000");
        Ok(Outgoing { url, headers: headers(endpoint.key.as_ref())?, body: None })
    }

    fn listed(&self, body: &[u8]) -> Result<Vec<Listed>> {
        let list: List = serde_json::from_slice(body).map_err(|_| {
            Error::new(FailureClass::Malformed, "the list of models is not what the format says")
        })?;
        Ok(list.data.into_iter().map(Listed::from).collect())
    }

    fn embed(&self, _: &Endpoint, _: &str, _: &[String]) -> Option<Result<Outgoing>> {
        None
    }

    fn embedded(&self, _: &[u8]) -> Result<Vectors> {
        Err(Error::new(FailureClass::BadRequest, "this provider makes no embeddings"))
    }
}

fn headers(key: Option<&Key>) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-version", HeaderValue::from_static(VERSION));
    if let Some(key) = key {
        let key = key.expose();
        let (name, mut value) = if key.starts_with(LOGIN) {
            headers.insert("anthropic-beta", HeaderValue::from_static(LOGIN_BETA));
            (http::header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {key}")))
        } else {
            (HeaderName::from_static("x-api-key"), HeaderValue::try_from(key))
        };
        if let Ok(value) = &mut value {
            value.set_sensitive(true);
        }
        let odd = |_| Error::new(FailureClass::Auth, "the key has characters that no key has");
        headers.insert(name, value.map_err(odd)?);
    }
    Ok(headers)
}

#[derive(Deserialize)]
struct List {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    max_input_tokens: Option<u64>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    capabilities: Option<Capabilities>,
}

#[derive(Default, Deserialize)]
struct Capabilities {
    #[serde(default)]
    image_input: Option<Support>,
    #[serde(default)]
    thinking: Option<Support>,
}

#[derive(Deserialize)]
struct Support {
    supported: bool,
}

impl From<Model> for Listed {
    fn from(model: Model) -> Self {
        let capabilities = model.capabilities.unwrap_or_default();
        Listed {
            id: model.id,
            name: model.display_name,
            context: model.max_input_tokens,
            max_output: model.max_tokens,
            vision: capabilities.image_input.map(|it| it.supported),
            thinking: capabilities.thinking.map(|it| it.supported),
            ..Listed::default()
        }
    }
}
