//! A stream of server-sent events, read one by one.

use super::PATIENCE;
use http::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use std::time::Duration;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: Value,
}

/// A stream of events.
pub(crate) struct Events {
    pub(crate) status: u16,
    body: Incoming,
    text: String,
}

impl Events {
    pub(crate) fn new(response: Response<Incoming>) -> Events {
        Events {
            status: response.status().as_u16(),
            body: response.into_body(),
            text: String::new(),
        }
    }

    /// The next event, or None when the stream ends.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        self.next_within(PATIENCE).await
    }

    /// Panics when neither an event nor the end comes in time.
    pub(crate) async fn next_within(&mut self, within: Duration) -> Option<Event> {
        tokio::time::timeout(within, self.read())
            .await
            .unwrap_or_else(|_| panic!("no event and no end within {within:?}"))
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let event = parse(block);
                self.text = rest.to_owned();
                if event.is_some() {
                    return event;
                }
            }
            // A connection that breaks ends the stream as well.
            let frame = self.body.frame().await?.ok()?;
            let Ok(data) = frame.into_data() else { continue };
            self.text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
    let name = field("event: ")?.to_owned();
    let data = serde_json::from_str(field("data: ")?).unwrap();
    Some(Event { name, data })
}
