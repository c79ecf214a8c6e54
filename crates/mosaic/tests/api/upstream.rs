//! A provider of models on this machine, which knows one key and lists its models. It says a wrong key back, as some do.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::get,
};
use serde_json::json;
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
    served: Arc<Served>,
}

struct Served {
    asked: AtomicUsize,
    models: Vec<String>,
}

impl Upstream {
    pub(crate) async fn start() -> Upstream {
        Upstream::with(&["tiny-1", "tiny-2"]).await
    }

    /// One that lists these models.
    pub(crate) async fn with(models: &[&str]) -> Upstream {
        let models = models.iter().map(|id| (*id).to_owned()).collect();
        let served = Arc::new(Served { asked: AtomicUsize::new(0), models });
        let router = Router::new().route("/v1/models", get(list)).with_state(served.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Upstream { host, served }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.host)
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.served.asked.load(Ordering::SeqCst)
    }
}

async fn list(State(served): State<Arc<Served>>, headers: HeaderMap) -> (StatusCode, String) {
    served.asked.fetch_add(1, Ordering::SeqCst);
    let header = |name: &str| headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let bearer = header("authorization").strip_prefix("Bearer ").unwrap_or_default();
    let sent = if bearer.is_empty() { header("x-api-key") } else { bearer };
    if sent != KEY {
        let said = format!("Incorrect API key provided: {sent}");
        let error =
            json!({ "message": said, "type": "authentication_error", "code": "invalid_api_key" });
        return (StatusCode::UNAUTHORIZED, json!({ "error": error }).to_string());
    }
    let model = |id: &String| json!({ "id": id, "object": "model", "type": "model" });
    let models: Vec<_> = served.models.iter().map(model).collect();
    (StatusCode::OK, json!({ "object": "list", "data": models, "has_more": false }).to_string())
}
