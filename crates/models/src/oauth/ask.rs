//! One question to an OAuth server: a form is sent, a JSON document comes back, or a refusal in its few known codes.
//! What goes wrong is told in our own words.

use crate::{
    Error, Key, Result,
    oauth::{
        refusal::{self, Refusal},
        settings::{ClientAuth, OAuthSettings, ServerUrl},
    },
    retry_after::retry_after,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use mosaic_outbound::{Outbound, Patience, Reach};
use mosaic_protocol::provider::FailureClass;
use serde::{Deserialize, de::DeserializeOwned};
use std::time::Duration;
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

/// The largest answer.
const ANSWER_BYTES: usize = 64 * 1024;
/// How long an answer may take: a person or a call waits for it.
const ANSWER_TIME: Duration = Duration::from_secs(20);
/// A server that wants to be left alone for longer than this is not believed.
const LONGEST_RETRY: Duration = Duration::from_secs(86_400);

/// A server, and how it is reached.
#[derive(Debug, Clone, Copy)]
pub struct OAuthServer<'a> {
    /// The client that requests go through.
    pub outbound: &'a Outbound,
    /// Which addresses it may have.
    pub reach: Reach,
    /// What is known of it.
    pub settings: &'a OAuthSettings,
}

/// What came back.
pub(super) enum Answered<T> {
    /// What was asked for.
    Given(T),
    /// A refusal, with what else its head said.
    Refused(Refusal, Head),
}

/// What of an answer's head matters for a failure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
}

impl OAuthServer<'_> {
    /// Sends a form with the proof of who we are.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        url: &ServerUrl,
        form: &[(&str, &str)],
    ) -> Result<Answered<T>> {
        let patience = Patience { total: ANSWER_TIME, silence: ANSWER_TIME, bytes: ANSWER_BYTES };
        let answer = self
            .outbound
            .open(self.request(url, form)?, self.reach, patience)
            .await
            .map_err(|error| transport(&error))?;
        let retry_after = retry_after(answer.headers()).map(|after| after.min(LONGEST_RETRY));
        let head = Head { status: answer.status(), retry_after };
        let body = match answer.whole().await {
            Ok(whole) => Zeroizing::new(whole.into_body()),
            // A refusal is one however long it is; only what was asked for has to be read.
            Err(_) if !head.status.is_success() => Zeroizing::default(),
            Err(error) => return Err(transport(&error)),
        };
        read(head, &body)
    }

    fn request(&self, url: &ServerUrl, form: &[(&str, &str)]) -> Result<http::Request<Bytes>> {
        let bad = |_| Error::new(FailureClass::BadRequest, "the login server's address is none");
        let OAuthSettings { client_id, client_secret, client_auth, .. } = self.settings;
        let mut body = Serializer::new(String::new());
        body.extend_pairs(form);
        let mut builder = http::Request::builder()
            .method(Method::POST)
            .uri(url.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        match (client_secret, client_auth) {
            (Some(secret), ClientAuth::Basic) => {
                builder = builder.header(header::AUTHORIZATION, basic(client_id.as_str(), secret)?);
            }
            (Some(secret), ClientAuth::Body) => {
                body.append_pair("client_id", client_id.as_str());
                body.append_pair("client_secret", secret.expose());
            }
            (None, _) => {
                body.append_pair("client_id", client_id.as_str());
            }
        }
        builder.body(Bytes::from(body.finish())).map_err(bad)
    }
}

/// Id and secret are written as in a form before they are put together, or a colon in the id would end it early.
fn basic(id: &str, secret: &Key) -> Result<HeaderValue> {
    let mut pair = Zeroizing::new(String::new());
    pair.extend(byte_serialize(id.as_bytes()));
    pair.push(':');
    pair.extend(byte_serialize(secret.expose().as_bytes()));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| Error::new(FailureClass::BadRequest, "the client secret fits in no header"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn read<T: DeserializeOwned>(head: Head, body: &[u8]) -> Result<Answered<T>> {
    #[derive(Deserialize)]
    struct Refused {
        error: Option<String>,
    }
    let refused: Option<Refused> = serde_json::from_slice(body).ok();
    // Some servers refuse with 200.
    if let Some(Refused { error: Some(code) }) = &refused {
        return Ok(Answered::Refused(Refusal::of(code), head));
    }
    if !head.status.is_success() {
        return Err(refusal::without_code(head));
    }
    let unreadable = || {
        Error::new(
            FailureClass::Malformed,
            "the login server answered something that is not what OAuth says; check its addresses",
        )
    };
    serde_json::from_slice(body).map(Answered::Given).map_err(|_| unreadable())
}

/// Only hosts and sizes are in these, and what the network said; nothing of an answer.
fn transport(error: &mosaic_outbound::Error) -> Error {
    use mosaic_outbound::Error as E;
    let class = match error {
        E::Unreachable { .. } => FailureClass::Transport,
        E::Late { .. } => FailureClass::Timeout,
        E::TooLong { .. } => FailureClass::Malformed,
        E::OutOfReach { .. } | E::Client(_) => FailureClass::BadRequest,
    };
    Error::said(class, &error.to_string(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_named_in_the_header_without_a_way_to_shift_the_colon() {
        let value = basic("https://us.example/id", &Key::new("se:cr et+%".into())).unwrap();
        assert!(value.is_sensitive());
        let coded = value.to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
        let text = String::from_utf8(STANDARD.decode(coded).unwrap()).unwrap();
        assert_eq!(text, "https%3A%2F%2Fus.example%2Fid:se%3Acr+et%2B%25");
    }
}
