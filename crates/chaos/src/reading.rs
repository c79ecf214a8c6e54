//! What is stored, read over HTTP when nobody writes any more.

use crate::{
    chance::Chance,
    history::{Event, History},
    http::{Answer, Http},
    people::Person,
};
use anyhow::Context;
use http::Method;
use mosaic_protocol::{LogId, Seq, log::Entry};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

/// How many logs of earlier rounds are read once more.
const EARLIER: u64 = 5;

/// Reads every log that is new since the last time, those that are named, and some others. Answers how many entries.
pub(crate) async fn read_all(
    address: SocketAddr,
    people: &[Person],
    named: &[(LogId, usize)],
    known: &mut BTreeMap<LogId, usize>,
    chance: &mut Chance,
    history: &History,
) -> anyhow::Result<BTreeMap<LogId, Seq>> {
    let mut http = Http::to(address);
    let mut wanted: BTreeSet<LogId> = named.iter().map(|(log, _)| *log).collect();
    let earlier: Vec<LogId> = known.keys().copied().collect();
    wanted.extend((0..EARLIER).filter_map(|_| chance.pick(&earlier).copied()));
    for (log, by) in named {
        known.entry(*log).or_insert(*by);
    }
    for (by, who) in people.iter().enumerate() {
        for log in listed(&mut http, who).await? {
            if !known.contains_key(&log) {
                wanted.insert(log);
            }
            known.entry(log).or_insert(by);
        }
    }
    let mut heads = BTreeMap::new();
    for log in wanted {
        let by = known.get(&log).copied().unwrap_or(0);
        let who = people.get(by).context("a person")?;
        match read(&mut http, who, log).await? {
            None => {
                known.remove(&log);
                history.note(Event::NotStored { log });
            }
            Some((head, entries)) => {
                heads.insert(log, head);
                history.note(Event::Stored { log, head, entries });
            }
        }
    }
    Ok(heads)
}

async fn get(http: &mut Http, who: &Person, path: &str) -> anyhow::Result<Answer> {
    let asked = http.ask(Method::GET, path, &who.credential(), &Value::Null).await;
    asked.map_err(|error| anyhow::anyhow!("{path}: {error}"))
}

/// Every conversation that one sees in one's list.
async fn listed(http: &mut Http, who: &Person) -> anyhow::Result<Vec<LogId>> {
    let mut logs = vec![];
    for archived in [false, true] {
        let mut after = String::new();
        loop {
            let path = format!("/api/conversations?limit=500&archived={archived}{after}");
            let page = get(http, who, &path).await?.ok(&path)?;
            let items = page["items"].as_array().context("a page of conversations")?;
            logs.extend(items.iter().filter_map(|it| it["id"].as_str()?.parse::<LogId>().ok()));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
    }
    Ok(logs)
}

async fn read(
    http: &mut Http,
    who: &Person,
    log: LogId,
) -> anyhow::Result<Option<(Seq, Vec<Entry>)>> {
    let mut entries: Vec<Entry> = vec![];
    loop {
        let after = entries.last().map_or(Seq::START, |entry| entry.seq);
        let path = format!("/api/logs/{log}/entries?after={after}&limit=500");
        let answer = get(http, who, &path).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let mut page = answer.ok(&path)?;
        let head: Seq = serde_json::from_value(page["head"].take())?;
        let more: Vec<Entry> = serde_json::from_value(page["items"].take())?;
        if more.is_empty() {
            return Ok(Some((head, entries)));
        }
        entries.extend(more);
    }
}
