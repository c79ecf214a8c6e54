//! The client that comes back: whatever is cut or killed, its user sees every entry once and every command done once.

use crate::support::*;
use mosaic_client::{Client as Lasting, Error, Settings, Told};
use mosaic_protocol::{
    LogId, MessageText, Seq,
    command::Command,
    entry::{Fact, Origin},
    log::{Body, Entry},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

/// A way to a gateway that can be cut, and led to another one.
struct Way {
    address: SocketAddr,
    to: Arc<Mutex<SocketAddr>>,
    open: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Way {
    async fn to(address: SocketAddr) -> Way {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = Arc::new(Mutex::new(address));
        let open = Arc::<Mutex<Vec<AbortHandle>>>::default();
        let way =
            Way { address: listener.local_addr().unwrap(), to: to.clone(), open: open.clone() };
        tokio::spawn(async move {
            while let Ok((mut here, _)) = listener.accept().await {
                let to = *to.lock().unwrap();
                let passing = tokio::spawn(async move {
                    if let Ok(mut there) = TcpStream::connect(to).await {
                        let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
                    }
                });
                open.lock().unwrap().push(passing.abort_handle());
            }
        });
        way
    }

    fn cut(&self) {
        for passing in self.open.lock().unwrap().drain(..) {
            passing.abort();
        }
    }

    fn client(&self, token: &str) -> Lasting {
        let settings =
            Settings { url: format!("http://{}", self.address), token: token.to_owned() };
        Lasting::start(settings).unwrap()
    }
}

fn say(log: LogId, what: &str) -> Command {
    Command::SendMessage {
        log,
        text: MessageText::try_from(what.to_owned()).unwrap(),
        attachments: vec![],
        reply_to: None,
        origin: Origin::default(),
    }
}

fn text_of(entry: &Entry) -> Option<String> {
    match &entry.body {
        Body::Fact(Fact::UserMessage { text, .. }) => Some(text.as_str().to_owned()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_by_cuts_and_kills() {
    const EACH: usize = 60;
    let place = Arc::new(Place::sqlite());
    let mut gateway = Gateway::start_at(place.clone(), &[]);
    let ada = gateway.admin().await;
    let token = ada.with_token(&["read", "write"]).await;
    let log: LogId = ada.converse("First").await.parse().unwrap();
    let way = Way::to(gateway.address()).await;

    let reader = way.client(token.secret());
    let mut follow = reader.follow(log, Seq::START).await.unwrap();
    let reading = tokio::spawn(async move {
        let mut entries: Vec<Entry> = vec![];
        while entries.len() < 1 + 4 * EACH {
            entries.push(follow.next_entry().await.expect("the log goes on"));
        }
        entries
    });
    let done = Arc::new(AtomicUsize::new(0));
    let writers: Vec<_> = (0..4)
        .map(|n| {
            let (client, done) = (way.client(token.secret()), done.clone());
            tokio::spawn(async move {
                let mut seqs = vec![];
                for m in 0..EACH {
                    seqs.push(client.submit(say(log, &format!("{n}-{m}"))).await.unwrap().seq);
                    done.fetch_add(1, Ordering::SeqCst);
                }
                seqs
            })
        })
        .collect();
    for step in 1..=8 {
        eventually("more is done", PATIENCE * 2, async || done.load(Ordering::SeqCst) >= step * 25)
            .await;
        if step % 3 == 0 {
            gateway.kill();
            gateway = Gateway::start_at(place.clone(), &[]);
            *way.to.lock().unwrap() = gateway.address();
        }
        way.cut();
    }
    let mut told = BTreeSet::new();
    for (n, writer) in writers.into_iter().enumerate() {
        let seqs = writer.await.unwrap();
        assert!(seqs.is_sorted(), "one after the other: {n}");
        told.extend(seqs);
    }
    assert_eq!(told, (2..=4 * 60 + 1).map(Seq).collect(), "each where it was acknowledged");
    let entries = tokio::time::timeout(PATIENCE * 2, reading).await.unwrap().unwrap();
    let seqs: Vec<i64> = entries.iter().map(|entry| entry.seq.0).collect();
    assert_eq!(seqs, (1..=241).collect::<Vec<_>>(), "every entry once and in order");
    let texts: BTreeSet<String> = entries.iter().filter_map(text_of).collect();
    assert_eq!(texts.len(), 240, "every command once");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_told_when_coming_back_does_not_help() {
    let gateway = Gateway::start_sqlite(&[]);
    let ada = gateway.admin().await;
    let log: LogId = ada.converse("First").await.parse().unwrap();
    let token = ada.with_token(&["read", "write"]).await;
    let url = format!("http://{}", gateway.address());
    let client =
        Lasting::start(Settings { url: url.clone(), token: token.secret().to_owned() }).unwrap();
    let mut follow = client.follow(log, Seq(1)).await.unwrap();
    assert_eq!(follow.next().await, Some(Told::Live(Seq(1))));
    let refused = client.submit(say(log, " ")).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { .. }), "{refused}");
    // A log that is no longer to be seen ends what is heard of it, and nothing else.
    let other: LogId = ada.converse("Second").await.parse().unwrap();
    client.submit(Command::DeleteConversation { log }).await.unwrap();
    assert_eq!(follow.next().await, None);
    client.submit(say(other, "hello")).await.unwrap();
    // So does the end of the login, for good.
    let id = ada.get("/api/me/tokens").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    let mut follow = client.follow(other, Seq(2)).await.unwrap();
    assert_eq!(follow.next().await, Some(Told::Live(Seq(2))));
    ada.delete(&format!("/api/me/tokens/{id}"), Value::Null).await.is(204);
    assert_eq!(follow.next().await, None);
    assert!(client.submit(say(other, "hello")).await.is_err());
    for url in ["127.0.0.1:6672", "ftp://127.0.0.1", "", "http://"] {
        let settings = Settings { url: url.to_owned(), token: "x".to_owned() };
        assert!(matches!(Lasting::start(settings), Err(Error::BadUrl(_))), "{url}");
    }
}
