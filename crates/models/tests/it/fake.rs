//! A provider on loopback: it records what it is asked, checks it as the provider would, and answers what a test says,
//! misbehaving on demand. It speaks just enough HTTP/1.1. What is particular to a provider is in that provider's file.

use mosaic_models::{Calling, Endpoint, Error, Event, Key, Models, Patiences};
use mosaic_outbound::{Outbound, Reach};
use mosaic_protocol::provider::{Api, ProviderKind};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
};

/// The key that every test uses.
pub(crate) const KEY: &str = "sk-fake-0123456789/abcdef";

/// How long a test waits for anything.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Null without one.
    pub(crate) body: Value,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// What is done for one request, in order.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Sends bytes.
    Send(Vec<u8>),
    /// Sends this, so many times, each as a chunk of its own.
    Many(&'static str, usize),
    /// Sends nothing more until the client goes away.
    Stall,
    /// Closes the connection without the end of the body.
    Cut,
}

/// What one request is answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    steps: Vec<Step>,
}

impl Answer {
    /// These steps with status 200.
    pub(crate) fn stream(steps: Vec<Step>) -> Self {
        Self { status: 200, headers: vec![], steps }
    }

    /// The whole of a recorded stream.
    pub(crate) fn recorded(text: &str) -> Self {
        Self::stream(vec![Step::Send(text.as_bytes().to_vec())])
    }

    /// JSON.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: vec![], steps: vec![Step::Send(body.to_string().into_bytes())] }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// What a provider would say to a request: nothing, or why it is wrong.
pub(crate) type Check = fn(&Asked) -> Result<(), String>;

/// A fake provider.
pub(crate) struct Fake {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    gone: mpsc::Receiver<Instant>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fake {
    /// Answers the requests, one answer each in this order. What `check` finds wrong is answered with 400, and so is a
    /// request after the last answer.
    pub(crate) async fn start(check: Check, answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(vec![]));
        let (tell, gone) = mpsc::channel(64);
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        let shared = asked.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (asked, answers, tell) = (shared.clone(), answers.clone(), tell.clone());
                tokio::spawn(async move { serve(stream, check, &asked, &answers, &tell).await });
            }
        });
        Self { port, asked, gone, task }
    }

    /// Where it is, for calls of this kind, with [`KEY`].
    pub(crate) fn endpoint(&self, kind: ProviderKind, path: &str) -> Endpoint {
        Endpoint {
            kind,
            api: Api::Chat,
            base_url: format!("http://127.0.0.1:{}{path}", self.port).parse().unwrap(),
            key: Some(Key::new(KEY.to_owned())),
            reach: Reach::Private,
        }
    }

    /// What it was asked up to now.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When the client closed the connection of an answer that was not over.
    pub(crate) async fn gone(&mut self) -> Instant {
        tokio::time::timeout(DEADLINE, self.gone.recv()).await.unwrap().unwrap()
    }
}

/// Models over the real client.
pub(crate) fn models(patiences: Patiences) -> Models {
    // Every test tries; the first one does it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Models::new(Outbound::new(DEADLINE, 1024).unwrap(), patiences, None)
}

async fn serve(
    stream: TcpStream,
    check: Check,
    asked: &Mutex<Vec<Asked>>,
    answers: &Mutex<VecDeque<Answer>>,
    tell: &mpsc::Sender<Instant>,
) {
    let _ = stream.set_nodelay(true);
    let (mut read, mut write) = stream.into_split();
    let mut left = vec![];
    while let Some(request) = request(&mut read, &mut left).await {
        let wrong = check(&request).err();
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        let next = || answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let refused = |why: &str| {
            let error = json!({"type": "invalid_request_error", "message": why});
            Answer::json(400, &json!({"type": "error", "error": error}))
        };
        let answer = match wrong {
            Some(why) => refused(&format!("the fake does not accept this: {why}")),
            None => next().unwrap_or_else(|| refused("the fake has no more answers")),
        };
        let gone = tokio::select! {
            played = play(&mut write, &answer) => match played {
                Played::Over => continue,
                Played::Cut => return,
                Played::Gone => Instant::now(),
            },
            () = end(&mut read) => Instant::now(),
        };
        let _ = tell.send(gone).await;
        return;
    }
}

enum Played {
    Over,
    Cut,
    Gone,
}

/// Waits until the client closes its side.
async fn end(read: &mut OwnedReadHalf) {
    let mut nothing = [0; 64];
    while !matches!(read.read(&mut nothing).await, Ok(0) | Err(_)) {}
}

async fn play(write: &mut OwnedWriteHalf, answer: &Answer) -> Played {
    let mut head = format!("HTTP/1.1 {} X\r\ntransfer-encoding: chunked\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    if write.write_all(head.as_bytes()).await.is_err() {
        return Played::Gone;
    }
    for step in &answer.steps {
        let sent = match step {
            Step::Send(bytes) if bytes.is_empty() => Ok(()),
            Step::Send(bytes) => write.write_all(&chunk(bytes)).await,
            Step::Many(text, times) => many(write, &chunk(text.as_bytes()), *times).await,
            Step::Stall => std::future::pending().await,
            Step::Cut => return Played::Cut,
        };
        if sent.is_err() {
            return Played::Gone;
        }
    }
    if write.write_all(b"0\r\n\r\n").await.is_ok() { Played::Over } else { Played::Gone }
}

/// Many chunks in fewer writes: they are told apart by their framing all the same.
async fn many(write: &mut OwnedWriteHalf, chunk: &[u8], times: usize) -> std::io::Result<()> {
    const AT_ONCE: usize = 500;
    let block = chunk.repeat(AT_ONCE);
    for _ in 0..times / AT_ONCE {
        write.write_all(&block).await?;
    }
    write.write_all(&chunk.repeat(times % AT_ONCE)).await
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// The next request of a connection; `left`: what has been read of it already.
async fn request(read: &mut OwnedReadHalf, left: &mut Vec<u8>) -> Option<Asked> {
    let head_end = loop {
        if let Some(at) = left.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if read.read_buf(left).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(left[..head_end].to_vec()).ok()?;
    left.drain(..head_end + 4);
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut asked = Asked { method, path, headers, body: Value::Null };
    let length: usize = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    while left.len() < length {
        if read.read_buf(left).await.ok()? == 0 {
            return None;
        }
    }
    let body: Vec<u8> = left.drain(..length).collect();
    asked.body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Some(asked)
}

/// Patience for tests in which nothing comes.
pub(crate) fn quick() -> Patiences {
    Patiences { silence: Duration::from_millis(200), ..Patiences::default() }
}

/// All events of an answer, and what went wrong.
pub(crate) async fn drained(mut calling: Calling) -> (Vec<Event>, Option<Error>) {
    let mut events = vec![];
    loop {
        match tokio::time::timeout(DEADLINE, calling.next()).await.unwrap() {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, None),
            Err(error) => return (events, Some(error)),
        }
    }
}
