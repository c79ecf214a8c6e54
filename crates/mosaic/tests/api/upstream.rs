//! A provider of models on this machine, which knows one key and lists two models. It says the wrong key back, as some do.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    routing::get,
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The key that it takes. It looks like nothing else, so that it can be searched for.
pub(crate) const KEY: &str = "sk-right-0123456789-abcdefghij-WXYZ";

/// A key of somebody else's.
pub(crate) const WRONG_KEY: &str = "sk-wrong-9876543210-jihgfedcba-ZYXW";

/// A provider of models.
pub(crate) struct Upstream {
    /// `127.0.0.1:port`.
    pub(crate) host: String,
    asked: Arc<AtomicUsize>,
}

impl Upstream {
    pub(crate) async fn start() -> Upstream {
        let asked = Arc::new(AtomicUsize::new(0));
        let router = Router::new().route("/v1/models", get(models)).with_state(asked.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Upstream { host, asked }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.host)
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn models(State(asked): State<Arc<AtomicUsize>>, headers: HeaderMap) -> (StatusCode, String) {
    asked.fetch_add(1, Ordering::SeqCst);
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if sent == format!("Bearer {KEY}") {
        let models = r#"{"object":"list","data":[{"id":"tiny-1","object":"model"},{"id":"tiny-2","object":"model"}]}"#;
        return (StatusCode::OK, models.to_owned());
    }
    let said = format!(
        r#"{{"error":{{"message":"Incorrect API key provided: {sent}","code":"invalid_api_key"}}}}"#
    );
    (StatusCode::UNAUTHORIZED, said)
}
