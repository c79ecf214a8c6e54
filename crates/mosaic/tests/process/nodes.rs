//! Nodes that are frozen, and nodes whose connections are cut at any moment: what was acknowledged is there once, at the
//! place that was told, whatever was not is there once or not at all, and nothing is missing between.

use crate::{
    laws::{Sent, check, command, told},
    support::{
        Client, Database, Gateway, PATIENCE, Person, Place, Proxy, Valkey, eventually, fresh_id,
    },
};
use mosaic_client::{Client as Lasting, Settings};
use mosaic_protocol::{LogId, Seq, entry::Fact, log::Body};
use rustix::process::Signal;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

fn node(place: Arc<Place>, database: &str, bus: &str) -> Gateway {
    let started = Gateway::try_start_with(place, &[("limits.request_seconds", "20")], |command| {
        command
            .env("MOSAIC_DATABASE_URL", database)
            .env("MOSAIC_BUS_URL", bus)
            .env("MOSAIC_MASTER_KEY", "ab".repeat(32));
    });
    started.unwrap_or_else(|output| panic!("{output:?}"))
}

/// Writes until it is told to stop, whatever comes of it. What was sent is answered.
async fn write(
    who: Person,
    log: String,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
) -> Vec<Sent> {
    let mut all = vec![];
    while !stop.load(Ordering::SeqCst) {
        let id = fresh_id();
        let mut sent = Sent { text: format!("text of {id}"), id, seq: None };
        let request = who.request(http::Method::POST, "/api/commands", &command(&log, &sent));
        match who.client.try_send(request).await {
            Ok(answer) if answer.status == 200 => {
                sent.seq = answer.json["seq"].as_i64();
                acknowledged.fetch_add(1, Ordering::SeqCst);
            }
            // Refused, or cut off: whether it was done will show.
            Ok(answer) => assert!(answer.status >= 500, "{}", answer.text()),
            Err(_) => {}
        }
        all.push(sent);
    }
    all
}

struct Writers {
    stop: Arc<AtomicBool>,
    /// How much was acknowledged, by the number of the node.
    acknowledged: Vec<Arc<AtomicUsize>>,
    tasks: Vec<(usize, tokio::task::JoinHandle<Vec<Sent>>)>,
}

impl Writers {
    /// Several per node, on both logs.
    fn begin(ada: &Person, clients: &[Client], logs: &[String; 2]) -> Writers {
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = Writers { stop, acknowledged: vec![], tasks: vec![] };
        for client in clients {
            let acknowledged = Arc::new(AtomicUsize::new(0));
            for n in 0..4 {
                let who = ada.with_client(client);
                let (stop, acknowledged) = (writers.stop.clone(), acknowledged.clone());
                let writing = write(who, logs[n % 2].clone(), stop, acknowledged);
                writers.tasks.push((n % 2, tokio::spawn(writing)));
            }
            writers.acknowledged.push(acknowledged);
        }
        writers
    }

    fn n(&self, node: usize) -> usize {
        self.acknowledged[node].load(Ordering::SeqCst)
    }

    async fn goes_on(&self, node: usize, more: usize, within: Duration) {
        let enough = self.n(node) + more;
        eventually("it goes on", within, async || self.n(node) >= enough).await;
    }

    async fn end(self) -> Vec<(usize, Sent)> {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = vec![];
        for (log, task) in self.tasks {
            all.extend(task.await.unwrap().into_iter().map(|sent| (log, sent)));
        }
        all
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_node_stops_nobody_and_wakes_up_to_what_is_so() {
    let Some(place) = Place::new(Database::Postgres).map(Arc::new) else { return };
    let Some(valkey) = Valkey::start(&[]) else { return };
    let url = place.database_url().unwrap();
    let frozen = node(place.clone(), &url, &valkey.url());
    let other = node(Arc::new(Place::sqlite()), &url, &valkey.url());
    let ada = frozen.admin().await;
    let logs = [ada.converse("One").await, ada.converse("Two").await];
    let clients = [frozen.client().clone(), other.client().clone()];
    let mut all = vec![];
    for round in 0..2 {
        let writers = Writers::begin(&ada, &clients, &logs);
        for node in 0..2 {
            writers.goes_on(node, 10 + 7 * round, PATIENCE).await;
        }
        frozen.signal(Signal::STOP);
        // What the frozen one holds is taken from it after three seconds; then the other one goes on, on both logs.
        let begun = Instant::now();
        writers.goes_on(1, 200, Duration::from_secs(15)).await;
        eprintln!("round {round}: 200 more acknowledged {:?} after the freeze", begun.elapsed());
        frozen.signal(Signal::CONT);
        writers.goes_on(0, 20, PATIENCE).await;
        all.extend(writers.end().await);
        check(&ada, &logs, &mut all).await;
    }
    all_show_the_same(&ada, &[&frozen, &other], &logs).await;
    for node in [frozen, other] {
        node.stop().await;
    }
}

async fn all_show_the_same(ada: &Person, nodes: &[&Gateway], logs: &[String; 2]) {
    for log in logs {
        let there = told(ada, log).await;
        for node in nodes {
            assert!(told(&ada.with_client(node.client()), log).await == there, "another log");
        }
    }
}

/// The same database through another door.
fn through(url: &str, proxy: &Proxy) -> String {
    let (before, after) = url.split_once("127.0.0.1:").expect("a database on this machine");
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}{}{rest}", proxy.address())
}

fn server_of(url: &str) -> SocketAddr {
    let (_, after) = url.split_once("127.0.0.1:").expect("a database on this machine");
    let port: String = after.chars().take_while(char::is_ascii_digit).collect();
    SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_whose_connections_are_cut_keep_the_laws() {
    let Some(place) = Place::new(Database::Postgres).map(Arc::new) else { return };
    let Some(valkey) = Valkey::start(&[]) else { return };
    let url = place.database_url().unwrap();
    let (mut nodes, mut databases, mut buses) = (vec![], vec![], vec![]);
    for n in 0..3 {
        let database = Proxy::to(server_of(&url)).await;
        let bus = Proxy::to(valkey.address()).await;
        let home = if n == 0 { place.clone() } else { Arc::new(Place::sqlite()) };
        let bus_url = format!("valkey://{}", bus.address());
        nodes.push(node(home, &through(&url, &database), &bus_url));
        databases.push(database);
        buses.push(bus);
    }
    let ada = nodes[0].admin().await;
    let logs = [ada.converse("One").await, ada.converse("Two").await];
    let reader = ada.with_token(&["read"]).await;
    let mut readers = vec![];
    for node in &nodes {
        let settings = Settings {
            url: format!("http://{}", node.address()),
            token: reader.secret().to_owned(),
        };
        let log = logs[0].parse().unwrap();
        readers.push(tokio::spawn(read(Lasting::start(settings).unwrap(), log)));
    }
    let clients: Vec<Client> = nodes.iter().map(|node| node.client().clone()).collect();
    let writers = Writers::begin(&ada, &clients, &logs);
    // At another moment each time: after another number of acknowledgements, and another connection.
    let rounds = if std::env::var_os("SOAK").is_some() { 300 } else { 12 };
    let mut seed = 20_261_121_u32;
    for _ in 0..rounds {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (who, what) = (((seed >> 16) % 3) as usize, (seed >> 20) % 4);
        writers.goes_on((who + 1) % 3, 5 + (seed >> 24) as usize % 20, PATIENCE).await;
        match what {
            0 => databases[who].cut(),
            1 => buses[who].cut(),
            2 => {
                databases[who].cut();
                buses[who].cut();
            }
            _ => {
                buses[who].close();
                writers.goes_on(who, 10, PATIENCE).await;
                buses[who].open();
            }
        }
        // Nobody is out of it for good.
        writers.goes_on(who, 3, PATIENCE).await;
    }
    let mut all = writers.end().await;
    check(&ada, &logs, &mut all).await;
    all_show_the_same(&ada, &nodes.iter().collect::<Vec<_>>(), &logs).await;
    // All readers come to the end, without a gap.
    let last = ada.say(&logs[0], "the last").await;
    for reader in readers {
        assert_eq!(tokio::time::timeout(PATIENCE, reader).await.unwrap().unwrap(), last);
    }
    for node in nodes {
        node.stop().await;
    }
}

/// Reads to the text that is said last, and answers where it is.
async fn read(client: Lasting, log: LogId) -> i64 {
    let mut follow = client.follow(log, Seq::START).await.unwrap();
    let mut at = 0;
    loop {
        let entry = follow.next_entry().await.unwrap();
        at += 1;
        assert_eq!(entry.seq, Seq(at), "a gap");
        if matches!(&entry.body, Body::Fact(Fact::UserMessage { text, .. }) if text.as_str() == "the last")
        {
            return at;
        }
    }
}
