//! Ollama's own API, which says more than the one it has in OpenAI's manner: how large the context is to be, what was
//! thought, why it ended. What a call holds is in `ollama/body.rs`, how answers are read in `ollama/answer.rs`.

mod answer;
mod body;
mod refusal;
#[cfg(test)]
mod tests;

use crate::{
    Endpoint, Error, Event, Listed, Request, Result, Vectors,
    wire::{Framing, How, Outgoing, Reader, Wire},
};
use http::{HeaderMap, HeaderValue, header};
use mosaic_protocol::provider::FailureClass;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The format.
pub(crate) struct Ollama;

impl Wire for Ollama {
    fn call(&self, endpoint: &Endpoint, request: &Request, how: How) -> Result<Outgoing> {
        post(endpoint, "api/chat", &body::body(request, how)?)
    }

    fn framing(&self) -> Framing {
        Framing::Lines
    }

    fn reader(&self, endpoint: &Endpoint) -> Box<dyn Reader> {
        Box::new(answer::Answers::new(endpoint.key.clone()))
    }

    fn whole(&self, endpoint: &Endpoint, body: &[u8]) -> Result<Vec<Event>> {
        let mut events = vec![];
        answer::Answers::new(endpoint.key.clone()).line(body, &mut events)?;
        Ok(events)
    }

    fn refusal(&self, endpoint: &Endpoint, status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
        refusal::refusal(status, headers, body, endpoint.key.as_ref())
    }

    fn list(&self, endpoint: &Endpoint) -> Result<Outgoing> {
        Ok(Outgoing { url: endpoint.at("api/tags"), headers: headers(endpoint)?, body: None })
    }

    fn listed(&self, body: &[u8]) -> Result<Vec<Listed>> {
        let tags: Tags = read(body, "the list of models")?;
        Ok(tags.models.into_iter().map(Listed::from).collect())
    }

    fn embed(
        &self,
        endpoint: &Endpoint,
        model: &str,
        texts: &[String],
    ) -> Option<Result<Outgoing>> {
        let body = json!({"model": model, "input": texts});
        Some(post(endpoint, "api/embed", &body))
    }

    fn embedded(&self, body: &[u8]) -> Result<Vectors> {
        let embedded: Embedded = read(body, "the embeddings")?;
        Ok(Vectors { vectors: embedded.embeddings, tokens: embedded.prompt_eval_count })
    }
}

fn post(endpoint: &Endpoint, path: &str, body: &impl Serialize) -> Result<Outgoing> {
    let body = serde_json::to_vec(body)
        .map_err(|_| Error::new(FailureClass::BadRequest, "the call cannot be written"))?;
    let mut headers = headers(endpoint)?;
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(Outgoing { url: endpoint.at(path), headers, body: Some(body) })
}

/// A server on the same machine wants no key; one behind a proxy, or the hosted one, does.
fn headers(endpoint: &Endpoint) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Some(key) = &endpoint.key {
        let odd = |_| Error::new(FailureClass::Auth, "the key has characters that no key has");
        let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose())).map_err(odd)?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    Ok(headers)
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8], what: &str) -> Result<T> {
    serde_json::from_slice(body).map_err(|_| {
        Error::new(FailureClass::Malformed, format!("{what} is not what the format says"))
    })
}

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    name: String,
    #[serde(default)]
    details: Option<Details>,
    #[serde(default)]
    capabilities: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    families: Option<Vec<String>>,
    #[serde(default)]
    context_length: Option<u64>,
}

impl From<Model> for Listed {
    fn from(model: Model) -> Self {
        let can = |what: &str| {
            let capabilities = model.capabilities.as_ref()?;
            Some(capabilities.iter().any(|capability| capability == what))
        };
        let details = model.details.unwrap_or_default();
        // Older servers list no capabilities; this family makes embeddings and nothing else.
        let bert = details.families.unwrap_or_default().iter().any(|name| name.contains("bert"));
        Listed {
            tools: can("tools"),
            vision: can("vision"),
            thinking: can("thinking"),
            embedding: if bert {
                Some(true)
            } else {
                can("embedding").map(|embeds| embeds && can("completion") == Some(false))
            },
            context: details.context_length,
            id: model.name,
            ..Listed::default()
        }
    }
}

#[derive(Deserialize)]
struct Embedded {
    embeddings: Vec<Vec<f32>>,
    #[serde(default)]
    prompt_eval_count: Option<u64>,
}
