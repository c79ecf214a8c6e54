//! Killed while many write: what was acknowledged is there once, whatever was not is there once or not at all, and no
//! place in a log is missing or given twice.

use crate::{
    laws::{Sent, check, command},
    support::{Database, Gateway, PATIENCE, Person, Place, eventually, fresh_id},
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

const WRITERS: usize = 6;

/// Writes until the gateway is gone.
async fn write(who: Person, log: String, acknowledged: Arc<AtomicUsize>) -> Vec<Sent> {
    let mut all = vec![];
    loop {
        let id = fresh_id();
        let mut sent = Sent { text: format!("text of {id}"), id, seq: None };
        let request = who.request(http::Method::POST, "/api/commands", &command(&log, &sent));
        let answer = who.client.try_send(request).await;
        let over = answer.is_err();
        if let Ok(answer) = answer {
            assert_eq!(answer.status, 200, "{}", answer.text());
            sent.seq = answer.json["seq"].as_i64();
            acknowledged.fetch_add(1, Ordering::SeqCst);
        }
        all.push(sent);
        if over {
            return all;
        }
    }
}

async fn killed_while_many_write(database: Database, rounds: usize) {
    let Some(place) = Place::new(database).map(Arc::new) else { return };
    let mut gateway = Gateway::start_at(place.clone(), &[]);
    let ada = gateway.admin().await;
    let logs = [ada.converse("One").await, ada.converse("Two").await];
    let mut all: Vec<(usize, Sent)> = vec![];
    for round in 0..rounds {
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..WRITERS)
            .map(|n| {
                let who = ada.with_client(gateway.client());
                tokio::spawn(write(who, logs[n % 2].clone(), acknowledged.clone()))
            })
            .collect();
        // After another number of acknowledgements each time, so at another moment of what is under way.
        let enough = 15 + 7 * round;
        eventually("some are acknowledged", PATIENCE, async || {
            acknowledged.load(Ordering::SeqCst) >= enough
        })
        .await;
        gateway.kill();
        for (n, writer) in writers.into_iter().enumerate() {
            all.extend(writer.await.unwrap().into_iter().map(|sent| (n % 2, sent)));
        }
        gateway = Gateway::start_at(place.clone(), &[]);
        check(&ada.with_client(gateway.client()), &logs, &mut all).await;
    }
    let n_lost = all.iter().filter(|(_, sent)| sent.seq.is_none()).count();
    assert_eq!(n_lost, 0, "every command has its effect in the end");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_killed_while_many_write_loses_and_doubles_nothing_on_sqlite() {
    killed_while_many_write(Database::Sqlite, 8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_killed_while_many_write_loses_and_doubles_nothing_on_postgres() {
    killed_while_many_write(Database::Postgres, 4).await;
}
