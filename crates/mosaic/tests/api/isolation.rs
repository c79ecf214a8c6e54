//! What belongs to somebody else is answered exactly like what does not exist: every row of the route table, with
//! every foreign id in its path, body and query, every id of the wrong kind, and everything that is no id.

use crate::{
    cast::{Cast, KINDS, PROVIDER_SETTINGS, malformed, never},
    on_both,
    rows::{self, Faults, example, placeholders},
    support::*,
};
use http::Method;
use mosaic_protocol::access::Needs;
use mosaic_server::{Kind, Row};
use serde_json::Value;
use std::collections::HashMap;

on_both!(foreign_things_do_not_exist);

/// One parameter of an attack.
#[derive(Clone)]
enum Slot {
    /// Something that the attacker may name.
    Own(String),
    /// Something that must look like nothing.
    Other(String),
    /// What cannot be a name.
    Nonsense(String),
}

impl Slot {
    fn own(&self) -> &str {
        match self {
            Slot::Own(text) => text,
            Slot::Other(_) | Slot::Nonsense(_) => "",
        }
    }

    fn text(&self) -> &str {
        match self {
            Slot::Own(text) | Slot::Other(text) | Slot::Nonsense(text) => text,
        }
    }
}

struct Stage<'a> {
    root: &'a Person,
    alice: &'a Cast,
    bob: &'a Cast,
    operator: Person,
    document: Value,
    faults: Faults,
    /// What was answered about things that never were.
    baselines: HashMap<String, Answer>,
}

async fn foreign_things_do_not_exist(database: Database) {
    let Some(gateway) = Gateway::start(database, PROVIDER_SETTINGS) else { return };
    let root = gateway.admin().await;
    let alice = Cast::new(&gateway, &root, "alice").await;
    let bob = Cast::new(&gateway, &root, "bob").await;
    let before = rows_of(&gateway, &bob).await;
    assert!(before.len() >= 15, "Bob owns one of everything: {before:?}");

    let operator = Person::nobody(&gateway.operator());
    let faults = Faults::default();
    let mut stage = Stage {
        root: &root,
        alice: &alice,
        bob: &bob,
        operator,
        document: mosaic_server::openapi(false),
        faults,
        baselines: HashMap::new(),
    };
    for row in rows::table() {
        stage.attack_path(&row).await;
        stage.attack_body(&row).await;
        stage.attack_query(&row).await;
    }
    stage.faults.none();
    assert_eq!(rows_of(&gateway, &bob).await, before, "somebody changed what is Bob's");
}

/// Bob's rows, but for the log.
async fn rows_of(gateway: &Gateway, bob: &Cast) -> Vec<String> {
    let marks = bob.marks();
    let tables = gateway.place().tables().await;
    let tables = tables.into_iter().filter(|(table, _)| !table.starts_with("audit"));
    let rows = tables.flat_map(|(_, rows)| rows);
    rows.filter(|row| marks.iter().any(|mark| row.contains(mark))).collect()
}

impl Stage<'_> {
    async fn attack_path(&mut self, row: &Row) {
        // As somebody who may not pass at all, every name gets the same refusal.
        let attacks = attacks(row, self.alice, self.bob);
        let alice = self.alice.who.clone();
        for attack in &attacks {
            self.compare(row, &alice, attack).await;
        }
        // As somebody who may, what is nothing is nothing.
        let passes = match row.needs {
            Needs::Admin | Needs::AdminSession | Needs::Metrics => self.root.clone(),
            Needs::Operator => self.operator.clone(),
            Needs::Public | Needs::Login(_) | Needs::Session => return,
        };
        for attack in attacks_with_nothing(row, self.bob, self.alice) {
            self.compare(row, &passes, &attack).await;
        }
    }

    /// The attack must be answered like the same request with names that never were.
    async fn compare(&mut self, row: &Row, attacker: &Person, attack: &[Slot]) {
        let kinds = row.params.iter();
        let nothing = kinds.zip(attack).map(|(kind, slot)| match slot {
            Slot::Own(text) => text.clone(),
            Slot::Other(_) | Slot::Nonsense(_) => never(*kind),
        });
        let nothing: Vec<String> = nothing.collect();
        let named: Vec<String> = attack.iter().map(|slot| slot.text().to_owned()).collect();
        // For uploads, the bytes that fit the hash: whoever has them may store them, and learns nothing by it.
        let owner =
            if self.bob.bytes_of(named.last().unwrap()).is_some() { self.bob } else { self.alice };
        let own: Vec<&str> = attack.iter().map(Slot::own).collect();
        let key = format!("{} {} {} {own:?}", rows::name(row), attacker.name, owner.who.name);
        let baseline = match self.baselines.get(&key) {
            Some(answer) => answer.clone(),
            None => self.ask(row, attacker, &nothing, owner).await,
        };
        self.baselines.insert(key, baseline.clone());
        let got = self.ask(row, attacker, &named, owner).await;

        let is_nonsense = attack.iter().any(|slot| matches!(slot, Slot::Nonsense(_)));
        // In one's own place a good name that is not taken may be given to something new; nonsense may not.
        let makes = row.method == Method::PUT
            && matches!(row.params.last(), Some(Kind::Blob | Kind::SecretName))
            && matches!(attack.first(), Some(Slot::Own(_)));
        let expected = match baseline.status {
            200 if makes && is_nonsense => self.alice.who.get("/api/nothing").await.face(),
            200 if makes => "200 made".to_owned(),
            _ => baseline.face(),
        };
        let refused = match (row.needs, attacker.name.as_str()) {
            (Needs::Admin | Needs::AdminSession | Needs::Metrics, "alice") => (403, "forbidden"),
            _ => (404, "not_found"),
        };
        let what = || format!("{} as {:?} with {named:?}", rows::name(row), attacker.name);
        if !makes && (baseline.status, baseline.code()) != refused {
            self.faults.note(format!("{} with nothing: {}", what(), baseline.face()));
        }
        let face = if makes && got.status == 200 { "200 made".to_owned() } else { got.face() };
        self.faults.same(what, &face, &expected);
    }

    async fn ask(&self, row: &Row, who: &Person, values: &[String], owner: &Cast) -> Answer {
        let answer = who.client.send(who.sign(rows::request(row, values, owner))).await;
        if row.method == Method::PUT && answer.status == 200 {
            who.delete(&rows::path(row, values), Value::Null).await.is(204);
        }
        answer
    }

    /// Fields of bodies that name a thing, as an admin who does not belong to it, or where admins may, as somebody else.
    async fn attack_body(&mut self, row: &Row) {
        let Some(example) = example(row) else { return };
        let for_admins = row.path == "/api/budgets";
        let attacker = if for_admins { &self.alice.who } else { self.root };
        for (field, kind) in placeholders(&example) {
            let path = rows::path(row, &rows::own(row, self.bob));
            let with = async |name: String| {
                let mut json = example.clone();
                rows::put(&mut json, &field, name);
                if json.get("command_id").is_some() {
                    rows::put(&mut json, "/command_id", fresh_id());
                }
                attacker.send(row.method.clone(), &path, json).await
            };
            let baseline = with(never(kind)).await;
            if (baseline.status, baseline.code()) != (404, "not_found") {
                self.faults.note(format!("{} `{field}`: {}", rows::name(row), baseline.face()));
            }
            let own = if for_admins { vec![] } else { self.alice.things(kind) };
            let right = self.bob.things(kind).into_iter().chain(own);
            for name in right.chain(of_other_kinds(kind, self.bob)) {
                let got = with(name.clone()).await;
                let what = || format!("{} `{field}` = {name:?}", rows::name(row));
                // All ids are spelt alike, so any kind's reader tells what is one.
                if name.parse::<mosaic_protocol::TeamId>().is_ok() {
                    self.faults.same(what, &got.face(), &baseline.face());
                } else if (got.status, got.code()) != (400, "invalid") {
                    self.faults.note(format!("{}: {}", what(), got.face()));
                }
            }
        }
    }
}

impl Stage<'_> {
    /// A query that names a workspace, as somebody who does not belong to it.
    async fn attack_query(&mut self, row: &Row) {
        let method = row.method.as_str().to_lowercase();
        let parameters = &self.document["paths"][row.path][method]["parameters"];
        let named = |it: &Value| it["in"] == "query" && it["name"] == "workspace_id";
        // A file is brought along there; transfers have tests of their own.
        if row.path.ends_with("/import")
            || !parameters.as_array().is_some_and(|all| all.iter().any(named))
        {
            return;
        }
        // The operator may look at everything; what is nothing is nothing there too.
        let is_operators = row.needs == Needs::Operator;
        let attacker = if is_operators { &self.operator } else { &self.alice.who };
        let foreign = if is_operators { vec![] } else { self.bob.things(Kind::Workspace) };
        let path = rows::path(row, &rows::own(row, self.alice));
        let with = async |name: &str| {
            let path = format!("{path}?workspace_id={name}");
            attacker.send(row.method.clone(), &path, Value::Null).await
        };
        let baseline = with(&never(Kind::Workspace)).await;
        // A list of nothing says as little.
        let is_empty = baseline.status == 200 && baseline.json["items"] == serde_json::json!([]);
        if (baseline.status, baseline.code()) != (404, "not_found") && !is_empty {
            self.faults.note(format!("{} of no workspace: {}", rows::name(row), baseline.face()));
        }
        let others = of_other_kinds(Kind::Workspace, self.bob)
            .filter(|it| it.parse::<mosaic_protocol::TeamId>().is_ok());
        for name in foreign.into_iter().chain(others) {
            let got = with(&name).await;
            let what = || format!("{} of workspace {name:?}", rows::name(row));
            self.faults.same(what, &got.face(), &baseline.face());
        }
    }
}

/// The names of this person's things of all kinds but one.
fn of_other_kinds(kind: Kind, owner: &Cast) -> impl Iterator<Item = String> {
    KINDS.into_iter().filter(move |other| *other != kind).flat_map(|other| owner.things(other))
}

/// All the ways to name what is not one's own.
fn attacks(row: &Row, own: &Cast, foreign: &Cast) -> Vec<Vec<Slot>> {
    // What everybody may name is nobody's own.
    let others = |kind: Kind| match kind {
        Kind::LoginProvider => vec![],
        kind => foreign.things(kind).into_iter().map(Slot::Other).collect(),
    };
    let mut attacks = attacks_with_nothing(row, own, foreign);
    match row.params[..] {
        [] => {}
        [kind] => attacks.extend(others(kind).into_iter().map(|slot| vec![slot])),
        [first, second] => {
            for other in others(first) {
                attacks.push(vec![other.clone(), Slot::Own(own.thing(second))]);
                attacks.extend(others(second).into_iter().map(|it| vec![other.clone(), it]));
            }
            for mine in own.things(first) {
                let mine = Slot::Own(mine);
                attacks.extend(others(second).into_iter().map(|it| vec![mine.clone(), it]));
            }
        }
        _ => panic!("{}: more than two parameters", rows::name(row)),
    }
    attacks
}

/// Each parameter in turn as something of another kind, and as nonsense.
fn attacks_with_nothing(row: &Row, own: &Cast, foreign: &Cast) -> Vec<Vec<Slot>> {
    let mut attacks = vec![];
    for (n, kind) in row.params.iter().enumerate() {
        let wrong = of_other_kinds(*kind, own).chain(of_other_kinds(*kind, foreign));
        let wrong = wrong.filter(|name| !own.things(*kind).contains(name)).map(|name| {
            match crate::cast::is_id(*kind) || is_possible(*kind, &name) {
                true => Slot::Other(name),
                false => Slot::Nonsense(name),
            }
        });
        let nonsense = malformed(*kind, &foreign.thing(*kind)).into_iter().map(Slot::Nonsense);
        for slot in wrong.chain(nonsense) {
            let mut attack: Vec<Slot> = rows::own(row, own).into_iter().map(Slot::Own).collect();
            attack[n] = slot;
            attacks.push(attack);
        }
    }
    attacks
}

/// Whether something could be called this.
fn is_possible(kind: Kind, name: &str) -> bool {
    match kind {
        Kind::SecretName => mosaic_protocol::SecretName::try_from(name.to_owned()).is_ok(),
        _ => false,
    }
}
