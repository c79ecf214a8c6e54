//! The small models of our own process, as providers are asked. They are honest about what they are: no tools, no pictures,
//! two thousand tokens.

use crate::{config::Settings, setting};
use mosaic_gateway::InProcess;
use mosaic_local::{Input, Local, Piece, Role, folders};
use mosaic_models::{Error, Event, Listed, Output, Part, Reported, Request, Result, Vectors, Why};
use mosaic_protocol::{provider::FailureClass, usage::Usage};
use std::{
    ffi::OsStr,
    ops::Not,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};
use tokio::sync::mpsc;

/// What the chat model is called.
const CHAT: &str = "smollm2-135m-instruct";

/// What the embedding model is called.
pub(crate) const EMBEDDING: &str = "multilingual-e5-small";

/// How many tokens of a text an embedding looks at.
const EMBEDDED_TOKENS: usize = 512;

/// What it is told where nobody tells it anything.
const SYSTEM: &str = "You are a helpful assistant. Answer briefly.";

/// How many of a message, for classifying it in time.
const READ_TOKENS: usize = 48;

/// How much is written where nobody says how much.
const USUAL_OUTPUT: usize = 512;

/// How many events wait for a slow reader.
const WAITING: usize = 64;

struct Small(Local);

/// The local models of this installation, if any is there.
pub(crate) fn local(settings: &Settings) -> Option<Arc<dyn InProcess>> {
    let named = settings.models.as_deref().map(Path::as_os_str);
    let small = Small(found(named, Some(&settings.data)));
    (small.0.has_chat() || small.0.has_embeddings()).then(|| Arc::new(small) as Arc<dyn InProcess>)
}

/// The same where no configuration was read.
pub(crate) fn installed(data: Option<&Path>) -> Local {
    let named = std::env::var_os("MOSAIC_MODELS");
    let usual = std::env::var_os("MOSAIC_DATA")
        .map_or_else(|| setting::default_data().into(), PathBuf::from);
    found(named.as_deref(), data.or(Some(&usual)))
}

/// Where they are looked for: where somebody said, else in the data directory, then in the checkout that one is in or that
/// the program was built in.
fn found(named: Option<&OsStr>, data: Option<&Path>) -> Local {
    let here = std::env::current_dir().ok();
    let mut all = folders(named, data, here.as_deref());
    if named.is_none_or(OsStr::is_empty) {
        // target/release/mosaic
        let program = std::env::current_exe().ok();
        let built_in = program.as_deref().and_then(|it| it.parent()?.parent());
        all.extend(built_in.map(|target| target.join("models")));
    }
    Local::new(all)
}

/// What a message means, as the classifier wants it.
pub(crate) fn meaning(local: &Local, text: &str) -> Option<Vec<f32>> {
    let texts = vec![mosaic_routing::classify::to_embed(text)];
    let vectors = local.embed_blocking(Input::Query, texts, READ_TOKENS).ok()?;
    vectors.into_iter().next()
}

impl InProcess for Small {
    fn chat(&self, request: Request) -> mpsc::Receiver<Result<Event>> {
        let (events, answer) = mpsc::channel(WAITING);
        let asked = messages(&request).and_then(|messages| {
            self.0.chat(messages, how(&request)).map_err(|error| failed(&error))
        });
        tokio::spawn(async move {
            match asked {
                Err(error) => {
                    let _ = events.send(Err(error)).await;
                }
                Ok(pieces) => pass_on(pieces, events).await,
            }
        });
        answer
    }

    fn embed(
        &self,
        model: &str,
        texts: Vec<String>,
    ) -> Pin<Box<dyn Future<Output = Result<Vectors>> + Send + '_>> {
        if model != EMBEDDING {
            let said = format!("the local embedding model is called {EMBEDDING}");
            return Box::pin(async move { Err(Error::new(FailureClass::NoSuchModel, said)) });
        }
        let tokens = texts.iter().map(|text| mosaic_models::estimate_tokens(text)).sum();
        let asked = self.0.embed(Input::Query, texts, EMBEDDED_TOKENS);
        Box::pin(async move {
            let vectors = asked.await.map_err(|error| failed(&error))?;
            Ok(Vectors { vectors, tokens: Some(tokens) })
        })
    }

    fn list(&self) -> Vec<Listed> {
        let mut listed = vec![];
        if self.0.has_chat() {
            listed.push(Listed { id: CHAT.to_owned(), ..Listed::default() });
        }
        if self.0.has_embeddings() {
            let embedding = Some(true);
            listed.push(Listed { id: EMBEDDING.to_owned(), embedding, ..Listed::default() });
        }
        listed
    }
}

async fn pass_on(mut pieces: mpsc::Receiver<Piece>, events: mpsc::Sender<Result<Event>>) {
    let began = Event::Began { id: None, model: Some(CHAT.to_owned()) };
    let mut next = vec![Ok(began)];
    loop {
        for event in next.drain(..) {
            let is_end = matches!(event, Err(_) | Ok(Event::Ended(_)));
            // Nobody listens any more: dropping the pieces stops the model.
            if events.send(event).await.is_err() || is_end {
                return;
            }
        }
        match pieces.recv().await {
            Some(Piece::Text(text)) => next.push(Ok(Event::Text(text))),
            Some(Piece::Failed(error)) => next.push(Err(failed(&error))),
            Some(Piece::Finished(finished)) => {
                let usage = Usage {
                    input: finished.prompt_tokens as u64,
                    output: finished.output_tokens as u64,
                    ..Usage::default()
                };
                next.push(Ok(Event::Usage(Reported { usage, cost_micros: None })));
                next.push(match finished.why {
                    mosaic_local::Why::End => Ok(Event::Ended(Why::Done)),
                    mosaic_local::Why::MaxTokens => Ok(Event::Ended(Why::MaxOutput)),
                    mosaic_local::Why::Stop => Ok(Event::Ended(Why::Stop(None))),
                    mosaic_local::Why::Cut => {
                        Err(Error::new(FailureClass::Incomplete, "the local model was stopped"))
                    }
                });
            }
            None => return,
        }
    }
}

fn messages(request: &Request) -> Result<Vec<(Role, String)>> {
    let cannot = |what: &str| {
        let said =
            format!("the local model {what}; add a provider that can: `mosaic provider add`");
        Error::new(FailureClass::BadRequest, said)
    };
    if !request.tools.is_empty() {
        return Err(cannot("cannot call tools"));
    }
    if matches!(request.output, Output::Text).not() {
        return Err(cannot("cannot answer in a given form"));
    }
    let mut messages = vec![];
    let system: Vec<&str> = request.system.iter().map(|system| system.text.as_str()).collect();
    // With nobody's words before the question so small a model answers much worse.
    let system = if system.is_empty() { SYSTEM.to_owned() } else { system.join("\n\n") };
    messages.push((Role::System, system));
    for message in &request.messages {
        let mut text = String::new();
        for part in &message.parts {
            match part {
                Part::Text { text: more, .. } => text.push_str(more),
                // What another model thought before is not said again.
                Part::Thinking { .. } => {}
                Part::Image(_) => return Err(cannot("cannot see")),
                Part::ToolCall { .. } | Part::ToolResult { .. } => {
                    return Err(cannot("cannot call tools"));
                }
            }
        }
        let role = match message.role {
            mosaic_models::Role::User => Role::User,
            mosaic_models::Role::Assistant => Role::Assistant,
        };
        messages.push((role, text));
    }
    Ok(messages)
}

#[expect(clippy::cast_possible_truncation, reason = "a temperature loses nothing that counts")]
fn how(request: &Request) -> mosaic_local::Settings {
    let usual = mosaic_local::Settings::default();
    mosaic_local::Settings {
        max_tokens: request.max_output.map_or(USUAL_OUTPUT, |most| most as usize),
        temperature: request.temperature.map_or(usual.temperature, |t| t as f32),
        top_p: request.top_p.map_or(usual.top_p, |p| p as f32),
        stop: request.stop.clone(),
        seed: request.seed.map_or(usual.seed, i64::unsigned_abs),
    }
}

fn failed(error: &mosaic_local::Error) -> Error {
    use mosaic_local::Error as Local;
    let class = match error {
        Local::Missing { .. } => FailureClass::NoSuchModel,
        Local::TooLong { .. } => FailureClass::ContextTooLong,
        Local::Busy { .. } => FailureClass::Overload,
        _ => FailureClass::Transport,
    };
    Error::new(class, error.to_string())
}
