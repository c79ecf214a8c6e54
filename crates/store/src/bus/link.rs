//! The connection to Valkey: made, watched, given up and made again, without anybody waiting for it.

use super::{
    BEAT, Bus, BusState, DEAD, SILENT, Waiting,
    address::BusAddress,
    held,
    message::{MESSAGE_BYTES, OfAll},
    resp::{Frame, Reader, command},
};
use crate::live::{Lives, Turnover};
use mosaic_protocol::LogId;
use std::{
    collections::HashSet,
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    net::{TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, timeout},
};

/// How long to wait before it is tried again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(5);
/// A connection that lasted so long was a good one.
const GOOD: Duration = Duration::from_secs(10);
/// How often it is asked how the bus is.
const JUDGE: Duration = Duration::from_millis(100);
/// How many channels one command subscribes to.
const AT_ONCE: usize = 256;

type Link = (Reader<OwnedReadHalf>, OwnedWriteHalf);

/// Runs until it is told to stop.
pub(super) async fn run(
    bus: Arc<Bus>,
    lives: Arc<Lives>,
    turnover: Arc<Turnover>,
    address: BusAddress,
    mut incoming: mpsc::Receiver<Waiting>,
    mut stopping: watch::Receiver<bool>,
) {
    let (mut pause, mut told) = (FIRST_PAUSE, false);
    loop {
        let begun = Instant::now();
        let connected = tokio::select! {
            connected = connect(&address) => connected,
            () = stopped(&mut stopping) => return,
        };
        let ended = match connected {
            Ok(link) => {
                talk(&bus, &lives, &turnover, link, &mut incoming, &mut stopping, &mut told).await
            }
            Err(error) => Err(error),
        };
        bus.is_up.store(false, Ordering::SeqCst);
        bus.set_state(BusState::NotConnected);
        while let Ok(waiting) = incoming.try_recv() {
            bus.taken(&waiting);
            bus.not_said();
        }
        let Err(error) = ended else { return };
        if !told {
            told = true;
            tracing::warn!(
                bus = address.place(),
                %error,
                "the bus is not to be had: what other nodes write is looked for every half second until it is; see that Valkey runs, and `bus_url`"
            );
        }
        if begun.elapsed() > GOOD {
            pause = FIRST_PAUSE;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stopped(&mut stopping) => return,
        }
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // Without a store there is nobody left to serve, either.
    let _ = stopping.wait_for(|stop| *stop).await;
}

impl Bus {
    fn taken(&self, waiting: &Waiting) {
        self.waiting_bytes.fetch_sub(waiting.payload.len(), Ordering::Relaxed);
    }
}

/// One connection, from its beginning to its end. `Ok`: because it was to stop.
async fn talk(
    bus: &Bus,
    lives: &Lives,
    turnover: &Turnover,
    (mut reader, mut writer): Link,
    incoming: &mut mpsc::Receiver<Waiting>,
    stopping: &mut watch::Receiver<bool>,
    told: &mut bool,
) -> io::Result<()> {
    turnover.take();
    let followed: HashSet<LogId> = lives.all().iter().map(|live| live.log).collect();
    let all = bus.channel_of_all();
    let mut out = vec![];
    command(&mut out, &[b"SUBSCRIBE", all.as_bytes()]);
    timeout(DEAD, writer.write_all(&out)).await.map_err(|_| silent())??;
    let now = Instant::now();
    *held(&bus.heard_self) = now;
    held(&bus.nodes).wait_again(now);
    bus.is_up.store(true, Ordering::SeqCst);
    // Whatever was missed while we were away.
    bus.look_at_all();
    tokio::select! {
        ended = read(bus, lives, &mut reader) => ended,
        ended = write(bus, lives, turnover, followed, incoming, &mut writer, stopping) => ended,
        ended = judge(bus, told) => ended,
    }
}

fn silent() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it does not answer")
}

/// Connects and says hello.
async fn connect(address: &BusAddress) -> io::Result<Link> {
    let connecting = async {
        let stream = TcpStream::connect((&*address.host, address.port)).await?;
        stream.set_nodelay(true)?;
        let (read, mut writer) = stream.into_split();
        let mut reader = Reader::new(read, MESSAGE_BYTES);
        let mut words: Vec<&[u8]> = vec![b"HELLO", b"3"];
        if let Some((user, password)) = &address.login {
            words.extend([&b"AUTH"[..], user.expose().as_bytes(), password.expose().as_bytes()]);
        }
        let mut out = vec![];
        command(&mut out, &words);
        writer.write_all(&out).await?;
        match reader.next().await? {
            Frame::Refusal(why) => Err(refused(&why)),
            _ => Ok((reader, writer)),
        }
    };
    timeout(DEAD, connecting).await.map_err(|_| silent())?
}

/// What the server said, fit for a line of a log.
fn refused(why: &str) -> io::Error {
    let why: String = why.chars().filter(|c| !c.is_control()).take(200).collect();
    io::Error::new(io::ErrorKind::PermissionDenied, format!("it refuses: {why}"))
}

async fn read(bus: &Bus, lives: &Lives, reader: &mut Reader<OwnedReadHalf>) -> io::Result<()> {
    loop {
        match reader.next().await? {
            Frame::Refusal(why) => return Err(refused(&why)),
            Frame::Push(items) => pushed(bus, lives, &items),
            // How many were reached: nobody needs to know.
            _ => {}
        }
        // A flood must not keep the writer, in the same task, from its turn.
        tokio::task::consume_budget().await;
    }
}

fn pushed(bus: &Bus, lives: &Lives, items: &[Frame]) {
    let [kind, channel, content] = items else { return };
    let (Some(kind), Some(channel)) = (kind.text(), channel.text()) else { return };
    match (kind, content) {
        (b"message", Frame::Text(payload)) => bus.hear(lives, channel, payload),
        (b"message", _) => bus.hear_too_much(),
        (b"subscribe", _) => {
            let name = std::str::from_utf8(channel).ok();
            let log = name.and_then(|name| name.strip_prefix(&bus.prefix)?.parse().ok());
            if let Some(log) = log {
                bus.hears(lives, log);
            }
        }
        _ => {}
    }
}

async fn write(
    bus: &Bus,
    lives: &Lives,
    turnover: &Turnover,
    mut followed: HashSet<LogId>,
    incoming: &mut mpsc::Receiver<Waiting>,
    writer: &mut (impl AsyncWrite + Unpin),
    stopping: &mut watch::Receiver<bool>,
) -> io::Result<()> {
    let all = bus.channel_of_all();
    let here = bus.envelope(OfAll::Here {});
    let mut out = vec![];
    subscribe(bus, &mut out, b"SUBSCRIBE", &followed.iter().copied().collect::<Vec<_>>());
    let (mut beats, mut n_beats) = (tokio::time::interval(BEAT), 0_u32);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut batch = Vec::with_capacity(AT_ONCE);
    loop {
        writer.write_all(&out).await?;
        out.clear();
        tokio::select! {
            _ = beats.tick() => {
                // Past everything that waits: it says that we are there, not that we keep up.
                command(&mut out, &[b"PUBLISH", all.as_bytes(), &here]);
                n_beats = n_beats.wrapping_add(1);
                bus.beat(lives, n_beats);
            }
            n = incoming.recv_many(&mut batch, AT_ONCE) => {
                if n == 0 {
                    return Ok(());
                }
                for waiting in batch.drain(..) {
                    bus.taken(&waiting);
                    command(&mut out, &[b"PUBLISH", waiting.channel.as_bytes(), &waiting.payload]);
                    bus.sent.fetch_add(1, Ordering::Relaxed);
                }
            }
            () = turnover.changed() => {
                let is_followed = |log: &LogId| lives.get(*log).is_some();
                let (begun, ended): (Vec<_>, Vec<_>) = turnover.take().into_iter().partition(is_followed);
                let begun: Vec<_> = begun.into_iter().filter(|log| followed.insert(*log)).collect();
                let ended: Vec<_> = ended.into_iter().filter(|log| followed.remove(log)).collect();
                subscribe(bus, &mut out, b"SUBSCRIBE", &begun);
                subscribe(bus, &mut out, b"UNSUBSCRIBE", &ended);
            }
            () = stopped(stopping) => {
                command(&mut out, &[b"PUBLISH", all.as_bytes(), &bus.envelope(OfAll::Bye {})]);
                // Whoever does not take it misses us for a while, which does no harm.
                let _ = timeout(BEAT, writer.write_all(&out)).await;
                return Ok(());
            }
        }
    }
}

fn subscribe(bus: &Bus, out: &mut Vec<u8>, how: &[u8], logs: &[LogId]) {
    for logs in logs.chunks(AT_ONCE) {
        let channels: Vec<String> = logs.iter().map(|log| bus.channel_of(*log)).collect();
        let mut words = vec![how];
        words.extend(channels.iter().map(String::as_bytes));
        command(out, &words);
    }
}

/// Watches whether we are heard, and hear the others.
async fn judge(bus: &Bus, told: &mut bool) -> io::Result<()> {
    let (mut ticks, begun) = (tokio::time::interval(JUDGE), Instant::now());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let heard = *held(&bus.heard_self);
        if heard.elapsed() > DEAD {
            return Err(silent());
        }
        // Before everybody has had time to be heard nothing is known.
        if heard <= begun + SILENT {
            continue;
        }
        bus.set_state(bus.judge());
        if std::mem::take(told) {
            tracing::info!("the bus is back");
        }
    }
}

/// Whether one can get in, and what is said comes back.
pub(super) async fn probe(address: &BusAddress) -> Result<(), String> {
    const CHANNEL: &[u8] = b"mosaic:probe";
    let trying = async {
        let (mut reader, mut writer) = connect(address).await?;
        let mut out = vec![];
        command(&mut out, &[b"SUBSCRIBE", CHANNEL]);
        command(&mut out, &[b"PUBLISH", CHANNEL, b"{}"]);
        writer.write_all(&out).await?;
        loop {
            match reader.next().await? {
                Frame::Refusal(why) => return Err(refused(&why)),
                Frame::Push(items) if items.first().and_then(Frame::text) == Some(b"message") => {
                    return Ok(());
                }
                _ => {}
            }
        }
    };
    let tried = timeout(DEAD, trying).await.unwrap_or_else(|_| Err(silent()));
    tried.map_err(|error| format!("{}: {error}", address.place()))
}
