//! The floor of a call: a proxy that passes every request on as it is, over connections that it keeps, and every answer
//! back. It knows nobody, reads nothing and counts nothing.

use anyhow::Context;
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::net::TcpListener;

pub(crate) async fn serve(upstream: Uri) -> anyhow::Result<()> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build(connector);
    let pass = move |request: Request| pass(client.clone(), upstream.clone(), request);
    let router = Router::new().route("/healthz", get(|| async { "ok\n" })).fallback(pass);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    crate::out::say(&format!("The floor is running at http://{}", listener.local_addr()?));
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router).await.context("serving")
}

async fn pass(
    client: Client<HttpConnector, Body>,
    upstream: Uri,
    mut request: Request,
) -> Response {
    let mut parts = upstream.into_parts();
    parts.path_and_query = request.uri().path_and_query().cloned();
    let Ok(to) = Uri::from_parts(parts) else { return StatusCode::BAD_REQUEST.into_response() };
    *request.uri_mut() = to;
    request.headers_mut().remove(header::HOST);
    match client.request(request).await {
        Ok(answer) => answer.map(Body::new),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}
