//! One who says something and many who hear it: the next message is said when all have the last one.
//!
//! The same client for every server: how each is spoken to is all that differs.

use crate::{
    crew::{Crew, Orders},
    figure::Spread,
    process::Running,
    talk, usage,
    websocket::Socket,
};
use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::json;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// How long a message may be.
const BYTES: usize = 200;
/// When somebody does not have a message after this long, something is broken.
const LOST: Duration = Duration::from_secs(20);

/// How a server is spoken to.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tongue {
    /// Our own: readers take turns with these tokens and follow this log; the first token is the sender's.
    #[serde(skip)]
    Mosaic {
        /// Of those who take part.
        tokens: Arc<Vec<String>>,
        /// Where.
        log: String,
    },
    /// Engine.IO 4 with Socket.IO 5 in it.
    SocketIo,
    /// Texts as they are.
    Plain,
}

/// What came of one round.
pub(crate) struct Round {
    pub(crate) deliveries: usize,
    /// From saying to having heard, in milliseconds, for every reader and message.
    pub(crate) latency: Spread,
}

/// A round, and what it cost the server.
pub(crate) struct Measured {
    pub(crate) round: Round,
    /// Processor time of the server for one delivery, in microseconds.
    pub(crate) cost: Option<f64>,
}

/// So many readers and one who says something.
pub(crate) struct Room {
    crew: Crew<Round>,
}

impl Tongue {
    async fn connect(&self, address: SocketAddr, n: usize) -> anyhow::Result<Socket> {
        match self {
            Tongue::Mosaic { tokens, .. } => {
                let token = tokens.get(n % tokens.len().max(1)).context("nobody takes part")?;
                Ok(talk::Talk::open(address, token, &[]).await?.socket)
            }
            Tongue::SocketIo => {
                let path = "/socket.io/?EIO=4&transport=websocket";
                let mut socket = Socket::open(address, path, &[]).await?;
                socket.hear_of("sid").await?;
                socket.say("40").await?;
                socket.hear_of("sid").await?;
                Ok(socket)
            }
            Tongue::Plain => Socket::open(address, "/", &[]).await,
        }
    }

    /// From here on everything that is said is heard.
    async fn join(&self, socket: &mut Socket) -> anyhow::Result<()> {
        match self {
            Tongue::Mosaic { log, .. } => {
                let follow = json!({ "type": "follow", "log": log, "after": 1_000_000_000 });
                socket.say(&follow.to_string()).await?;
                socket.hear_of("\"type\":\"live\"").await?;
            }
            Tongue::SocketIo => {
                socket.say("420[\"join\"]").await?;
                socket.hear_of("430").await?;
            }
            Tongue::Plain => {}
        }
        Ok(())
    }

    fn message(&self, text: &str) -> String {
        match self {
            Tongue::Mosaic { log, .. } => talk::message(log, text),
            Tongue::SocketIo => format!("42{}", json!(["message", text])),
            Tongue::Plain => text.to_owned(),
        }
    }

    /// What is said to what the server asks of itself.
    fn answer(&self, heard: &str) -> Option<&'static str> {
        (matches!(self, Tongue::SocketIo) && heard == "2").then_some("3")
    }
}

/// What all readers and the sender share.
#[derive(Default)]
struct Shared {
    now: Mutex<Now>,
    /// The last reader has the message, or one is lost.
    all: Notify,
}

#[derive(Default)]
struct Now {
    /// What the message begins with that is on its way.
    mark: String,
    said: Option<Instant>,
    missing: usize,
    took: Vec<f64>,
    lost: Option<anyhow::Error>,
}

impl Shared {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard(&self, text: &str) {
        let at = Instant::now();
        let mut now = self.now();
        if let Some(said) = now.said
            && text.contains(&now.mark)
        {
            now.took.push((at - said).as_secs_f64() * 1000.0);
            now.missing = now.missing.saturating_sub(1);
            if now.missing == 0 {
                self.all.notify_one();
            }
        }
    }

    fn lost(&self, error: anyhow::Error) {
        self.now().lost = Some(error);
        self.all.notify_one();
    }
}

impl Room {
    pub(crate) async fn open(
        address: SocketAddr,
        tongue: Tongue,
        readers: usize,
    ) -> anyhow::Result<Room> {
        let speaks = tongue.clone();
        let open = async move {
            let mut sockets = vec![];
            for n in 0..readers {
                let mut socket = speaks.connect(address, n).await?;
                speaks.join(&mut socket).await?;
                sockets.push(socket);
            }
            Ok((speaks.connect(address, 0).await?, sockets))
        };
        let work = move |(sender, readers), orders| work(tongue, sender, readers, orders);
        Ok(Room { crew: Crew::open(open, work).await? })
    }

    pub(crate) async fn round(&self, time: Duration) -> anyhow::Result<Round> {
        self.crew.round(time).await
    }

    /// A round with a look at what it costs the server.
    pub(crate) async fn measure(
        &self,
        server: &Running,
        time: Duration,
    ) -> anyhow::Result<Measured> {
        let before = usage::processor_seconds(server.pid());
        let round = self.round(time).await?;
        let spent = before
            .zip(usage::processor_seconds(server.pid()))
            .map(|(before, after)| (after - before) * 1e6 / round.deliveries.max(1) as f64);
        Ok(Measured { round, cost: spent })
    }
}

async fn work(tongue: Tongue, mut sender: Socket, readers: Vec<Socket>, mut orders: Orders<Round>) {
    let shared = Arc::new(Shared::default());
    let n = readers.len();
    for socket in readers {
        tokio::spawn(read(socket, tongue.clone(), shared.clone()));
    }
    loop {
        tokio::select! {
            order = orders.recv() => {
                let Some((time, answer)) = order else { return };
                let _ = answer.send(round(&tongue, &mut sender, n, &shared, time).await);
            }
            heard = sender.hear() => match heard.map(|heard| tongue.answer(heard)) {
                Ok(Some(answer)) => drop(sender.say(answer).await),
                Ok(None) => {}
                Err(_) => return,
            }
        }
    }
}

async fn read(mut socket: Socket, tongue: Tongue, shared: Arc<Shared>) {
    loop {
        let answer = match socket.hear().await {
            Err(error) => return shared.lost(error),
            Ok(heard) => {
                shared.heard(heard);
                tongue.answer(heard)
            }
        };
        if let Some(answer) = answer
            && let Err(error) = socket.say(answer).await
        {
            return shared.lost(error);
        }
    }
}

async fn round(
    tongue: &Tongue,
    sender: &mut Socket,
    readers: usize,
    shared: &Shared,
    time: Duration,
) -> anyhow::Result<Round> {
    let begun = Instant::now();
    let mut n = 0;
    while begun.elapsed() < time {
        n += 1;
        let mark = format!("message {n:08} ");
        let text = format!("{mark:.<BYTES$}");
        let frame = tongue.message(&text);
        {
            let mut now = shared.now();
            (now.mark, now.missing, now.said) = (mark, readers, Some(Instant::now()));
        }
        sender.say(&frame).await?;
        let lost = tokio::time::sleep(LOST);
        tokio::pin!(lost);
        loop {
            let answer = tokio::select! {
                () = shared.all.notified() => break,
                () = &mut lost => bail!("{} readers do not have a message", shared.now().missing),
                heard = sender.hear() => {
                    let heard = heard?;
                    if heard.contains("\"refused\"") {
                        bail!("a message was refused: {heard}");
                    }
                    tongue.answer(heard)
                }
            };
            if let Some(answer) = answer {
                sender.say(answer).await?;
            }
        }
        if let Some(error) = shared.now().lost.take() {
            return Err(error);
        }
    }
    let took = std::mem::take(&mut shared.now().took);
    Ok(Round { deliveries: took.len(), latency: Spread::of(took) })
}
