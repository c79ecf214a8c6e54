//! Plays a script.

use crate::{Event, Listed, Request, Result};
use tokio::sync::mpsc;

pub(crate) fn play(_: &Request) -> Result<mpsc::Receiver<Result<Event>>> {
    todo!()
}

pub(crate) fn list() -> Vec<Listed> {
    todo!()
}
