//! Backups that are not whole, not backups, or not of this program: refused, and nothing is changed.

use crate::{
    backups::lines,
    laws,
    place::{NOW, Place, refusal},
    seed,
};
use mosaic_store::{
    Error, Store, blobs,
    restore::{self, How},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
};

laws! { forged_backups, a_signature_tells_changes, what_is_derived_is_derived_anew }

/// A small backup, its bytes, and a file beside it to put changed ones into.
struct Sample {
    _place: Place,
    bytes: Vec<u8>,
    path: PathBuf,
}

async fn sample() -> Sample {
    let place = Place::sqlite();
    let store = place.open().await;
    let (ada, own) = seed::user(&store, "ada").await;
    seed::team(&store, "Weavers", ada).await;
    seed::put_secret(&store, own, "KEY", "v").await;
    store.put_blob(own, &seed::bytes(1, 100)).await.unwrap();
    store.put_blob(own, &bytes::Bytes::new()).await.unwrap();
    seed::note(&store, "thing:1").await;
    let path = place.beside("backup");
    store.backup(&path).await.unwrap();
    store.close().await;
    let bytes = fs::read(&path).unwrap();
    Sample { path: place.beside("changed"), _place: place, bytes }
}

impl Sample {
    /// Whether these bytes pass for a whole backup; if not, they must be refused in words.
    fn passes(&self, bytes: &[u8]) -> bool {
        fs::write(&self.path, bytes).unwrap();
        let checked = restore::check(&self.path);
        checked.is_ok() || {
            refusal(checked);
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_anywhere() {
    let sample = sample().await;
    assert!(sample.passes(&sample.bytes));
    let ends = sample.bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let ends: Vec<usize> = ends.map(|(at, _)| at).collect();
    let near_ends = ends.iter().flat_map(|end| [end - 1, *end, end + 1]);
    let lens = (0..sample.bytes.len()).step_by(37).chain(near_ends);
    for len in lens.filter(|len| *len < sample.bytes.len()) {
        assert!(!sample.passes(&sample.bytes[..len]), "cut to {len} bytes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flipped_anywhere() {
    let sample = sample().await;
    let len = sample.bytes.len();
    let last_line = sample.bytes[..len - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    let flips = (0..len).step_by(7).map(|at| (at, at % 8));
    // The signature is checked with the key at hand, so not here.
    let signature = String::from_utf8_lossy(&sample.bytes).rfind("\"signature\":\"").unwrap() + 13;
    let flips = flips.filter(|(at, _)| *at < signature);
    let flips_at_the_end = (last_line..signature).flat_map(|at| (0..8).map(move |bit| (at, bit)));
    for (at, bit) in flips.chain(flips_at_the_end) {
        let mut bytes = sample.bytes.clone();
        bytes[at] ^= 1 << bit;
        assert!(!sample.passes(&bytes), "bit {bit} of byte {at}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rearranged_or_with_more() {
    let sample = sample().await;
    let whole = &sample.bytes;
    let text = String::from_utf8(whole.clone()).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let end = lines[lines.len() - 1];
    for more in ["\n", " ", "x", "{}\n", r#"{"row":[]}"#, end, &text] {
        assert!(!sample.passes(&[whole, more.as_bytes()].concat()), "{more:?} after the end");
        assert!(!sample.passes(&[more.as_bytes(), whole].concat()), "{more:?} before the start");
    }
    for n in 0..lines.len() {
        let without: String = [&lines[..n], &lines[n + 1..]].concat().concat();
        assert!(!sample.passes(without.as_bytes()), "without line {n}");
        let twice: String = [&lines[..=n], &lines[n..]].concat().concat();
        assert!(!sample.passes(twice.as_bytes()), "with line {n} twice");
    }
    let mut swapped = lines.clone();
    swapped.swap(3, 4);
    assert!(!sample.passes(swapped.concat().as_bytes()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_backup_at_all() {
    let sample = sample().await;
    for bytes in ["", "\n", "hello", "null\n", "[]\n", "SQLite format 3\0"] {
        assert!(!sample.passes(bytes.as_bytes()), "{bytes:?}");
    }
    assert!(!sample.passes(&vec![b'x'; 9_000_000]));
    assert!(!sample.passes(&vec![0; 1000]));
    refusal(restore::check(sample.path.parent().unwrap()));
    let missing = restore::check(Path::new("/proc/self/no such file"));
    assert!(matches!(missing, Err(Error::File { .. })), "{missing:?}");
}

/// Writes these lines with counts and a checksum that are right.
fn forge(path: &Path, lines: &[Value]) {
    let count = |word: &str| lines.iter().filter(|line| line.get(word).is_some()).count();
    let mut text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let sha256: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    let end = json!({"end": {"n_rows": count("row"), "n_blobs": count("blob"), "sha256": sha256}});
    text.push_str(&format!("{end}\n"));
    fs::write(path, text).unwrap();
}

fn header() -> Value {
    json!({"mosaic_backup": {"format": 1, "migration": 1, "taken_at": NOW.0, "key_id": "0000"}})
}

#[test]
fn newer_ones() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("forged");
    forge(&path, &[header()]);
    restore::check(&path).unwrap();
    for (field, value) in [("format", 2), ("migration", 999)] {
        let mut header = header();
        header["mosaic_backup"][field] = value.into();
        forge(&path, &[header]);
        let text = refusal(restore::check(&path));
        assert!(text.contains("newer mosaic") && text.contains(&value.to_string()), "{text}");
    }
}

/// What `check` cannot know is refused by the restore itself, which then has done nothing.
async fn forged_backups(place: Place) {
    let store = place.open().await;
    seed::everything(&store, "m").await;
    let path = place.beside("backup");
    store.backup(&path).await.unwrap();
    let mut whole = lines(&path);
    whole.pop();
    let at = |lines: &[Value], table: &str| {
        lines.iter().position(|line| line["table"]["name"] == table).unwrap()
    };
    let users = at(&whole, "users");
    let mut forgeries: Vec<(&str, Vec<Value>)> = vec![];
    let mut forgery = |what, change: &dyn Fn(&mut Vec<Value>)| {
        let mut lines = whole.clone();
        change(&mut lines);
        forgeries.push((what, lines));
    };
    let table = |name: &str, columns: &[&str]| json!({"table": {"name": name, "columns": columns}});
    for name in
        ["sqlite_master", "pg_class", "sessions", "meta", "audit_head", "users; drop table users"]
    {
        forgery("a foreign table", &|lines| lines[users] = table(name, &["id"]));
    }
    for column in ["x", "id) values ('a'); delete from users; --", "rowid"] {
        forgery("a foreign column", &|lines| lines[users] = table("users", &[column]));
    }
    let row = |values: Value| json!({"row": values});
    forgery("a row without a table", &|lines| lines.insert(1, row(json!(["x"]))));
    forgery("a short row", &|lines| lines[users + 1] = row(json!(["x"])));
    forgery("a wrong kind", &|lines| lines[users + 1]["row"][0] = 1.into());
    forgery("a null", &|lines| lines[users + 1]["row"][0] = Value::Null);
    forgery("an object", &|lines| lines[users + 1]["row"][0] = json!({"base64": "eA=="}));
    forgery("the same twice", &|lines| lines.insert(users + 1, lines[users + 1].clone()));
    forgery("nobody's workspace", &|lines| drop(lines.remove(users + 1)));
    let keyring = at(&whole, "keyring");
    forgery("no keyring", &|lines| drop(lines.drain(keyring + 1..keyring + 3)));
    forgery("bad base64", &|lines| lines[keyring + 1]["row"][2] = json!({"base64": "*"}));
    let piece = whole.iter().position(|line| line.get("piece").is_some()).unwrap();
    forgery("a piece that is not base64", &|lines| lines[piece] = json!({"piece": "*"}));
    forgery("other bytes", &|lines| lines[piece] = json!({"piece": "eA=="}));
    forgery("missing bytes", &|lines| drop(lines.remove(piece)));
    forgery("a piece without a blob", &|lines| lines.insert(1, json!({"piece": "eA=="})));
    forgery("a name that is a path", &|lines| {
        let blob = lines.iter().position(|line| line.get("blob").is_some()).unwrap();
        lines[blob]["blob"]["hash"] = "../../escaped".into();
    });
    let blob = whole.iter().position(|line| line.get("blob").is_some()).unwrap();
    let blobs_at = at(&whole, "blobs");
    forgery("a row without bytes", &|lines| {
        let next = lines[blob + 1..].iter().position(|line| line.get("blob").is_some());
        drop(lines.drain(blob..blob + 1 + next.unwrap()));
    });
    forgery("bytes without a row", &|lines| drop(lines.remove(blobs_at + 1)));
    forgery("another size", &|lines| lines[blob]["blob"]["size_bytes"] = 1_000_000.into());
    forgery("a size that both agree on", &|lines| {
        for line in lines.iter_mut() {
            if let Some(size) = line.pointer_mut("/blob/size_bytes") {
                *size = 1_000_000.into();
            }
        }
        for row in &mut lines[blobs_at + 1..=blobs_at + 3] {
            row["row"][2] = 1_000_000.into();
        }
    });
    forgery("a password that takes four gigabytes to check", &|lines| {
        lines[users + 1]["row"][3] = "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdA$aGFzaA".into();
    });
    forgery("a name that nobody could have chosen", &|lines| {
        lines[users + 1]["row"][1] = "A B".into();
    });
    let audit_at = at(&whole, "audit");
    forgery("a deed that was not done", &|lines| lines[audit_at + 1]["row"][5] = "x".into());
    forgery("a long line", &|lines| lines[piece] = json!({"piece": "A".repeat(5_000_000)}));

    let before = place.tables().await;
    let generation = store.generation().await.unwrap();
    let forged = place.beside("forged");
    for (what, lines) in &forgeries {
        forge(&forged, lines);
        let how = How { replace: true, keep_tokens: false, unsigned: true };
        let restored = try_restore(&store, &forged, how).await;
        let text = refusal(restored);
        assert!(text.contains("not a whole backup"), "{what}: {text}");
        assert_eq!(place.tables().await, before, "{what}");
    }
    assert_eq!(store.generation().await.unwrap(), generation);
    store.close().await;
    let store = place.open().await;
    let blob = blobs::hash_of(&seed::bytes(7, 2_500_000));
    let mut tx = store.read().await.unwrap();
    let all = mosaic_store::workspaces::all(&mut tx, "", 10).await.unwrap();
    drop(tx);
    let team = all.iter().find(|workspace| workspace.team_id.is_some()).unwrap();
    assert!(store.get_blob(team.id, &blob).await.unwrap().is_some());
    if !place.is_postgres() {
        assert_eq!(crate::place::files_below(&place.data().join("blobs")).len(), 3);
    }
    // The forger itself is honest: unchanged lines are a backup.
    forge(&forged, &whole);
    try_restore(&store, &forged, How { replace: true, keep_tokens: true, unsigned: true })
        .await
        .unwrap();
    store.close().await;
}

/// Whoever has the backup, and not the key, cannot change it unnoticed.
async fn a_signature_tells_changes(place: Place) {
    let store = place.open().await;
    seed::everything(&store, "m").await;
    let path = place.beside("backup");
    store.backup(&path).await.unwrap();
    let whole = lines(&path);
    let signature = whole.last().unwrap()["end"]["signature"].clone();
    let before = place.tables().await;
    let forged = place.beside("forged");
    let asked = How { replace: true, ..How::default() };
    let mut changed = whole[..whole.len() - 1].to_vec();
    let users = changed.iter().position(|line| line["table"]["name"] == "users").unwrap();
    changed[users + 1]["row"][4] = 1.into();
    // No signature is refused unless it is asked for; the old one does not fit, whatever is asked for.
    forge(&forged, &changed);
    let text = refusal(try_restore(&store, &forged, asked).await);
    assert!(text.contains("--unsigned"), "{text}");
    let mut end = lines(&forged).pop().unwrap();
    end["end"]["signature"] = signature;
    let text = fs::read_to_string(&forged).unwrap();
    let (head, _) = text.trim_end().rsplit_once('\n').unwrap();
    fs::write(&forged, format!("{head}\n{end}\n")).unwrap();
    for unsigned in [false, true] {
        let text = refusal(try_restore(&store, &forged, How { unsigned, ..asked }).await);
        assert!(text.contains("signature"), "{text}");
    }
    // Nor does one under a key that is not here.
    changed[0]["mosaic_backup"]["key_id"] = "0000000000000000".into();
    forge(&forged, &changed);
    let text = refusal(try_restore(&store, &forged, How { unsigned: true, ..asked }).await);
    assert!(text.contains("0000000000000000"), "{text}");
    assert_eq!(place.tables().await, before);
    try_restore(&store, &path, asked).await.unwrap();
    store.close().await;
}

async fn what_is_derived_is_derived_anew(place: Place) {
    let store = place.open().await;
    seed::everything(&store, "m").await;
    let path = place.beside("backup");
    store.backup(&path).await.unwrap();
    let before = place.tables().await["workspaces"].clone();
    let mut lines = lines(&path);
    lines.pop();
    let at = lines.iter().position(|line| line["table"]["name"] == "workspaces").unwrap();
    for row in &mut lines[at + 1..=at + 2] {
        row["row"][4] = 0.into();
    }
    let forged = place.beside("forged");
    forge(&forged, &lines);
    let how = How { replace: true, unsigned: true, ..How::default() };
    try_restore(&store, &forged, how).await.unwrap();
    assert_eq!(place.tables().await["workspaces"], before);
    store.close().await;
}

async fn try_restore(store: &Store, path: &Path, how: How) -> mosaic_store::Result<()> {
    restore::check(path)?;
    store.restore(path, how, |_| {}).await.map(drop)
}
