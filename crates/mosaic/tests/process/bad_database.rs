//! A database or a master key that does not fit: refused before anything is written, and never with a password.

use crate::{
    bad_place::{made, refuses},
    saying::run_with,
    seed::put_blob,
    support::{Database, Gateway, PATIENCE, Place, eventually, part},
    whole,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{net::TcpListener, os::unix::fs::PermissionsExt, sync::Arc};

const PASSWORD: &str = "pass-word-nobody-may-see";

/// Whether a place in PostgreSQL's own source is told.
fn said_by_a_source_line(text: &str) -> bool {
    text.contains(" at line ") || text.contains(".c:")
}

/// Starts the gateway with this database.
#[track_caller]
fn refuses_url(code: i32, url: &str, words: &[&str]) {
    let place = Place::sqlite();
    let with = |arguments: &[&str]| {
        run_with(&place, arguments, |command| {
            command.env("MOSAIC_DATABASE_URL", url);
        })
    };
    for arguments in [&["up", "--listen", "127.0.0.1:0"][..], &["user", "list"]] {
        let output = with(arguments);
        assert!(!format!("{output:?}").contains(PASSWORD), "{output:?}");
        if code == 2 {
            output.refused(code, words)
        } else {
            output.refused_with_next_step(code, words)
        };
    }
    let doctor = with(&["doctor"]);
    assert_ne!(doctor.code, Some(0), "{doctor:?}");
    assert!(!said_by_a_source_line(&format!("{doctor:?}")), "{doctor:?}");
    assert!(!format!("{doctor:?}").contains(PASSWORD), "{doctor:?}");
}

#[test]
fn a_database_url_that_makes_no_sense_is_refused() {
    for url in [
        format!("postgres//{PASSWORD}"),
        format!("mysql://me:{PASSWORD}@127.0.0.1/db"),
        format!("postgres://me:{PASSWORD}@:x/"),
    ] {
        refuses_url(2, &url, &["MOSAIC_DATABASE_URL", "database_url"]);
    }
}

#[test]
fn a_database_that_is_not_there_is_refused() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("postgres://me:{PASSWORD}@{free}/mine");
    refuses_url(1, &url, &["PostgreSQL", &free.to_string(), "check that it runs"]);
}

#[test]
fn a_database_that_never_answers_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let place = Place::sqlite();
    let output = run_with(&place, &["user", "list"], |command| {
        command.env("MOSAIC_DATABASE_URL", format!("postgres://me:{PASSWORD}@{address}/mine"));
    });
    let said = output.refused_with_next_step(1, &["PostgreSQL", &address.to_string()]);
    assert!(!said.contains(PASSWORD), "{said}");
}

#[test]
fn a_wrong_password_and_a_missing_database_are_told_without_the_password() {
    let Some(server) = part("TEST_POSTGRES_URL") else { return };
    let (server, _) = server.rsplit_once('/').unwrap();
    refuses_url(1, &format!("{server}/no_such_database"), &["PostgreSQL", "no_such_database"]);
    let (scheme, rest) = server.split_once("://").unwrap();
    let (_, host) = rest.rsplit_once('@').unwrap_or(("", rest));
    // A server that trusts everybody knows no such role.
    let url = format!("{scheme}://nobody_{}:{PASSWORD}@{host}/postgres", std::process::id());
    refuses_url(1, &url, &["PostgreSQL", "user and password"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_is_told_and_comes_back() {
    let Some(place) = Place::new(Database::Postgres).map(Arc::new) else { return };
    // Once, so that there is something that exists already.
    let place = Gateway::start_at(place, &[]).stop().await;
    let gateway = Gateway::start_at(place.clone(), &[]);
    assert!(!gateway.log().contains("already exists"), "notices are no news: {}", gateway.log());
    let admin = gateway.admin().await;
    // Every connection is cut, as when the server is started anew.
    let cut = "select pg_terminate_backend(pid)::text from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid()";
    place.rows(cut).await;
    let face = admin.get("/api/me").await;
    assert!([200, 503].contains(&face.status), "{}", face.face());
    admin.get("/api/me").await.is(200);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_names_postgres_when_it_lets_the_running_gateway_down() {
    let Some(place) = Place::new(Database::Postgres).map(Arc::new) else { return };
    let gateway = Gateway::start_at(place.clone(), &[]);
    let name = place.rows("select current_database()::text").await.remove(0);
    let mut server = PgConnection::connect(&part("TEST_POSTGRES_URL").unwrap()).await.unwrap();
    for text in [
        format!("alter database {name} allow_connections false"),
        format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut server).await.unwrap();
    }
    server.close().await.unwrap();
    eventually("it is not ready", PATIENCE, async || gateway.get("/readyz").await.status == 503)
        .await;
    let doctor = place.mosaic(&["doctor"]);
    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    for words in ["BAD   database: PostgreSQL at ", &name] {
        assert!(doctor.stdout.contains(words), "{doctor:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_database_file_is_refused_and_kept() {
    let place = made().await;
    let file = place.data().join("mosaic.db");
    let whole = std::fs::read(&file).unwrap();
    let words: &[&str] = &["mosaic.db", "damaged", "nothing was changed", "mosaic restore"];

    std::fs::write(&file, "these are no tables, but words. ".repeat(999)).unwrap();
    refuses(&place, words, |_| {});
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    refuses(&place, words, |_| {});
    std::fs::write(&file, &whole[..100]).unwrap();
    refuses(&place, words, |_| {});
    let mut broken = whole.clone();
    broken[100..whole.len() / 2].fill(0xa5);
    std::fs::write(&file, &broken).unwrap();
    refuses(&place, words, |_| {});

    std::fs::write(&file, &whole).unwrap();
    whole::check(&place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_database_is_not_replaced_and_no_blob_is_swept_away() {
    let gateway = Gateway::start_sqlite(&[]);
    put_blob(&gateway.admin().await, 7, 100).await;
    let place = gateway.stop().await;
    let file = place.data().join("mosaic.db");
    let whole = std::fs::read(&file).unwrap();
    let words: &[&str] = &["mosaic.db", "blobs/", "nothing was changed", "mosaic restore"];
    for state in ["missing", "empty"] {
        if state == "missing" {
            std::fs::remove_file(&file).unwrap();
        } else {
            std::fs::write(&file, "").unwrap();
        }
        assert!(refuses(&place, words, |_| {}).contains(state));
        place.mosaic(&["user", "list"]).refused_with_next_step(1, words);
        let doctor = place.mosaic(&["doctor"]);
        assert!(doctor.code == Some(1) && doctor.stdout.contains("BAD   database"), "{doctor:?}");
    }
    std::fs::write(&file, &whole).unwrap();
    // Every row has its file.
    whole::check(&place).await;
    doctor_and_backup_name_a_lost_file(&place);
}

/// The other way round: one file of a blob is gone.
fn doctor_and_backup_name_a_lost_file(place: &Place) {
    assert!(place.ok(&["doctor"]).contains("good  blobs"));
    let blobs = place.data().join("blobs");
    let file = place.files().into_keys().find(|path| path.starts_with(&blobs)).unwrap();
    std::fs::remove_file(&file).unwrap();
    let name = file.display().to_string();
    let doctor = place.mosaic(&["doctor"]);
    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    assert!(doctor.stdout.contains("BAD   blobs: 1 "), "{doctor:?}");
    assert!(doctor.stdout.contains(&name), "{doctor:?}");
    let words = ["a blob that belongs into the backup", &name, "no backup was written"];
    place.mosaic(&["backup", "saved"]).refused_with_next_step(1, &words);
    assert!(!place.beside("saved").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_a_newer_or_another_program_is_refused() {
    let place = made().await;
    place.run("update migrations set number = 900 where number = 1").await;
    refuses(&place, &["newer", "migration 900"], |_| {});
    place.run("update migrations set number = 1, digest = x'00' where number = 900").await;
    refuses(&place, &["migration 1", "not the one this program knows"], |_| {});
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_key_that_does_not_fit_is_refused() {
    let place = made().await;
    let file = place.data().join("master.key");
    let right = std::fs::read_to_string(&file).unwrap();
    let other = "ab".repeat(32);

    refuses(&place, &["wrong master key", "MOSAIC_MASTER_KEY"], |command| {
        command.env("MOSAIC_MASTER_KEY", &other);
    });
    std::fs::write(&file, format!("{other}\n")).unwrap();
    let said = refuses(&place, &["wrong master key", "master.key"], |_| {});
    assert!(!said.contains(&other), "{said}");
    for garbage in ["", "\n", "abc\n", &right[..40], "not a key\n"] {
        std::fs::write(&file, garbage).unwrap();
        refuses(&place, &["master.key", "damaged", "copy"], |_| {});
    }
    std::fs::remove_file(&file).unwrap();
    refuses(&place, &["the master key is missing", "put master.key back"], |_| {});
    assert!(!file.exists(), "a new key would not open anything");
    // A retired key beside it does not make it the wrong one.
    let retired = file.with_file_name("retired-1.key");
    std::fs::write(&retired, format!("{other}\n")).unwrap();
    std::fs::set_permissions(&retired, PermissionsExt::from_mode(0o600)).unwrap();
    refuses(&place, &["the master key is missing", "put master.key back"], |_| {});
    let doctor = place.mosaic(&["doctor"]);
    for line in ["BAD   master key: ", "BAD   database: the master key is missing"] {
        assert!(doctor.stdout.contains(line), "{doctor:?}");
    }
    std::fs::remove_file(&retired).unwrap();

    std::fs::write(&file, &right).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    refuses(&place, &["can be read by others", "644", "chmod 600"], |_| {});
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    // The same key by another way.
    let listed = run_with(&place, &["user", "list"], |command| {
        command.env("MOSAIC_MASTER_KEY", right.trim());
    });
    listed.ok();
    whole::check(&place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_from_the_configuration_is_changed_by_giving_both() {
    let place = Arc::new(Place::sqlite());
    let keys = ["ab".repeat(32), "cd".repeat(32)];
    let gateway = Gateway::try_start_with(place.clone(), &[], |command| {
        command.env("MOSAIC_MASTER_KEY", &keys[0]);
    });
    gateway.unwrap().stop().await;
    assert!(!place.data().join("master.key").exists());
    let rotate = |key: &str, previous: Option<&str>| {
        run_with(&place, &["secrets", "rotate"], |command| {
            command.env("MOSAIC_MASTER_KEY", key);
            command.envs(previous.map(|previous| ("MOSAIC_MASTER_KEY_PREVIOUS", previous)));
        })
    };
    rotate(&keys[0], None)
        .refused_with_next_step(1, &["has not changed", "MOSAIC_MASTER_KEY_PREVIOUS"]);
    rotate(&keys[1], None).refused_with_next_step(1, &["wrong master key"]);
    rotate(&keys[1], Some(&keys[0])).ok();
    refuses(&place, &["wrong master key"], |command| {
        command.env("MOSAIC_MASTER_KEY", &keys[0]);
    });
    rotate(&keys[1], None).refused_with_next_step(1, &["has not changed"]);
}
