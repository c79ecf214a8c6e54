//! Every command, once while the gateway runs and once without it: both say and do the same.

use crate::{
    saying::plain,
    support::{Credential, Output},
    support::{Database, Gateway, Person, Place},
};
use std::sync::Arc;

/// Runs commands and writes down what they said.
struct Scribe<'a> {
    place: &'a Place,
    /// Commands and answers, without what differs from run to run.
    said: Vec<String>,
}

impl Scribe<'_> {
    fn run(&mut self, arguments: &[&str]) -> Output {
        let output = self.place.mosaic(arguments);
        let shown = format!("{:?}\n{}\n{}", output.code, output.stdout, output.stderr);
        self.said.push(plain(&format!("$ {}\n{shown}", arguments.join(" "))));
        output
    }

    /// What a command prints that must succeed.
    #[track_caller]
    fn ok(&mut self, arguments: &[&str]) -> String {
        self.run(arguments).ok()
    }

    #[track_caller]
    fn refused(&mut self, arguments: &[&str], words: &[&str]) {
        self.run(arguments).refused_with_next_step(1, words);
    }
}

/// Everything that the command line can do to a place with nobody in it. Answers a token of an admin.
fn all_commands(scribe: &mut Scribe<'_>) -> String {
    accounts(scribe);
    teams(scribe);
    invitations(scribe);
    let token = tokens(scribe);
    models(scribe);
    spending(scribe);
    upkeep(scribe);
    token
}

fn accounts(scribe: &mut Scribe<'_>) {
    assert!(scribe.ok(&["user", "list"]).contains("no accounts yet"));
    assert!(scribe.ok(&["setup-link"]).contains("/#setup=mosaic_l_"));
    let added = scribe.ok(&["user", "add", "ada"]);
    assert!(added.contains("/#recovery=mosaic_l_") && added.contains("It works once"), "{added}");
    scribe.ok(&["user", "add", "bob"]);
    scribe.refused(&["user", "add", "ada"], &["taken", "another name"]);
    scribe.run(&["user", "add", "No Name"]).refused(2, &["No Name"]);
    scribe.refused(
        &["user", "show", "nobody"],
        &["there is no account `nobody`\n", "mosaic user list"],
    );

    let shown = scribe.ok(&["user", "show", "ada"]);
    for word in ["id ", "name ", "active", "since"] {
        assert!(shown.contains(word), "{shown}");
    }
    assert!(scribe.ok(&["user", "recover", "ada"]).contains("/#recovery="));
    assert_eq!(scribe.ok(&["user", "suspend", "ada"]), "ada is suspended");
    assert!(scribe.ok(&["user", "show", "ada"]).contains("suspended"));
    assert_eq!(scribe.ok(&["user", "resume", "ada"]), "ada is active again");
    assert_eq!(scribe.ok(&["user", "admin", "bob"]), "bob is an admin");
    assert_eq!(scribe.ok(&["user", "admin", "ada"]), "ada is an admin");
    assert_eq!(scribe.ok(&["user", "admin", "bob", "--remove"]), "bob is not an admin");
    let listed = scribe.ok(&["user", "list"]);
    let listed: Vec<Vec<&str>> = listed.lines().map(|it| it.split_whitespace().collect()).collect();
    assert_eq!(
        [listed[0][..2].to_vec(), listed[1][..2].to_vec()],
        [["ada", "admin"], ["bob", "active"]]
    );
    scribe.refused(&["setup-link"], &["an admin exists already", "mosaic user recover"]);
}

fn teams(scribe: &mut Scribe<'_>) {
    assert!(scribe.ok(&["team", "list"]).contains("no teams yet"));
    let made = scribe.ok(&["team", "add", "Weavers", "--owner", "ada"]);
    let (team, name) = made.split_once("  ").unwrap();
    assert_eq!(name, "Weavers");
    scribe.refused(&["team", "add", "Spinners", "--owner", "nobody"], &["no account `nobody`"]);
    assert_eq!(scribe.ok(&["team", "list"]), made);
    assert_eq!(scribe.ok(&["team", "put", team, "bob", "member"]), "bob is member of the team");
    assert_eq!(scribe.ok(&["team", "put", team, "bob", "viewer"]), "bob is viewer of the team");
    scribe.run(&["team", "put", team, "bob", "king"]).refused(2, &["king"]);
    let members = scribe.ok(&["team", "members", team]);
    assert!(members.contains("ada  owner") && members.contains("bob  viewer"), "{members}");
    assert_eq!(scribe.ok(&["team", "remove", team, "bob"]), "bob has left the team");
    scribe.refused(&["team", "remove", team, "bob"], &[]);
    // Its last owner cannot leave it behind.
    scribe.refused(&["team", "remove", team, "ada"], &["owner"]);
    scribe.refused(&["team", "delete", team], &["Weavers", "--yes"]);
    assert_eq!(scribe.ok(&["team", "delete", team, "--yes"]), "Weavers is deleted");
    scribe.refused(&["team", "members", team], &[]);
}

fn invitations(scribe: &mut Scribe<'_>) {
    assert!(scribe.ok(&["invite", "list"]).contains("no open invitations"));
    assert!(scribe.ok(&["invite", "add", "--hours", "5"]).contains("/#invite=mosaic_"));
    let team = scribe.ok(&["team", "add", "Spinners", "--owner", "ada"]);
    let team = team.split_whitespace().next().unwrap();
    scribe.ok(&["invite", "add", "--team", team, "--role", "member"]);
    scribe.run(&["invite", "add", "--hours", "0"]).refused(2, &["--hours", "720"]);
    let by_name = ["team", "put", "Spinners", "ada", "member"];
    scribe.run(&by_name).refused(2, &["by its id", "mosaic team list"]);
    scribe.run(&["invite", "add", "--role", "member"]).refused(2, &["--team"]);
    let listed = scribe.ok(&["invite", "list"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert_eq!(listed.matches("account").count(), 2, "{listed}");
    assert_eq!(listed.matches(team).count(), 1, "{listed}");
    for line in listed.lines() {
        let id = line.split_whitespace().next().unwrap();
        assert_eq!(scribe.ok(&["invite", "delete", id]), "It is taken back.");
        scribe.refused(&["invite", "delete", id], &[]);
    }
    assert!(scribe.ok(&["invite", "list"]).contains("no open invitations"));
}

fn tokens(scribe: &mut Scribe<'_>) -> String {
    scribe.run(&["token", "create", "--user", "ada"]).refused(2, &["--scope"]);
    scribe.run(&["token", "create", "--user", "ada", "--scope", "all"]).refused(2, &["all"]);
    let forever = ["token", "create", "--user", "ada", "--scope", "read", "--days", "99999"];
    scribe.run(&forever).refused(2, &["--days", "3650"]);
    scribe.refused(&["token", "create", "--user", "nobody", "--scope", "read"], &["`nobody`"]);
    let made =
        scribe.run(&["token", "create", "--user", "ada", "--scope", "read", "--scope", "admin"]);
    assert!(made.stderr.contains("It works until"), "{made:?}");
    // The token and nothing else, so that a script can take it.
    let token = made.ok();
    assert!(token.starts_with("mosaic_t_") && !token.contains(char::is_whitespace), "{token}");
    token
}

fn models(scribe: &mut Scribe<'_>) {
    assert!(scribe.ok(&["provider", "list"]).contains("no providers yet"));
    assert!(scribe.ok(&["models"]).contains("no models to use here"));
    let added = scribe.ok(&["provider", "add", "plays", "--kind", "scripted"]);
    assert!(added.contains("everybody on this server can use it"), "{added}");
    scribe.refused(&["provider", "add", "plays", "--kind", "scripted"], &["taken", "another name"]);
    let wrong = ["provider", "add", "x", "--kind", "antropic"];
    scribe.run(&wrong).refused(2, &["antropic", "openrouter"]);
    scribe.run(&["provider", "add", "X", "--kind", "openai"]).refused(2, &["X"]);
    let mixed = ["provider", "add", "x", "--kind", "scripted", "--server", "--user", "ada"];
    scribe.run(&mixed).refused(2, &["--server", "--user"]);
    let missing = ["provider", "add", "x", "--kind", "anthropic"];
    scribe.refused(&missing, &["the key is missing", "MOSAIC_PROVIDER_KEY"]);
    let as_argument = ["provider", "add", "x", "--kind", "anthropic", "--key", "sk-1"];
    scribe.run(&as_argument).refused(2, &["--key"]);
    let for_ada = ["provider", "add", "adas", "--kind", "scripted", "--user", "ada"];
    assert!(scribe.ok(&for_ada).contains("only they can use it"));
    let nowhere =
        ["provider", "add", "gone", "--kind", "compatible", "--base-url", "http://127.0.0.1:1/v1"];
    scribe.refused(&nowhere, &["does not work", "untested"]);

    let listed = scribe.place.ok(&["provider", "list"]);
    assert!(listed.contains("plays  scripted  server") && !listed.contains("adas"), "{listed}");
    let listed = scribe.place.ok(&["provider", "list", "--user", "ada"]);
    assert!(listed.contains("adas") && listed.contains("plays"), "{listed}");
    scribe.ok(&["provider", "test", "plays"]);
    scribe.refused(&["provider", "test", "adas"], &["no provider `adas` there", "--user"]);
    scribe.ok(&["provider", "test", "adas", "--user", "ada"]);
    assert!(scribe.ok(&["models", "--provider", "plays"]).contains("plays/"));
    let models = scribe.ok(&["models", "--user", "ada", "--json"]);
    let models: serde_json::Value = serde_json::from_str(&models).unwrap();
    assert!(models.as_array().unwrap().iter().any(|model| model["provider"] == "adas"));
    scribe.refused(&["models", "--user", "nobody"], &["no account `nobody`"]);

    let rules = scribe.ok(&["route", "rules"]);
    assert_eq!(rules.lines().count(), 12, "{rules}");
    assert!(rules.starts_with("Complex coding") && rules.contains("→ opus"), "{rules}");
    scribe.ok(&["route", "rules", "--user", "ada", "--json"]);
    let removed = scribe.ok(&["provider", "remove", "adas", "--user", "ada"]);
    assert_eq!(removed, "adas is removed, and its key with it");
    scribe.ok(&["provider", "remove", "plays"]);
    scribe.refused(&["provider", "remove", "plays"], &["no provider `plays` there"]);
}

fn spending(scribe: &mut Scribe<'_>) {
    assert!(scribe.ok(&["usage"]).contains("Nothing was used"));
    assert!(scribe.ok(&["usage", "--by", "model", "--user", "ada"]).contains("Nothing was used"));
    scribe.run(&["usage", "--by", "week"]).refused(2, &["week", "conversation"]);
    scribe.refused(&["usage", "--from", "yesterday"], &["2026-11-21"]);
    scribe.ok(&["usage", "--json"]);

    assert!(scribe.ok(&["budget", "list"]).contains("no budgets"));
    let set = ["budget", "set", "--user", "ada", "--period", "month", "--dollars", "12.5"];
    assert!(scribe.ok(&set).ends_with("at most $12.50 a month"));
    scribe.ok(&["budget", "set", "--server", "--period", "day", "--tokens", "1000000"]);
    scribe.run(&["budget", "set", "--server", "--period", "day"]).refused(2, &["--dollars"]);
    scribe.run(&["budget", "set", "--period", "day", "--tokens", "1"]).refused(2, &["--server"]);
    let listed = scribe.ok(&["budget", "list"]);
    assert!(listed.contains("$12.50") && listed.contains("1000000"), "{listed}");
    let ids: Vec<String> = scribe
        .place
        .ok(&["budget", "list"])
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().last().unwrap().to_owned())
        .collect();
    for id in ids {
        assert_eq!(scribe.ok(&["budget", "remove", &id]), "It is taken away.");
        scribe.refused(&["budget", "remove", &id], &[]);
    }
    scribe.ok(&["budget", "list", "--json"]);
}

fn upkeep(scribe: &mut Scribe<'_>) {
    let listed = scribe.ok(&["audit", "list"]);
    assert!(listed.lines().any(|line| line.contains("create_user")), "{listed}");
    assert_eq!(scribe.ok(&["audit", "list", "--after", "1", "--limit", "2"]).lines().count(), 2);
    assert!(scribe.ok(&["audit", "list", "--after", "100000"]).contains("no more entries"));
    let verified = scribe.ok(&["audit", "verify"]);
    assert!(verified.contains("the chain is whole"), "{verified}");
    let head = verified.lines().find_map(|line| line.strip_prefix("head ")).unwrap().to_owned();
    let rotated = scribe.ok(&["secrets", "rotate"]);
    assert!(rotated.starts_with("0 secrets are sealed"), "{rotated}");
    scribe.ok(&["audit", "verify", "--expect", &head]);
    let other = head.replace(|c: char| c.is_ascii_digit(), "7");
    let broken = scribe.run(&["audit", "verify", "--expect", &other]);
    assert_eq!(broken.code, Some(1), "{broken:?}");

    let saved = scribe.ok(&["backup", "saved"]);
    assert!(saved.contains("rows") && saved.contains("The master key is not in it"), "{saved}");
    scribe.refused(&["backup", "saved"], &["exists already"]);
    scribe.refused(&["backup", "no/such/folder"], &["no/such/folder"]);
    scribe.refused(&["user", "delete", "bob"], &["bob", "--yes"]);
    assert_eq!(scribe.ok(&["user", "delete", "bob", "--yes"]), "bob is deleted");
    scribe.refused(&["user", "show", "bob"], &["no account `bob`"]);
}

async fn both_ways(database: Database) {
    let Some(place) = Place::new(database).map(Arc::new) else { return };
    // Once, so that there is data; without a gateway from then on.
    drop(Gateway::start_at(place.clone(), &[]).stop().await);
    let mut scribe = Scribe { place: &place, said: vec![] };
    let token = all_commands(&mut scribe);
    let offline = scribe.said;
    let gateway = Gateway::start_at(place.clone(), &[]);
    works(&gateway, &token).await;
    gateway.stop().await;
    place.mosaic(&["restore", "nofile"]).refused_with_next_step(1, &["cannot be read", "nofile"]);
    let foreign = place.mosaic(&["restore", "/etc/passwd"]);
    foreign.refused_with_next_step(1, &["/etc/passwd is not a Mosaic backup\n", "mosaic backup"]);
    let unasked = place.mosaic(&["restore", "saved"]);
    unasked.refused_with_next_step(1, &["there is an account here", "--replace"]);
    assert!(place.ok(&["restore", "saved", "--replace"]).contains("Everybody must log in again"));
    assert_eq!(place.ok(&["user", "list"]).lines().count(), 2, "bob is back");

    let gateway = Gateway::start(database, &[]).unwrap();
    let place = gateway.place().clone();
    let mut scribe = Scribe { place: &place, said: vec![] };
    let token = all_commands(&mut scribe);
    works(&gateway, &token).await;
    let in_use = place.mosaic(&["restore", "saved", "--replace"]);
    in_use.refused_with_next_step(1, &["in use", &gateway.pid().to_string()]);
    for (running, offline) in scribe.said.iter().zip(&offline) {
        assert_eq!(without_rows(running), without_rows(offline));
    }
}

/// Without how many rows a backup has: the gateway may have queued its first sweep by then, or not.
fn without_rows(said: &str) -> String {
    let (before, after) = said.split_once(" rows, ").unwrap_or((said, ""));
    format!("{}{after}", before.trim_end_matches(|c: char| c.is_ascii_digit()))
}

async fn works(gateway: &Gateway, token: &str) {
    let ada = Person::nobody(gateway.client()).with(Credential::Token(token.to_owned()));
    assert_eq!(ada.get("/api/me").await.ok()["user"]["name"], "ada");
    ada.get("/api/users").await.is(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_do_the_same_with_and_without_a_gateway_on_sqlite() {
    both_ways(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_do_the_same_with_and_without_a_gateway_on_postgres() {
    both_ways(Database::Postgres).await;
}
