//! Secrets of workspaces, such as provider keys: sealed, each bound to its workspace, its row and its host.

use crate::{
    Error, Result, Store, Tx, audit,
    audit::Record,
    db::{One, sql},
    keyring::{self, Keyring, Sealed},
    provider_logins, providers,
};
use mosaic_protocol::{
    SecretId, Time, WorkspaceId,
    access::Actor,
    audit::{Deed, Of},
    operator::RotateReport,
    workspace::Secret,
};
use sqlx::FromRow;
use zeroize::Zeroizing;

/// How many secrets one workspace may hold.
pub const MAX: i64 = 500;

#[derive(FromRow)]
struct Row {
    #[sqlx(try_from = "String")]
    id: SecretId,
    #[sqlx(try_from = "String")]
    workspace_id: WorkspaceId,
    name: String,
    host: String,
    key_id: String,
    sealed: Vec<u8>,
}

/// What is shown of a secret; its sealed value stays in the database.
#[derive(FromRow)]
struct Shown {
    #[sqlx(try_from = "String")]
    id: SecretId,
    name: String,
    host: String,
    #[sqlx(try_from = "i64")]
    updated_at: Time,
}

/// What a ciphertext is bound to. A row that is moved to another workspace, name or host does not open there.
fn belongs_to(id: SecretId, workspace_id: WorkspaceId, name: &str, host: &str) -> Vec<u8> {
    let mut bytes = b"mosaic secret 1".to_vec();
    bytes.extend(id.as_bytes());
    bytes.extend(workspace_id.as_bytes());
    bytes.extend((name.len() as u64).to_be_bytes());
    bytes.extend(name.as_bytes());
    bytes.extend(host.as_bytes());
    bytes
}

/// The secrets of a workspace, without their values.
pub async fn list(tx: &mut Tx, workspace_id: WorkspaceId) -> Result<Vec<Secret>> {
    let text =
        "select id, name, host, updated_at from secrets where workspace_id = $1 order by name";
    let rows = sql!(tx, all Shown, text, workspace_id)?;
    let secret = |row: Shown| Secret {
        id: row.id,
        name: row.name,
        host: row.host,
        updated_at: row.updated_at,
    };
    Ok(rows.into_iter().map(secret).collect())
}

/// Stores a secret, in place of the one of that name.
pub async fn put(
    store: &Store,
    tx: &mut Tx,
    workspace_id: WorkspaceId,
    name: &str,
    host: &str,
    value: &str,
) -> Result<Secret> {
    // The one in whose place it comes does not count.
    delete(tx, workspace_id, name).await?;
    let (n,) = sql!(tx, one One<i64>, "select count(*) from secrets where workspace_id = $1", workspace_id)?;
    if n >= MAX {
        return Err(Error::TooMany(MAX));
    }
    // A key sealed while the master key is being changed must be under the key that the database says.
    let ring = in_force(store, tx).await?;
    let (id, updated_at) = (store.ambient().id(SecretId::new), store.ambient().now());
    let sealed =
        ring.seal(store.ambient(), &belongs_to(id, workspace_id, name, host), value.as_bytes())?;
    sql!(
        tx,
        run,
        "insert into secrets (id, workspace_id, name, host, key_id, sealed, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        id,
        workspace_id,
        name,
        host,
        sealed.key_id,
        sealed.bytes,
        updated_at
    )?;
    Ok(Secret { id, name: name.to_owned(), host: host.to_owned(), updated_at })
}

/// The value of a secret, and the one host that it may be sent to.
pub async fn open(
    store: &Store,
    tx: &mut Tx,
    workspace_id: WorkspaceId,
    name: &str,
) -> Result<Option<(Zeroizing<Vec<u8>>, String)>> {
    let text = "select id, workspace_id, name, host, key_id, sealed from secrets
        where workspace_id = $1 and name = $2";
    let Some(row) = sql!(tx, maybe Row, text, workspace_id, name)? else { return Ok(None) };
    let value = unseal(&store.keys(), &row)?;
    Ok(Some((value, row.host)))
}

fn unseal(ring: &Keyring, row: &Row) -> Result<Zeroizing<Vec<u8>>> {
    let sealed = Sealed { key_id: row.key_id.clone(), bytes: row.sealed.clone() };
    ring.open(
        &belongs_to(row.id, row.workspace_id, &row.name, &row.host),
        &sealed,
        &row.id.to_string(),
    )
}

/// Tries to open every secret. Answers how many there are, and the ids of those that do not open.
pub(crate) async fn unopenable(tx: &mut Tx, ring: &Keyring) -> Result<(usize, Vec<SecretId>)> {
    let text = "select id, workspace_id, name, host, key_id, sealed from secrets order by id";
    let rows = sql!(tx, all Row, text)?;
    let closed = rows.iter().filter(|row| unseal(ring, row).is_err()).map(|row| row.id).collect();
    Ok((rows.len(), closed))
}

/// Deletes a secret. False if there is none of that name.
pub async fn delete(tx: &mut Tx, workspace_id: WorkspaceId, name: &str) -> Result<bool> {
    let text = "delete from secrets where workspace_id = $1 and name = $2";
    Ok(sql!(tx, run, text, workspace_id, name)? == 1)
}

/// The ring that fits the database now. Another node may have changed the master key since this one started; if the
/// new key is at hand, it is taken over, otherwise this says what is missing.
pub(crate) async fn in_force(store: &Store, tx: &mut Tx) -> Result<Keyring> {
    tx.alone(SEALING).await?;
    let text = "select key_id from keyring where name = 'check'";
    let (key_id,) = sql!(tx, one One<String>, text)?;
    let ring = store.keys();
    if ring.current().id() == key_id {
        return Ok(ring);
    }
    let ring =
        keyring::recognise(tx, &store.inner.key_source, &store.inner.key_source.candidates()?)
            .await?;
    let ring = ring.ok_or_else(|| Error::Damaged("the keyring is empty".into()))?;
    store.set_keys(ring.clone());
    Ok(ring)
}

/// Any number; all nodes use the same.
const SEALING: i64 = 0x7365_616c;

impl Store {
    /// Changes the master key and seals every secret anew under it, in one transaction.
    pub async fn rotate_secrets(&self, actor: &Actor) -> Result<RotateReport> {
        let _one_at_a_time = self.inner.rotating.lock().await;
        let mut tx = audit::begin(self).await?;
        let ring = in_force(self, &mut tx).await?;
        let old_key_id = ring.current().id().to_owned();
        let rotation = self.inner.key_source.begin_rotation(self.ambient(), ring.current())?;
        let both = ring.with_next(rotation.next.clone());

        let text = "select id, workspace_id, name, host, key_id, sealed from secrets";
        let rows = sql!(tx, all Row, text)?;
        let n_secrets = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        for row in rows {
            let value = unseal(&both, &row)?;
            let sealed = both.seal(
                self.ambient(),
                &belongs_to(row.id, row.workspace_id, &row.name, &row.host),
                &value,
            )?;
            let text = "update secrets set key_id = $2, sealed = $3 where id = $1";
            sql!(tx, run, text, row.id, sealed.key_id, sealed.bytes)?;
        }
        let n_secrets = n_secrets + providers::reseal(self, &mut tx, &both).await?;
        provider_logins::reseal(self, &mut tx, &both).await?;
        keyring::reseal(&mut tx, self.ambient(), &both).await?;
        let new_key_id = rotation.next.id().to_owned();
        // The audit key is open under both rings until the commit.
        let before = self.keys();
        self.set_keys(both);
        let record = Record {
            actor: Some(actor),
            deed: Deed::RotateSecrets,
            of: Of::Server,
            detail: format!("{old_key_id} {new_key_id}"),
        };
        let noted = audit::append(self, &mut tx, record).await;
        let committed = match noted {
            Ok(()) => tx.commit().await,
            Err(error) => Err(error),
        };
        if let Err(error) = committed {
            // Whether the commit took effect is not known after a lost connection, so both keys are kept, in the file
            // and here.
            self.set_keys(before.beside(rotation.next));
            return Err(error);
        }
        // The ring in memory still holds the old key: a reader that began before the commit sees what was sealed then.
        rotation.finish()?;
        let old_key_file = self.inner.key_source.retired_file(&old_key_id);
        let old_key_file = old_key_file.map(|path| path.display().to_string());
        Ok(RotateReport { n_secrets, old_key_id, new_key_id, old_key_file })
    }
}
