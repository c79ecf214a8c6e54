//! The master key: where it is kept, how values are sealed under it, and how it is changed.
//!
//! A sealed value is AES-256-GCM with what it belongs to as associated data, so a row moved elsewhere does not open.
//! The database says, by a sealed check value, which key is the right one. A change of the key is safe to kill at
//! any point: first the key file holds both keys, then one transaction seals everything anew, then the old key goes;
//! whichever of the two the check value opens with is the current one.

use crate::{Ambient, Error, Result, Store, Tx, datadir::sync_dir, db::sql, error::at};
use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 12;
/// What the files of keys that were in use once begin with.
pub(crate) const RETIRED: &str = "retired-";

/// One master key.
#[derive(Clone)]
pub struct Key {
    bytes: Zeroizing<[u8; 32]>,
    id: String,
}

/// The key that new values are sealed under, and one that may be needed to open some: the one before it, or the one
/// that another node is changing to.
#[derive(Clone)]
pub struct Keyring {
    current: Key,
    previous: Option<Key>,
}

/// Where master keys come from.
#[derive(Clone)]
pub enum KeySource {
    /// `master.key` in the data directory, mode 0600; made on first start.
    File(PathBuf),
    /// The configuration: the key, and the one before it while it is being changed.
    Given {
        /// The key.
        key: Key,
        /// The one before it.
        previous: Option<Key>,
    },
}

/// A value under seal.
pub(crate) struct Sealed {
    pub(crate) key_id: String,
    pub(crate) bytes: Vec<u8>,
}

impl Key {
    /// Reads a key as people write it: 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Key> {
        let text = text.trim();
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = Zeroizing::new([0; 32]);
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Key::new(bytes))
    }

    fn new(bytes: Zeroizing<[u8; 32]>) -> Key {
        let id = Sha256::new().chain_update("mosaic master key id").chain_update(*bytes).finalize();
        Key { id: hex(&id[..8]), bytes }
    }

    fn mint(ambient: &Ambient) -> Key {
        Key::new(Zeroizing::new(ambient.bytes()))
    }

    /// A name for this key that gives nothing of it away.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A keyed digest, with a key of its own for each purpose.
    pub(crate) fn derive(&self, purpose: &[u8], bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        mac(&mac(&*self.bytes, purpose), bytes)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.bytes).into())
    }

    fn seal(&self, ambient: &Ambient, belongs_to: &[u8], value: &[u8]) -> Result<Sealed> {
        let nonce: [u8; NONCE_BYTES] = ambient.bytes();
        let payload = Payload { msg: value, aad: belongs_to };
        let cipher = self
            .cipher()
            .encrypt(&nonce.into(), payload)
            .map_err(|_| Error::Sealed("sealing".into()))?;
        Ok(Sealed { key_id: self.id.clone(), bytes: [&nonce[..], &cipher].concat() })
    }

    fn open(&self, belongs_to: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, cipher) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: cipher, aad: belongs_to };
        self.cipher().decrypt(nonce.into(), payload).ok().map(Zeroizing::new)
    }
}

impl Keyring {
    /// The key that new values are sealed under.
    pub fn current(&self) -> &Key {
        &self.current
    }

    pub(crate) fn seal(
        &self,
        ambient: &Ambient,
        belongs_to: &[u8],
        value: &[u8],
    ) -> Result<Sealed> {
        self.current.seal(ambient, belongs_to, value)
    }

    pub(crate) fn open(
        &self,
        belongs_to: &[u8],
        sealed: &Sealed,
        what: &str,
    ) -> Result<Zeroizing<Vec<u8>>> {
        std::iter::once(&self.current)
            .chain(&self.previous)
            .filter(|key| key.id == sealed.key_id)
            .find_map(|key| key.open(belongs_to, &sealed.bytes))
            .ok_or_else(|| Error::Sealed(what.to_owned()))
    }

    /// The ring that seals as before, and opens what is under `key`, too.
    pub(crate) fn beside(&self, key: Key) -> Keyring {
        Keyring { current: self.current.clone(), previous: Some(key) }
    }

    /// The ring in which `key` is the one to seal under, and nothing else opens.
    pub(crate) fn only(key: Key) -> Keyring {
        Keyring { current: key, previous: None }
    }

    /// The ring in which `key` seals, and what the present one opens still opens.
    pub(crate) fn with_next(&self, key: Key) -> Keyring {
        Keyring { current: key, previous: Some(self.current.clone()) }
    }
}

impl KeySource {
    /// The keys that were given, or else the file in the data directory.
    pub fn of(given: Option<(Key, Option<Key>)>, data: &Path) -> KeySource {
        match given {
            Some((key, previous)) => KeySource::Given { key, previous },
            None => KeySource::File(data.join("master.key")),
        }
    }

    /// The file of a key that is no longer in use.
    pub(crate) fn retired_file(&self, key_id: &str) -> Option<PathBuf> {
        match self {
            KeySource::File(path) => Some(path.with_file_name(format!("{RETIRED}{key_id}.key"))),
            KeySource::Given { .. } => None,
        }
    }

    /// All keys at hand, the preferred one first. Makes nothing.
    pub(crate) fn candidates(&self) -> Result<Vec<Key>> {
        match self {
            KeySource::Given { key, previous } => {
                Ok(std::iter::once(key).chain(previous).cloned().collect())
            }
            KeySource::File(path) => {
                match fs::read_to_string(path) {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(vec![]),
                    Err(error) => Err(at(path)(error)),
                    Ok(text) => {
                        let text = Zeroizing::new(text);
                        let mode = fs::metadata(path).map_err(at(path))?.mode();
                        if mode & 0o077 != 0 {
                            return Err(Error::refused(
                                format!(
                                    "the master key {} can be read by others (mode {:o})",
                                    path.display(),
                                    mode & 0o777
                                ),
                                format!(
                                    "run: chmod 600 '{}' — and if others may have read it: mosaic secrets rotate",
                                    path.display()
                                ),
                            ));
                        }
                        let keys: Option<Vec<Key>> = text.lines().map(Key::from_hex).collect();
                        keys.filter(|keys| !keys.is_empty()).ok_or_else(|| {
                        Error::refused(
                            format!("the master key {} is damaged: it must hold 64 hexadecimal digits", path.display()),
                            "put the right key file back from where you keep your copy of it",
                        )
                    })
                    }
                }
            }
        }
    }

    /// Whether the file is gone that the key should be in. Retired keys may still be beside it.
    fn is_missing(&self) -> bool {
        matches!(self, KeySource::File(path) if !path.exists())
    }

    /// Keys that were in use once, for backups made then.
    fn retired(&self) -> Result<Vec<Key>> {
        let KeySource::File(path) = self else { return Ok(vec![]) };
        let Some(Ok(entries)) = path.parent().map(fs::read_dir) else { return Ok(vec![]) };
        let mut keys = vec![];
        for entry in entries.flatten() {
            let name = entry.file_name();
            if name.to_string_lossy().starts_with(RETIRED)
                && name.to_string_lossy().ends_with(".key")
            {
                keys.extend(KeySource::File(entry.path()).candidates()?);
            }
        }
        Ok(keys)
    }

    /// Every key that a backup may be sealed under, the present ones first.
    pub(crate) fn for_backups(&self) -> Result<Vec<Key>> {
        Ok([self.candidates()?, self.retired()?].concat())
    }

    /// A first key for an empty store.
    pub(crate) fn first(&self, ambient: &Ambient) -> Result<Key> {
        match self {
            KeySource::Given { key, .. } => Ok(key.clone()),
            KeySource::File(path) => {
                let key = Key::mint(ambient);
                write_keys(path, &[&key])?;
                Ok(key)
            }
        }
    }
}

/// Puts the keys into the file in one step: readers see the old content or the new, also after a power cut.
fn write_keys(path: &Path, keys: &[&Key]) -> Result<()> {
    let partial = path.with_extension("key.partial");
    let _ = fs::remove_file(&partial);
    let text = Zeroizing::new(keys.iter().map(|key| hex(&*key.bytes) + "\n").collect::<String>());
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)
        .map_err(at(&partial))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(at(&partial))?;
    fs::rename(&partial, path).map_err(at(path))?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Deletes key files that a kill left half written: nobody would look for a key in them, or guard it.
fn sweep_partial(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(at(dir))? {
        let path = entry.map_err(at(dir))?.path();
        if path.to_string_lossy().ends_with(".key.partial") {
            fs::remove_file(&path).map_err(at(&path))?;
        }
    }
    Ok(())
}

/// A change of the master key that has begun.
pub(crate) struct Rotation {
    pub(crate) next: Key,
    file: Option<PathBuf>,
}

impl KeySource {
    /// Finds the next key and makes sure that it cannot be lost before anything is sealed under it.
    pub(crate) fn begin_rotation(&self, ambient: &Ambient, current: &Key) -> Result<Rotation> {
        match self {
            KeySource::File(path) => {
                let next = Key::mint(ambient);
                self.hand_over(current, &next)?;
                Ok(Rotation { next, file: Some(path.clone()) })
            }
            KeySource::Given { key, .. } if key.id != current.id => {
                Ok(Rotation { next: key.clone(), file: None })
            }
            KeySource::Given { .. } => Err(Error::refused(
                "the master key comes from the configuration, and it has not changed",
                "set MOSAIC_MASTER_KEY to the new key and MOSAIC_MASTER_KEY_PREVIOUS to the old one, then run this again",
            )),
        }
    }

    /// Makes sure that neither key is lost, whatever becomes of the transaction that goes from one to the other. The
    /// old one stays beside the file for good: backups made before are still sealed under it.
    pub(crate) fn hand_over(&self, old: &Key, new: &Key) -> Result<()> {
        let KeySource::File(path) = self else { return Ok(()) };
        if let Some(retired) = self.retired_file(&old.id) {
            write_keys(&retired, &[old])?;
        }
        let there = self.candidates()?;
        let spare = there.iter().filter(|key| key.id != old.id && key.id != new.id);
        write_keys(path, &[new, old].into_iter().chain(spare).collect::<Vec<_>>())
    }

    /// Leaves only the current key in the file, if a change of keys was cut short or a backup brought another.
    pub(crate) fn settle(&self, current: &Key) -> Result<()> {
        let KeySource::File(path) = self else { return Ok(()) };
        path.parent().map_or(Ok(()), sweep_partial)?;
        match self.candidates()?.as_slice() {
            [only] if only.id == current.id => Ok(()),
            _ => write_keys(path, &[current]),
        }
    }
}

impl Rotation {
    /// Forgets the old key, now that nothing is sealed under it.
    pub(crate) fn finish(self) -> Result<()> {
        self.file.map_or(Ok(()), |path| write_keys(&path, &[&self.next]))
    }
}

const CHECK: &str = "check";
const CHECK_VALUE: &[u8] = b"mosaic: this is the right master key";

/// Finds which of the keys at hand is the one that this database is sealed under. Writes nothing. `None`: the
/// database has never been sealed.
pub(crate) async fn recognise(
    tx: &mut Tx,
    source: &KeySource,
    candidates: &[Key],
) -> Result<Option<Keyring>> {
    if !tx.has_table("keyring").await? {
        return Ok(None);
    }
    let Some(sealed) = load(tx, CHECK).await? else { return Ok(None) };
    let fits = |key: &&Key| {
        key.open(CHECK.as_bytes(), &sealed.bytes).is_some_and(|value| *value == CHECK_VALUE)
    };
    match candidates.iter().find(fits) {
        // The other one may be what another node changes to while this one runs.
        Some(key) => Ok(Some(Keyring {
            current: key.clone(),
            previous: candidates.iter().find(|other| other.id != key.id).cloned(),
        })),
        // A retired key that does not fit is not the one that anybody gave.
        None if candidates.is_empty() || source.is_missing() => Err(Error::refused(
            format!("the master key is missing: this data is sealed under key {}", sealed.key_id),
            "put master.key back into the data directory from where you keep its copy, or set MOSAIC_MASTER_KEY",
        )),
        None => Err(Error::refused(
            format!(
                "wrong master key: this data is sealed under key {}, you gave key {}",
                sealed.key_id, candidates[0].id
            ),
            "put the right master.key into the data directory, or set MOSAIC_MASTER_KEY to the right key",
        )),
    }
}

/// Seals the check value and the store's own keys into a database that has none.
pub(crate) async fn found(tx: &mut Tx, ambient: &Ambient, ring: &Keyring) -> Result<()> {
    put(tx, ambient, ring, CHECK, CHECK_VALUE).await?;
    put(tx, ambient, ring, "audit", &ambient.bytes::<32>()).await
}

/// The key that binds the audit chain.
pub(crate) async fn audit_key(tx: &mut Tx, store: &Store) -> Result<Zeroizing<Vec<u8>>> {
    let sealed = sealed_audit_key(tx).await?;
    // Asked for after the row was read: a ring older than the row may not open it.
    store.keys().open(b"audit", &sealed, "the audit key")
}

/// The same with a ring that is not the store's yet.
pub(crate) async fn audit_key_of(tx: &mut Tx, ring: &Keyring) -> Result<Zeroizing<Vec<u8>>> {
    ring.open(b"audit", &sealed_audit_key(tx).await?, "the audit key")
}

async fn sealed_audit_key(tx: &mut Tx) -> Result<Sealed> {
    load(tx, "audit").await?.ok_or_else(|| Error::Damaged("the audit key is missing".into()))
}

/// Seals the store's own values under the ring's current key.
pub(crate) async fn reseal(tx: &mut Tx, ambient: &Ambient, ring: &Keyring) -> Result<()> {
    for name in [CHECK, "audit"] {
        let sealed = load(tx, name)
            .await?
            .ok_or_else(|| Error::Damaged(format!("keyring has no `{name}`")))?;
        let value = ring.open(name.as_bytes(), &sealed, name)?;
        put(tx, ambient, ring, name, &value).await?;
    }
    Ok(())
}

async fn load(tx: &mut Tx, name: &str) -> Result<Option<Sealed>> {
    let row = sql!(
        tx,
        maybe(String, Vec<u8>),
        "select key_id, sealed from keyring where name = $1",
        name
    )?;
    Ok(row.map(|(key_id, bytes)| Sealed { key_id, bytes }))
}

async fn put(
    tx: &mut Tx,
    ambient: &Ambient,
    ring: &Keyring,
    name: &str,
    value: &[u8],
) -> Result<()> {
    let sealed = ring.seal(ambient, name.as_bytes(), value)?;
    sql!(
        tx,
        run,
        "insert into keyring (name, key_id, sealed) values ($1, $2, $3)
         on conflict (name) do update set key_id = excluded.key_id, sealed = excluded.sealed",
        name,
        sealed.key_id,
        sealed.bytes
    )?;
    Ok(())
}

fn mac(key: &[u8], bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    // A key of any length will do.
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else {
        return vec![].into();
    };
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec().into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
