//! Renewals, one at a time for each login: a server that changes the refresh token with every use takes a second use
//! of the old one for theft, and ends the login.
//!
//! This holds within one process. Between processes, whoever stores the tokens sees to it.

use crate::{Error, Result, oauth::tokens::Tokens};
use mosaic_protocol::provider::FailureClass;
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// How many logins may be renewed, or have been renewed lately.
const MOST: usize = 1024;
/// How many earlier tokens of a login are recognised.
const EARLIER: usize = 8;
/// How long a renewal is remembered for whoever read the old tokens just before it, and comes late.
const REMEMBERED: Duration = Duration::from_secs(600);

type Outcome = watch::Receiver<Option<Result<Tokens>>>;
type Print = [u8; 32];

/// Sees to it that no refresh token is used by two at once.
#[derive(Default)]
pub struct Refresher {
    flights: Mutex<HashMap<String, Flight>>,
}

/// A renewal that runs or has run.
struct Flight {
    /// Of the tokens that it replaces, the newest last.
    replaces: VecDeque<Print>,
    outcome: Outcome,
    begun: Instant,
}

/// Where a call finds itself.
enum Place {
    /// It gets what comes out of this.
    Aboard(Outcome),
    /// It has other tokens, and its turn comes after this.
    After(Outcome),
}

impl Refresher {
    /// Without any.
    pub fn new() -> Self {
        Self::default()
    }

    /// Renews the tokens of a login, and gives everybody who asks meanwhile the same result. `held`: the tokens that
    /// the caller has; who comes with tokens that were replaced a while ago gets those that replaced them.
    ///
    /// `run` asks the server *and stores what it gives*; it runs to its end even if everybody who waits goes away,
    /// because the old refresh token may be void from the moment it is sent.
    pub async fn renew<R, F>(&self, id: &str, held: &Tokens, run: R) -> Result<Tokens>
    where
        R: FnOnce() -> F,
        F: Future<Output = Result<Tokens>> + Send + 'static,
    {
        let print = print(held);
        let mut run = Some(run);
        loop {
            match self.place(id, print, &mut run)? {
                Place::Aboard(outcome) => return settled(outcome).await,
                // How it ends is the business of who is aboard.
                Place::After(outcome) => drop(settled(outcome).await),
            }
        }
    }

    /// Forgets a login, because it is gone or has begun anew. A renewal that runs goes on for who waits for it.
    pub fn forget(&self, id: &str) {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn place<R, F>(&self, id: &str, print: Print, run: &mut Option<R>) -> Result<Place>
    where
        R: FnOnce() -> F,
        F: Future<Output = Result<Tokens>> + Send + 'static,
    {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, flight| flight.runs() || flight.begun.elapsed() < REMEMBERED);
        if let Some(flight) = flights.get(id) {
            let outcome = flight.outcome.clone();
            match (flight.replaces.contains(&print), flight.runs()) {
                (true, true) => return Ok(Place::Aboard(outcome)),
                (true, false) if flight.arrived() => return Ok(Place::Aboard(outcome)),
                (false, true) => return Ok(Place::After(outcome)),
                // It failed, or it is another's.
                (_, false) => {}
            }
        }
        let full = || Error::new(FailureClass::Overload, "too many logins are being renewed");
        if !flights.contains_key(id) && flights.len() >= MOST {
            let oldest = flights.iter().filter(|(_, flight)| !flight.runs());
            let oldest = oldest.min_by_key(|(_, flight)| flight.begun).map(|(id, _)| id.clone());
            flights.remove(&oldest.ok_or_else(full)?);
        }
        let Some(run) = run.take() else { return Err(stopped()) };
        let mut replaces = match flights.remove(id) {
            Some(flight) => flight.replaces,
            None => VecDeque::new(),
        };
        replaces.retain(|it| *it != print);
        replaces.push_back(print);
        if replaces.len() > EARLIER {
            replaces.pop_front();
        }
        let (tell, outcome) = watch::channel(None);
        let renewal = run();
        tokio::spawn(async move {
            let result = renewal.await;
            tell.send_replace(Some(result));
        });
        let flight = Flight { replaces, outcome: outcome.clone(), begun: Instant::now() };
        flights.insert(id.to_owned(), flight);
        Ok(Place::Aboard(outcome))
    }
}

impl Flight {
    /// Whether it is not over. One that broke off without a result is.
    fn runs(&self) -> bool {
        self.outcome.borrow().is_none() && self.outcome.has_changed().is_ok()
    }

    /// Whether it brought tokens.
    fn arrived(&self) -> bool {
        matches!(&*self.outcome.borrow(), Some(Ok(_)))
    }
}

async fn settled(mut outcome: Outcome) -> Result<Tokens> {
    match outcome.wait_for(Option::is_some).await {
        Ok(result) => result.clone().unwrap_or_else(|| Err(stopped())),
        Err(_) => Err(stopped()),
    }
}

fn stopped() -> Error {
    Error::new(FailureClass::Transport, "the renewal of the login broke off")
}

/// By what tokens are recognised. Not by the refresh token alone: a server may leave it as it is.
fn print(tokens: &Tokens) -> Print {
    Sha256::digest(tokens.to_json().as_bytes()).into()
}

#[cfg(test)]
mod tests;
