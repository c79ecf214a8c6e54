//! A model that plays a script: for tests, demonstrations, and for seeing how failures look. Its name says what it does;
//! docs/scripted-model.md lists the names and the format of scripts. The same request always gets the same answer: there
//! is no clock but tokio's sleep, and no randomness.

mod check;
mod example;
mod names;
mod script;
mod steps;

use crate::{Event, Listed, Request, Result};
use steps::{Step, Steps};
use tokio::sync::mpsc;

/// How many events wait for a slow reader.
const WAITING: usize = 16;

/// Starts an answer. What a provider would refuse with a status is an error at once. Dropping the receiver stops it.
pub(crate) fn play(request: &Request) -> Result<mpsc::Receiver<Result<Event>>> {
    check::check(request)?;
    let steps = steps::steps(&names::read(&request.model)?, request)?;
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(perform(steps, sender));
    Ok(receiver)
}

async fn perform(steps: Steps, to: mpsc::Sender<Result<Event>>) {
    for step in steps {
        match step {
            Step::Tell(event) => {
                if to.send(Ok(event)).await.is_err() {
                    return;
                }
            }
            Step::Fail(error) => {
                // Whether anybody still reads it or not, this is over.
                let _ = to.send(Err(error)).await;
                return;
            }
            Step::Wait(time) => tokio::select! {
                () = tokio::time::sleep(time) => {}
                () = to.closed() => return,
            },
            Step::Stall => return to.closed().await,
        }
    }
}

/// An example of every name.
pub(crate) fn list() -> Vec<Listed> {
    let listed = |(id, name): (&str, &str)| Listed {
        id: id.to_owned(),
        name: Some(name.to_owned()),
        context: Some(1_000_000),
        max_output: Some(100_000),
        tools: Some(true),
        vision: Some(true),
        thinking: Some(id == "thinks" || id == "script"),
        embedding: Some(false),
        price: None,
    };
    names::EXAMPLES.iter().copied().map(listed).collect()
}

#[cfg(test)]
mod tests;
