//! A client that stays: it submits commands and follows logs over one WebSocket, and comes back by itself after a cut.
//!
//! Whoever uses it sees every entry once and in order, and every command answered once, however often the connection
//! breaks between. Leaves out everything that is plain HTTP.

mod backoff;
mod connection;
mod follow;

pub use follow::{Follow, Told};
pub use mosaic_protocol::replay::{Gap, Replay};

use connection::Ask;
use mosaic_protocol::{
    CommandId, ErrorCode, LogId, Seq,
    command::{Command, Submission},
    frame::PresenceState,
    log::Accepted,
};
use tokio::sync::{mpsc, oneshot};

/// How many asks may wait while there is no connection.
const WAITING: usize = 256;

/// Where to connect, and as whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The gateway's address, such as `http://127.0.0.1:6672`.
    pub url: String,
    /// An API token.
    pub token: String,
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The gateway says no.
    #[error("{message}; {next}")]
    Refused {
        /// Why, for programs.
        code: ErrorCode,
        /// Why, for people.
        message: String,
        /// What to do next.
        next: String,
    },
    /// The login has ended, or never was: coming back would not help.
    #[error("the gateway does not know this token; log in again")]
    LoggedOut,
    /// The gateway speaks no version of the protocol that this program does.
    #[error("the gateway speaks another version of the protocol; update the older of the two")]
    OtherVersion,
    /// The address cannot be one.
    #[error("`{0}` is not the address of a gateway, such as http://127.0.0.1:6672")]
    BadUrl(String),
    /// This client was closed.
    #[error("the connection was closed")]
    Closed,
}

/// A connection to a gateway that lasts. Cheap to clone; it closes when the last clone is dropped.
#[derive(Clone)]
pub struct Client {
    asks: mpsc::Sender<Ask>,
}

impl Client {
    /// Starts to connect, and goes on trying until it works or the gateway says that it never will.
    pub fn start(settings: Settings) -> Result<Client, Error> {
        let request = connection::request(&settings)?;
        let (asks, asked) = mpsc::channel(WAITING);
        tokio::spawn(connection::run(request, asked));
        Ok(Client { asks })
    }

    /// Does this, once. Waits for as long as it takes to get an answer.
    pub async fn submit(&self, command: Command) -> Result<Accepted, Error> {
        self.submit_as(CommandId::new(uuid::Uuid::new_v4()), command).await
    }

    /// The same under an id of one's own, for those who remember it across a restart.
    pub async fn submit_as(
        &self,
        command_id: CommandId,
        command: Command,
    ) -> Result<Accepted, Error> {
        let (answer, answered) = oneshot::channel();
        let submission = Submission { command_id, command };
        self.ask(Ask::Submit { submission, answer }).await?;
        answered.await.map_err(|_| Error::Closed)?
    }

    /// Follows a log from a place on: every entry once and in order, then whatever comes.
    pub async fn follow(&self, log: LogId, after: Seq) -> Result<Follow, Error> {
        let (follow, teller) = follow::channel(log);
        self.ask(Ask::Follow { log, after, teller }).await?;
        Ok(follow)
    }

    /// Tells those who follow the same log what one does just now. Lost where there is no connection.
    pub async fn present(&self, log: LogId, state: PresenceState) -> Result<(), Error> {
        self.ask(Ask::Presence { log, state }).await
    }

    async fn ask(&self, ask: Ask) -> Result<(), Error> {
        self.asks.send(ask).await.map_err(|_| Error::Closed)
    }
}
