//! A provider that is made up: OpenAI's chat completions with an answer that is always the same.
//!
//! The model's name says how it is given: `small` at once; `chunks-64-5` as 64 chunks, 5 ms between two of them (whole,
//! where no stream is asked for). A program of its own, so that its time is not taken for anybody else's. It checks what
//! it must know to answer, and no key.

use anyhow::Context;
use axum::{
    Json, Router,
    body::{Body, Bytes},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{convert::Infallible, time::Duration};
use tokio::{net::TcpListener, time::MissedTickBehavior};

/// How an answer is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    pub(crate) chunks: u32,
    pub(crate) gap_ms: u64,
}

/// What is sent for `small`.
const SMALL: Pace = Pace { chunks: 16, gap_ms: 0 };
/// No name may ask for more chunks.
const MOST_CHUNKS: u32 = 1_000_000;

impl Pace {
    fn of(model: &str) -> Option<Pace> {
        if model == "small" {
            return Some(SMALL);
        }
        let (chunks, gap) = model.strip_prefix("chunks-")?.split_once('-')?;
        let pace = Pace { chunks: chunks.parse().ok()?, gap_ms: gap.parse().ok()? };
        (pace.chunks <= MOST_CHUNKS).then_some(pace)
    }

    /// The model that answers so.
    pub(crate) fn model(self) -> String {
        format!("chunks-{}-{}", self.chunks, self.gap_ms)
    }

    /// All that is said in the end.
    pub(crate) fn text(self) -> String {
        (0..self.chunks).map(piece).collect()
    }
}

fn piece(n: u32) -> String {
    format!("word{n} ")
}

#[derive(Deserialize)]
struct Asked {
    model: String,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    stream_options: Options,
}

#[derive(Default, Deserialize)]
struct Options {
    #[serde(default)]
    include_usage: bool,
}

pub(crate) async fn serve() -> anyhow::Result<()> {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/v1/models", get(models))
        .route("/v1/chat/completions", post(answer));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    crate::out::say(&format!("The upstream is running at http://{}", listener.local_addr()?));
    // Without this, small pieces wait for each other's acknowledgement.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router).await.context("serving")
}

async fn models() -> Json<Value> {
    let names = ["small", "chunks-40-5", "chunks-200-0", "chunks-20-1000"];
    let list = names.map(|id| json!({ "id": id, "object": "model", "owned_by": "bench" }));
    Json(json!({ "object": "list", "data": list }))
}

async fn answer(body: Bytes) -> Response {
    let asked: Asked = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(error) => return refused(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let Some(pace) = Pace::of(&asked.model) else {
        return refused(StatusCode::NOT_FOUND, "there is no such model");
    };
    if asked.stream { streamed(asked, pace) } else { whole(&asked, pace) }
}

fn refused(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": { "message": message, "type": "bench" } }))).into_response()
}

fn usage(pace: Pace) -> Value {
    json!({ "prompt_tokens": 20, "completion_tokens": pace.chunks, "total_tokens": 20 + pace.chunks })
}

fn whole(asked: &Asked, pace: Pace) -> Response {
    let message = json!({ "role": "assistant", "content": pace.text() });
    Json(json!({
        "id": "chatcmpl-bench", "object": "chat.completion", "created": 1_700_000_000, "model": asked.model,
        "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
        "usage": usage(pace),
    }))
    .into_response()
}

fn streamed(asked: Asked, pace: Pace) -> Response {
    let event = move |choices: Value, usage: Value| {
        let mut chunk = json!({
            "id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1_700_000_000,
            "model": asked.model, "choices": choices,
        });
        if !usage.is_null() {
            chunk["usage"] = usage;
        }
        Ok::<_, Infallible>(Bytes::from(format!("data: {chunk}\n\n")))
    };
    let choice =
        |delta: Value, why: Value| json!([{ "index": 0, "delta": delta, "finish_reason": why }]);
    let events = async_stream::stream! {
        yield event(choice(json!({ "role": "assistant", "content": "" }), Value::Null), Value::Null);
        let gap = Duration::from_millis(pace.gap_ms.max(1));
        let mut ticks = tokio::time::interval(gap);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for n in 0..pace.chunks {
            // The first tick is at once.
            if pace.gap_ms > 0 {
                ticks.tick().await;
            }
            yield event(choice(json!({ "content": piece(n) }), Value::Null), Value::Null);
        }
        yield event(choice(json!({}), json!("stop")), Value::Null);
        if asked.stream_options.include_usage {
            yield event(json!([]), usage(pace));
        }
        yield Ok(Bytes::from_static(b"data: [DONE]\n\n"));
    };
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_after_its_pace() {
        let pace = Pace { chunks: 3, gap_ms: 5 };
        assert_eq!(Pace::of(&pace.model()), Some(pace));
        assert_eq!(pace.text(), "word0 word1 word2 ");
        assert_eq!(Pace::of("small"), Some(SMALL));
        for unknown in ["", "large", "chunks-3", "chunks-x-1", "chunks-1000001-0"] {
            assert_eq!(Pace::of(unknown), None, "{unknown}");
        }
    }
}
