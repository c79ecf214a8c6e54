//! The page, built into the binary from `web/dist`, and the answer to every path that is nothing.

use crate::{caller::Seen, error::refuse};
use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode, header};
use mosaic_gateway::Error;
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Page;

/// A file of the page, or 404.
pub(crate) async fn serve(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match Page::get(path).filter(|_| reads) {
        Some(file) => found(path, file),
        None if path == "index.html" && reads => not_built(),
        None => {
            let seen = request.extensions().get::<Seen>().cloned().unwrap_or_default();
            refuse(&Error::NotFound.into(), &seen)
        }
    }
}

fn found(path: &str, file: EmbeddedFile) -> Response {
    // Names under assets/ carry a hash of what is in them.
    let keep = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let media = file.metadata.mimetype().to_owned();
    let media = if media.starts_with("text/") { format!("{media}; charset=utf-8") } else { media };
    ([(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, keep.to_owned())], file.data)
        .into_response()
}

fn not_built() -> Response {
    let text = "Mosaic is running, but its page was not built into this binary. Run `make web` and build again, or use the API: /docs\n";
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text)
        .into_response()
}
