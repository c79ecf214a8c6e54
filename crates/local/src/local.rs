//! Both models, each in a thread of its own that is started when it is first asked, so that nobody's async thread waits
//! for arithmetic. Queues are bounded; whoever stops listening stops the work. After ten idle minutes a model's memory
//! is given back.

use crate::chat::{CHAT_FILE, Chat, Finished, MAX_CONTEXT, Role, Settings};
use crate::embedder::{E5_FILE, Embedder, Input};
use crate::error::Error;
use crate::place;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait for one model.
const MAX_WAITING: usize = 64;
/// After so long without a request the model is dropped; opening it again takes less than a second.
const IDLE: Duration = Duration::from_secs(600);

/// The local models. Cheap to make: nothing is opened before it is used.
pub struct Local {
    folders: Vec<PathBuf>,
    embedding: Worker<Embedding>,
    chatting: Worker<Chatting>,
}

/// A part of an answer.
#[derive(Debug)]
pub enum Piece {
    /// Some more text.
    Text(String),
    /// The end, and how it went.
    Finished(Finished),
    /// There is no answer, or no more of it.
    Failed(Error),
}

/// A vector for each text.
type Vectors = Result<Vec<Vec<f32>>, Error>;

struct Embedding {
    input: Input,
    texts: Vec<String>,
    max_tokens: usize,
    answer: oneshot::Sender<Vectors>,
}

struct Chatting {
    messages: Vec<(Role, String)>,
    settings: Settings,
    pieces: mpsc::Sender<Piece>,
}

impl Local {
    /// `folders` are looked into in their order; `place::folders` says which.
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders, embedding: Worker::default(), chatting: Worker::default() }
    }

    /// Whether the file for embeddings is there.
    pub fn has_embeddings(&self) -> bool {
        place::find(&self.folders, E5_FILE).is_ok()
    }

    /// Whether the file for chatting is there.
    pub fn has_chat(&self) -> bool {
        place::find(&self.folders, CHAT_FILE).is_ok()
    }

    /// The vectors of some texts, looking at no more than `max_tokens` of each. Dropping the future ends the work after
    /// the text that is being looked at.
    pub async fn embed(
        &self,
        input: Input,
        texts: Vec<String>,
        max_tokens: usize,
    ) -> Result<Vec<Vec<f32>>, Error> {
        self.ask_embedding(input, texts, max_tokens)?.await.unwrap_or(Err(Error::Stopped))
    }

    /// The same for a thread that may wait.
    pub fn embed_blocking(
        &self,
        input: Input,
        texts: Vec<String>,
        max_tokens: usize,
    ) -> Result<Vec<Vec<f32>>, Error> {
        self.ask_embedding(input, texts, max_tokens)?.blocking_recv().unwrap_or(Err(Error::Stopped))
    }

    fn ask_embedding(
        &self,
        input: Input,
        texts: Vec<String>,
        max_tokens: usize,
    ) -> Result<oneshot::Receiver<Vectors>, Error> {
        let folders = self.folders.clone();
        place::find(&folders, E5_FILE)?;
        let (answer, answered) = oneshot::channel();
        self.embedding.ask(
            Embedding { input, texts, max_tokens, answer },
            "local-embeddings",
            move |asked| {
                let open = || Embedder::open(&place::find(&folders, E5_FILE)?);
                work(asked, open, |embedder: Result<&mut Embedder, Error>, asked: Embedding| {
                    asked.answer(embedder);
                });
            },
        )?;
        Ok(answered)
    }

    /// An answer, piece by piece. Dropping the receiver stops it at the next token.
    pub fn chat(
        &self,
        messages: Vec<(Role, String)>,
        settings: Settings,
    ) -> Result<mpsc::Receiver<Piece>, Error> {
        let folders = self.folders.clone();
        place::find(&folders, CHAT_FILE)?;
        // Room for every token there can be: a reader who is slow then never holds up those who wait for the model.
        let (pieces, answer) = mpsc::channel(settings.max_tokens.min(MAX_CONTEXT) + 2);
        self.chatting.ask(Chatting { messages, settings, pieces }, "local-chat", move |asked| {
            let open = || Chat::open(&place::find(&folders, CHAT_FILE)?);
            work(asked, open, |chat: Result<&mut Chat, Error>, asked: Chatting| asked.answer(chat));
        })?;
        Ok(answer)
    }
}

impl Embedding {
    fn answer(self, embedder: Result<&mut Embedder, Error>) {
        let vectors = embedder.map(|embedder| {
            let wanted = self.texts.iter().take_while(|_| !self.answer.is_closed());
            wanted.map(|text| embedder.embed_within(self.input, text, self.max_tokens)).collect()
        });
        // Nobody waits any more: nothing is lost.
        let _ = self.answer.send(vectors);
    }
}

impl Chatting {
    fn answer(self, chat: Result<&mut Chat, Error>) {
        let Self { messages, settings, pieces } = self;
        if pieces.is_closed() {
            return;
        }
        let messages: Vec<_> = messages.iter().map(|(role, text)| (*role, text.as_str())).collect();
        let mut send = |text: &str| {
            let sent = text.is_empty() || pieces.try_send(Piece::Text(text.to_owned())).is_ok();
            if sent && !pieces.is_closed() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let end = match chat.and_then(|chat| chat.reply(&messages, &settings, &mut send)) {
            Ok(finished) => Piece::Finished(finished),
            Err(error) => Piece::Failed(error),
        };
        let _ = pieces.try_send(end);
    }
}

/// The queue of a thread, once there is one.
struct Worker<Ask> {
    queue: Mutex<Option<SyncSender<Ask>>>,
}

impl<Ask> Default for Worker<Ask> {
    fn default() -> Self {
        Self { queue: Mutex::new(None) }
    }
}

impl<Ask: Send + 'static> Worker<Ask> {
    /// Puts something into the queue. Starts the thread if there is none, or none any more.
    fn ask(
        &self,
        asked: Ask,
        name: &str,
        run: impl FnOnce(Receiver<Ask>) + Send + 'static,
    ) -> Result<(), Error> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = match queue.as_ref() {
            None => asked,
            Some(queue) => match queue.try_send(asked) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(_)) => return Err(Error::Busy { waiting: MAX_WAITING }),
                Err(TrySendError::Disconnected(asked)) => asked,
            },
        };
        let (sender, receiver) = sync_channel(MAX_WAITING);
        let thread = std::thread::Builder::new().name(name.to_owned());
        thread.spawn(move || run(receiver)).map_err(|_| Error::Stopped)?;
        sender.try_send(asked).map_err(|_| Error::Stopped)?;
        *queue = Some(sender);
        Ok(())
    }
}

/// What such a thread does until nobody can ask any more.
fn work<Model, Ask>(
    asked: Receiver<Ask>,
    open: impl Fn() -> Result<Model, Error>,
    answer: impl Fn(Result<&mut Model, Error>, Ask),
) {
    let mut model: Option<Model> = None;
    loop {
        let next = match asked.recv_timeout(IDLE) {
            Err(RecvTimeoutError::Timeout) => {
                model = None;
                asked.recv().ok()
            }
            other => other.ok(),
        };
        let Some(next) = next else { return };
        if model.is_none() {
            match open() {
                Ok(opened) => model = Some(opened),
                Err(error) => {
                    tracing::warn!(%error, "a local model cannot be used");
                    answer(Err(error), next);
                    continue;
                }
            }
        }
        if let Some(model) = &mut model {
            answer(Ok(model), next);
        }
    }
}
