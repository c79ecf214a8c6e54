//! What comes in with a request, as types: parameters of the path, a query, a JSON body, plain bytes.
//!
//! Access to the route is checked before any of this is read; ids are checked by the operation that gets them.

use crate::{
    compatible::BODY_BYTES,
    listen::Place,
    refusal::Refusal,
    row::{Cx, Kind, Row},
    socket,
};
use axum::{
    body::Body as AxumBody,
    extract::{FromRequestParts, RawPathParams, ws::WebSocketUpgrade},
    response::Response,
};
use bytes::Bytes;
use http::{HeaderMap, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use mosaic_gateway::Error;
use mosaic_protocol::{
    AccountName, BlobHash, BudgetId, IdentityId, InviteId, LogId, ModelName, ModelProviderId,
    ProviderLoginId, ProviderName, RuleId, SecretName, Seq, SessionId, TeamId, TokenId, UserId,
    WorkspaceId,
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::{future::Future, marker::PhantomData};

/// The body of a request, not read yet.
pub(crate) struct Body(AxumBody);

impl Body {
    pub(crate) fn new(body: AxumBody) -> Self {
        Self(body)
    }

    /// The only way to the bytes, and whoever brought them is asked again who they are.
    async fn read(self, cx: &mut Cx, limit: usize) -> Result<Bytes, Refusal> {
        let bytes = match Limited::new(self.0, limit).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(Refusal::too_large(limit)),
            Err(_) => return Err(Error::Invalid("the body was cut off".into()).into()),
        };
        cx.admit().await?;
        Ok(bytes)
    }
}

/// Something that is read out of a request.
pub(crate) trait Input: Sized + Send {
    /// Notes what is read, for the OpenAPI document and the tests.
    fn describe(row: &mut Row);
    /// Reads it.
    fn read(
        cx: &mut Cx,
        parts: Parts,
        body: Body,
    ) -> impl Future<Output = Result<Self, Refusal>> + Send;
}

/// Something that is read out of the head, so that something else can still be read out of the body.
pub(crate) trait FromHead: Sized + Send {
    fn describe(row: &mut Row);
    fn read(parts: &mut Parts) -> impl Future<Output = Result<Self, Refusal>> + Send;
}

/// A parameter of the path. One that cannot be right names nothing that exists.
pub(crate) trait Param: Sized + Send {
    const KIND: Kind;
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! params {
    ($($type:ty => $kind:ident, $parse:expr;)*) => {$(
        impl Param for $type {
            const KIND: Kind = Kind::$kind;
            fn parse(text: &str) -> Option<Self> {
                let parse: fn(&str) -> Option<Self> = $parse;
                parse(text)
            }
        }
    )*};
}

params! {
    UserId => User, |text| text.parse().ok();
    TeamId => Team, |text| text.parse().ok();
    WorkspaceId => Workspace, |text| text.parse().ok();
    SessionId => Session, |text| text.parse().ok();
    TokenId => Token, |text| text.parse().ok();
    InviteId => Invite, |text| text.parse().ok();
    IdentityId => Identity, |text| text.parse().ok();
    LogId => Log, |text| text.parse().ok();
    BlobHash => Blob, |text| text.to_owned().try_into().ok();
    SecretName => SecretName, |text| text.to_owned().try_into().ok();
    ProviderName => LoginProvider, |text| text.to_owned().try_into().ok();
    AccountName => AccountName, |text| text.to_owned().try_into().ok();
    ModelName => ModelName, |text| text.to_owned().try_into().ok();
    ModelProviderId => ModelProvider, |text| text.parse().ok();
    ProviderLoginId => ProviderLogin, |text| text.parse().ok();
    RuleId => Rule, |text| text.parse().ok();
    BudgetId => Budget, |text| text.parse().ok();
}

/// One parameter of the path.
pub(crate) struct Path<T>(pub(crate) T);
/// Two parameters of the path.
pub(crate) struct Path2<A, B>(pub(crate) A, pub(crate) B);
/// The query.
pub(crate) struct Query<T>(pub(crate) T);
/// What a browser says when it comes back to a stream of events: the last event it had.
pub(crate) struct LastEvent(pub(crate) Option<(LogId, Seq)>);
/// The wish to speak WebSocket from here on.
pub(crate) struct WebSocket(WebSocketUpgrade, Option<Place>);
/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);
/// A body in a foreign format, which may be large. `T` is what the document says of it.
pub(crate) struct Large<T> {
    body: Body,
    most: usize,
    headers: HeaderMap,
    of: PhantomData<fn() -> T>,
}
/// The headers.
pub(crate) struct Headers(pub(crate) HeaderMap);
/// A body of plain bytes, which the route's function reads when it has checked that it may.
pub(crate) struct Upload(Body, usize);

impl<T> Large<T> {
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// How large it says that it is.
    pub(crate) fn size(&self) -> Option<usize> {
        self.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// How large it may be.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    pub(crate) async fn read(self, cx: &mut Cx) -> Result<Bytes, Refusal> {
        self.body.read(cx, self.most).await
    }
}

impl Upload {
    pub(crate) async fn read(self, cx: &mut Cx) -> Result<Bytes, Refusal> {
        self.0.read(cx, self.1).await
    }
}

async fn path_params(parts: &mut Parts) -> Result<Vec<String>, Refusal> {
    let params =
        RawPathParams::from_request_parts(parts, &()).await.map_err(|_| Error::NotFound)?;
    Ok(params.iter().map(|(_, value)| value.to_owned()).collect())
}

fn param<T: Param>(values: &[String], n: usize) -> Result<T, Refusal> {
    Ok(values.get(n).and_then(|text| T::parse(text)).ok_or(Error::NotFound)?)
}

impl<T: Param> FromHead for Path<T> {
    fn describe(row: &mut Row) {
        row.params = vec![T::KIND];
    }

    async fn read(parts: &mut Parts) -> Result<Self, Refusal> {
        Ok(Path(param(&path_params(parts).await?, 0)?))
    }
}

impl<A: Param, B: Param> FromHead for Path2<A, B> {
    fn describe(row: &mut Row) {
        row.params = vec![A::KIND, B::KIND];
    }

    async fn read(parts: &mut Parts) -> Result<Self, Refusal> {
        let values = path_params(parts).await?;
        Ok(Path2(param(&values, 0)?, param(&values, 1)?))
    }
}

impl<T: DeserializeOwned + JsonSchema + Send> FromHead for Query<T> {
    fn describe(row: &mut Row) {
        row.query = Some(|generator| T::json_schema(generator));
    }

    async fn read(parts: &mut Parts) -> Result<Self, Refusal> {
        if !is_text(parts.uri.query().unwrap_or_default()) {
            return Err(Error::Invalid("the query is not UTF-8".into()).into());
        }
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        let query = query.map_err(|error| {
            Error::Invalid(format!("the query is not understood: {}", error.body_text()))
        })?;
        Ok(Query(query.0))
    }
}

impl FromHead for Headers {
    fn describe(_: &mut Row) {}

    async fn read(parts: &mut Parts) -> Result<Self, Refusal> {
        Ok(Headers(parts.headers.clone()))
    }
}

impl FromHead for LastEvent {
    fn describe(_: &mut Row) {}

    async fn read(parts: &mut Parts) -> Result<Self, Refusal> {
        let Some(value) = parts.headers.get("last-event-id") else { return Ok(LastEvent(None)) };
        let place = value.to_str().ok().and_then(|text| text.split_once(':'));
        let place = place.and_then(|(log, seq)| Some((log.parse().ok()?, Seq(seq.parse().ok()?))));
        match place {
            Some(place) => Ok(LastEvent(Some(place))),
            None => Err(Error::Invalid("`Last-Event-ID` is not the id of an event".into()).into()),
        }
    }
}

impl FromHead for WebSocket {
    fn describe(_: &mut Row) {}

    async fn read(parts: &mut Parts) -> Result<Self, Refusal> {
        let place = parts.extensions.get::<Place>().cloned();
        let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).await.map_err(|_| {
            Error::Invalid("this address speaks WebSocket: ask for an upgrade to it".into())
        })?;
        Ok(WebSocket(upgrade, place))
    }
}

impl WebSocket {
    pub(crate) fn accept<F, Fut>(self, serve: F) -> Response
    where
        F: FnOnce(axum::extract::ws::WebSocket) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let WebSocket(upgrade, place) = self;
        upgrade
            .max_message_size(socket::FRAME_BYTES)
            .max_frame_size(socket::FRAME_BYTES)
            // Small buffers: with the usual ones, many idle sockets cost more than all else.
            .read_buffer_size(4096)
            .write_buffer_size(4096)
            .max_write_buffer_size(socket::QUEUE_BYTES + socket::ENTRY_BYTES)
            .on_upgrade(async move |socket| {
                serve(socket).await;
                drop(place);
            })
    }
}

/// Whether a query stands for text. The parser would quietly put something else in place of what does not.
fn is_text(query: &str) -> bool {
    let mut bytes = Vec::with_capacity(query.len());
    let mut rest = query.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = after.get(..2).filter(|_| *first == b'%');
        let escaped = escaped.and_then(|hex| std::str::from_utf8(hex).ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    std::str::from_utf8(&bytes).is_ok()
}

impl<A: FromHead, B: FromHead> FromHead for (A, B) {
    fn describe(row: &mut Row) {
        A::describe(row);
        B::describe(row);
    }

    async fn read(parts: &mut Parts) -> Result<Self, Refusal> {
        Ok((A::read(parts).await?, B::read(parts).await?))
    }
}

/// Nothing.
impl Input for () {
    fn describe(_: &mut Row) {}

    async fn read(_: &mut Cx, _: Parts, _: Body) -> Result<Self, Refusal> {
        Ok(())
    }
}

/// Only what is in the head.
impl<H: FromHead> Input for (H,) {
    fn describe(row: &mut Row) {
        H::describe(row);
    }

    async fn read(_: &mut Cx, mut parts: Parts, _: Body) -> Result<Self, Refusal> {
        Ok((H::read(&mut parts).await?,))
    }
}

impl<T: DeserializeOwned + JsonSchema + Send> Input for Json<T> {
    fn describe(row: &mut Row) {
        row.body = Some(Some(|generator| generator.subschema_for::<T>()));
    }

    async fn read(cx: &mut Cx, parts: Parts, body: Body) -> Result<Self, Refusal> {
        check_json(&parts)?;
        let limit = cx.state.settings.body_bytes;
        let bytes = body.read(cx, limit).await?;
        // The parser would also take a list of the fields' values, which no document promises.
        if !bytes.is_empty() && bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(Error::Invalid("the body must be a JSON object".into()).into());
        }
        Ok(Json(parse(&bytes).map_err(Error::Invalid)?))
    }
}

/// JSON, as it was written.
fn check_json(parts: &Parts) -> Result<(), Refusal> {
    let media = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::unsupported_type());
    }
    match is_plain(parts) {
        true => Ok(()),
        false => Err(Refusal::unsupported_coding()),
    }
}

impl<T: JsonSchema + Send + 'static> Input for Large<T> {
    fn describe(row: &mut Row) {
        row.body = Some(Some(|generator| generator.subschema_for::<T>()));
    }

    async fn read(cx: &mut Cx, parts: Parts, body: Body) -> Result<Self, Refusal> {
        check_json(&parts)?;
        let most = BODY_BYTES.max(cx.state.settings.body_bytes);
        Ok(Large { body, most, headers: parts.headers, of: PhantomData })
    }
}

/// Reads JSON. What is wrong with a value is said with the value's name; a place in the text helps only where the text
/// is no JSON.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        let (said, is_data) = (error.inner().to_string(), error.inner().is_data());
        let said = match said.rsplit_once(" at line ") {
            Some((said, _)) if is_data => said,
            _ => &said,
        };
        let names_field = field == "." || said.contains(&format!("`{field}`"));
        if is_data && !names_field {
            format!("`{field}`: {said}")
        } else {
            format!("the body is not understood: {said}")
        }
    })?;
    json.end().map_err(|error| format!("the body is not understood: {error}"))?;
    Ok(value)
}

/// Whether the body is as it was written, not compressed.
fn is_plain(parts: &Parts) -> bool {
    let mut codings = parts.headers.get_all(header::CONTENT_ENCODING).iter();
    codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

impl<H: FromHead, T: DeserializeOwned + JsonSchema + Send> Input for (H, Json<T>) {
    fn describe(row: &mut Row) {
        H::describe(row);
        Json::<T>::describe(row);
    }

    async fn read(cx: &mut Cx, mut parts: Parts, body: Body) -> Result<Self, Refusal> {
        let head = H::read(&mut parts).await?;
        Ok((head, Json::read(cx, parts, body).await?))
    }
}

impl<H: FromHead> Input for (H, Upload) {
    fn describe(row: &mut Row) {
        H::describe(row);
        row.body = Some(None);
    }

    async fn read(cx: &mut Cx, mut parts: Parts, body: Body) -> Result<Self, Refusal> {
        Ok((H::read(&mut parts).await?, Upload(body, cx.state.settings.blob_bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use mosaic_protocol::{invite::AcceptInviteRequest, token::CreateTokenRequest};

    #[test]
    fn what_is_wrong_with_a_body_is_said_with_the_name_of_the_field() {
        let accept = |text: &str| parse::<AcceptInviteRequest>(text.as_bytes()).unwrap_err();
        let token = |text: &str| parse::<CreateTokenRequest>(text.as_bytes()).unwrap_err();
        let said = [
            accept(r#"{"code":"c","name":"ada","password":"short"}"#),
            accept(r#"{"code":"","name":"ada","password":"long enough"}"#),
            accept(r#"{"code":"c","name":7,"password":"long enough"}"#),
            accept(r#"{"code":"c","name":"ada"}"#),
            accept(r#"{"code":"c","name":"ada","pass":"long enough"}"#),
            accept(r#"{"code":"c","name":"ada","#),
            accept(r#"{"code":"c","name":"ada","password":"long enough"} x"#),
            token(r#"{"name":"ci","scopes":["read","fly"]}"#),
        ];
        expect![[r#"
            `password`: a password has 10 to 256 characters
            `code`: this must not be empty
            `name`: invalid type: integer `7`, expected a string
            the body is not understood: missing field `password`
            the body is not understood: unknown field `pass`, expected one of `code`, `name`, `password`
            the body is not understood: EOF while parsing a value at line 1 column 25
            the body is not understood: trailing characters at line 1 column 52
            `scopes[1]`: unknown variant `fly`, expected one of `read`, `write`, `admin`, `metrics`, `models`"#]].assert_eq(&said.join("\n"));
    }
}
