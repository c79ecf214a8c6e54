//! The door: what happens to every request before it reaches a route, and to every answer on its way out.

use crate::{
    caller::{self, Peer, Seen},
    compatible::Tongue,
    cookie,
    error::refuse,
    origin::origin_of,
    refusal::Refusal,
    state::State,
};
use axum::{
    extract::{MatchedPath, Request, State as AxumState},
    middleware::Next,
    response::Response,
};
use http::{HeaderValue, header, request::Parts};
use mosaic_gateway::network_of;
use mosaic_protocol::RequestId;
use std::{net::IpAddr, sync::Arc, time::Instant};
use tracing::Instrument;

/// Nothing from elsewhere, nothing inline.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                   font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

pub(crate) async fn pass(
    AxumState(state): AxumState<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let (mut parts, body) = request.into_parts();
    let seen = look(&state, &parts);
    let method = parts.method.clone();
    let origin = origin_of(&parts.headers).map(ToOwned::to_owned);
    let route = parts.extensions.get::<MatchedPath>().cloned();
    let route: Arc<str> = route.map_or_else(|| "-".into(), |path| path.as_str().into());
    let request_id = seen.request_id.clone();
    // For a collector of traces. Where there is none, the log's filter leaves this target out, and it costs nothing.
    let span = tracing::info_span!(
        target: "trace",
        "request",
        otel.name = %format_args!("{method} {route}"),
        %request_id,
        %method,
        route = &*route,
        status = tracing::field::Empty,
    );

    let checked = check(&state, &parts, &seen);
    let mut response = match checked {
        Err(refusal) => refuse(&refusal, &seen),
        Ok(Some(response)) => response,
        Ok(None) => {
            parts.extensions.insert(seen.clone());
            next.run(Request::from_parts(parts, body)).instrument(span.clone()).await
        }
    };
    state.origins.allow(origin.as_deref(), &mut response);
    protect(&mut response, &request_id, seen.secure);

    let (status, took) = (response.status(), started.elapsed());
    state.metrics.count(&method, &route, status, took);
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    span.record("status", status.as_u16());
    // Neither the path nor the query: they can hold ids and codes. The route tells enough.
    let status = status.as_u16();
    match status {
        500.. => tracing::error!(%request_id, %method, route = &*route, status, ms, "answered"),
        400..500 => tracing::info!(%request_id, %method, route = &*route, status, ms, "answered"),
        _ => tracing::debug!(%request_id, %method, route = &*route, status, ms, "answered"),
    }
    response
}

fn look(state: &State, parts: &Parts) -> Seen {
    let peer = parts
        .extensions
        .get::<Peer>()
        .copied()
        .unwrap_or(Peer::Address(IpAddr::from([0, 0, 0, 0])));
    let trusted = &state.settings.trusted_proxies;
    let (address, secure) = match peer {
        Peer::Operator => ("operator".to_owned(), false),
        Peer::Address(ip) => (
            caller::address(ip, &parts.headers, trusted).to_string(),
            caller::forwarded_tls(ip, &parts.headers, trusted)
                || state.origins.is_public_tls(parts),
        ),
    };
    let request_id = state.gateway.store().ambient().id(RequestId::new).to_string();
    let departure = cookie::departure(&parts.headers, secure);
    let tongue = Tongue::of(parts.uri.path(), &parts.headers);
    let agent = caller::agent(&parts.headers);
    Seen { peer, address, secure, agent, request_id, departure, tongue }
}

fn check(state: &State, parts: &Parts, seen: &Seen) -> Result<Option<Response>, Refusal> {
    if seen.peer == Peer::Operator {
        return Ok(None);
    }
    state.throttle.address(&network_of(&seen.address))?;
    state.origins.check(parts)?;
    Ok(state.origins.preflight(parts))
}

fn protect(response: &mut Response, request_id: &str, secure: bool) {
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", CSP),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if secure {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    // What one person was answered must not come out of a cache for another; assets say otherwise themselves.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", value);
    }
}
