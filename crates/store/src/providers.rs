//! Providers of models that somebody has set up, each with its credential sealed and bound to its row, its owner, its
//! kind and its host: moved to another, it does not open.

mod renewal;

pub use renewal::{Login, login, put_renewed, release_renewal, start_renewal};

use crate::{
    Error, Result, Store, Tx,
    db::{One, sql},
    keyring::{Keyring, Sealed},
    secrets::in_force,
};
use mosaic_protocol::{
    ModelProviderId, ModelProviderName, Time, WorkspaceId,
    provider::{Api, CredentialKind, ProviderKind},
};
use sqlx::FromRow;
use zeroize::Zeroizing;

/// How many providers one workspace, or the server, may have.
pub const MAX: i64 = 50;

/// A provider as it is stored, without its credential.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Which.
    pub id: ModelProviderId,
    /// Whose; `None`: everybody's on this server.
    pub workspace_id: Option<WorkspaceId>,
    /// What it is called there.
    pub name: ModelProviderName,
    /// What kind it is.
    pub kind: ProviderKind,
    /// Which of OpenAI's formats.
    pub api: Api,
    /// Where it is.
    pub base_url: String,
    /// Whether it may be used.
    pub enabled: bool,
    /// What it is used with.
    pub credential: CredentialKind,
    /// What may be shown of the credential.
    pub hint: String,
    /// When it was last changed.
    pub updated_at: Time,
}

#[derive(FromRow)]
struct Row {
    id: String,
    workspace_id: Option<String>,
    name: String,
    kind: String,
    api: String,
    base_url: String,
    enabled: i64,
    credential: String,
    hint: String,
    updated_at: i64,
}

#[derive(FromRow)]
struct SealedRow {
    id: String,
    workspace_id: Option<String>,
    kind: String,
    base_url: String,
    key_id: String,
    sealed: Vec<u8>,
}

fn damaged<E>(what: &'static str) -> impl Fn(E) -> Error {
    move |_| Error::Damaged(format!("{what} of a provider"))
}

impl Row {
    fn stored(self) -> Result<Stored> {
        let workspace_id = self.workspace_id.map(|id| id.parse().map_err(damaged("the workspace")));
        Ok(Stored {
            id: self.id.parse().map_err(damaged("the id"))?,
            workspace_id: workspace_id.transpose()?,
            name: self.name.try_into().map_err(damaged("the name"))?,
            kind: self.kind.parse().map_err(damaged("the kind"))?,
            api: self.api.parse().map_err(damaged("the format"))?,
            base_url: self.base_url,
            enabled: self.enabled != 0,
            credential: self.credential.parse().map_err(damaged("the credential"))?,
            hint: self.hint,
            updated_at: Time(self.updated_at),
        })
    }
}

/// The host and port of a base URL: what a credential is bound to.
pub fn host_of(base_url: &str) -> String {
    let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    let scheme = base_url.split_once("://").map_or("", |(scheme, _)| scheme);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A credential that was given for an encrypted connection is not sent over a plain one.
    format!("{}://{}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase())
}

fn belongs_to(id: &str, workspace_id: Option<&str>, kind: &str, base_url: &str) -> Vec<u8> {
    let mut bytes = b"mosaic provider 1".to_vec();
    for part in [id, workspace_id.unwrap_or_default(), kind, &host_of(base_url)] {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

/// The providers of a workspace, or the server's.
pub async fn list(tx: &mut Tx, workspace_id: Option<WorkspaceId>) -> Result<Vec<Stored>> {
    let workspace_id = workspace_id.map_or_else(String::new, |id| id.to_string());
    let text =
        "select id, workspace_id, name, kind, api, base_url, enabled, credential, hint, updated_at
        from providers where coalesce(workspace_id, '') = $1 order by name";
    let rows = sql!(tx, all Row, text, workspace_id)?;
    rows.into_iter().map(Row::stored).collect()
}

/// The providers of several workspaces and the server's, those of the first first.
pub async fn of(tx: &mut Tx, workspaces: &[WorkspaceId]) -> Result<Vec<Stored>> {
    let mut all = vec![];
    for workspace in workspaces {
        all.extend(list(tx, Some(*workspace)).await?);
    }
    all.extend(list(tx, None).await?);
    Ok(all)
}

/// Everybody's.
pub async fn all(tx: &mut Tx) -> Result<Vec<Stored>> {
    let text =
        "select id, workspace_id, name, kind, api, base_url, enabled, credential, hint, updated_at
        from providers order by id limit 5000";
    let rows = sql!(tx, all Row, text)?;
    rows.into_iter().map(Row::stored).collect()
}

/// One of them.
pub async fn get(tx: &mut Tx, id: ModelProviderId) -> Result<Option<Stored>> {
    let text =
        "select id, workspace_id, name, kind, api, base_url, enabled, credential, hint, updated_at
        from providers where id = $1";
    let row = sql!(tx, maybe Row, text, id)?;
    row.map(Row::stored).transpose()
}

/// A new provider, or another state of one.
#[derive(Debug)]
pub struct Written<'a> {
    /// What it is.
    pub stored: &'a Stored,
    /// Its credential; `None`: it has none.
    pub credential: Option<&'a str>,
}

/// Stores a new provider.
pub async fn insert(store: &Store, tx: &mut Tx, written: &Written<'_>) -> Result<()> {
    let Stored {
        id,
        workspace_id,
        name,
        kind,
        api,
        base_url,
        enabled,
        credential,
        hint,
        updated_at,
    } = written.stored;
    let scope = workspace_id.map_or_else(String::new, |id| id.to_string());
    let text = "select count(*) from providers where coalesce(workspace_id, '') = $1";
    let (n,) = sql!(tx, one One<i64>, text, scope)?;
    if n >= MAX {
        return Err(Error::TooMany(MAX));
    }
    let sealed = seal(store, tx, written).await?;
    sql!(
        tx,
        run,
        "insert into providers (id, workspace_id, name, kind, api, base_url, enabled, credential, hint, key_id,
         sealed, generation, renewing_until, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, 0, $12, $12)",
        id,
        workspace_id,
        name.as_str(),
        kind.as_str(),
        api.as_str(),
        base_url,
        enabled,
        credential.as_str(),
        hint,
        sealed.key_id,
        sealed.bytes,
        updated_at
    )
    .map(drop)
}

/// Changes a provider: everything but whose it is and what kind. The credential stays what it is unless `written` has
/// another one; whether it may stay, the caller has decided, and the sealing holds to it.
pub async fn update(store: &Store, tx: &mut Tx, written: &Written<'_>) -> Result<()> {
    let Stored { id, name, api, base_url, enabled, credential, hint, updated_at, .. } =
        written.stored;
    sql!(
        tx,
        run,
        "update providers set name = $2, api = $3, base_url = $4, enabled = $5, credential = $6, hint = $7,
         updated_at = $8 where id = $1",
        id,
        name.as_str(),
        api.as_str(),
        base_url,
        enabled,
        credential.as_str(),
        hint,
        updated_at
    )?;
    if written.credential.is_some() || *credential == CredentialKind::None {
        let sealed = seal(store, tx, written).await?;
        let text = "update providers set key_id = $2, sealed = $3, generation = generation + 1,
            renewing_until = 0 where id = $1";
        sql!(tx, run, text, id, sealed.key_id, sealed.bytes)?;
    }
    Ok(())
}

async fn seal(store: &Store, tx: &mut Tx, written: &Written<'_>) -> Result<Sealed> {
    let Some(credential) = written.credential else {
        return Ok(Sealed { key_id: String::new(), bytes: vec![] });
    };
    let Stored { id, workspace_id, kind, base_url, .. } = written.stored;
    let ring = in_force(store, tx).await?;
    let scope = workspace_id.map(|id| id.to_string());
    let bound = belongs_to(&id.to_string(), scope.as_deref(), kind.as_str(), base_url);
    ring.seal(store.ambient(), &bound, credential.as_bytes())
}

/// Deletes a provider. False if there is none.
pub async fn delete(tx: &mut Tx, id: ModelProviderId) -> Result<bool> {
    Ok(sql!(tx, run, "delete from providers where id = $1", id)? == 1)
}

const SEALED: &str =
    "select id, workspace_id, kind, base_url, key_id, sealed from providers where id = $1";

/// The credential of a provider. Nothing gives it to anybody but the provider's own host.
pub async fn open(
    store: &Store,
    tx: &mut Tx,
    id: ModelProviderId,
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let row = sql!(tx, maybe SealedRow, SEALED, id)?;
    let Some(row) = row.filter(|row| !row.key_id.is_empty()) else { return Ok(None) };
    unseal(&store.keys(), &row).map(Some)
}

fn unseal(ring: &Keyring, row: &SealedRow) -> Result<Zeroizing<Vec<u8>>> {
    let sealed = Sealed { key_id: row.key_id.clone(), bytes: row.sealed.clone() };
    let bound = belongs_to(&row.id, row.workspace_id.as_deref(), &row.kind, &row.base_url);
    ring.open(&bound, &sealed, &row.id)
}

const ALL_SEALED: &str = "select id, workspace_id, kind, base_url, key_id, sealed from providers
    where key_id <> '' order by id";

/// Tries to open every credential. Answers how many there are, and the ids of those that do not open.
pub(crate) async fn unopenable(tx: &mut Tx, ring: &Keyring) -> Result<(usize, Vec<String>)> {
    let rows = sql!(tx, all SealedRow, ALL_SEALED)?;
    let closed = rows.iter().filter(|row| unseal(ring, row).is_err()).map(|row| row.id.clone());
    Ok((rows.len(), closed.collect()))
}

/// Seals every credential anew. Answers how many there are.
pub(crate) async fn reseal(store: &Store, tx: &mut Tx, ring: &Keyring) -> Result<i64> {
    let rows = sql!(tx, all SealedRow, ALL_SEALED)?;
    let n = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    for row in rows {
        let value = unseal(ring, &row)?;
        let bound = belongs_to(&row.id, row.workspace_id.as_deref(), &row.kind, &row.base_url);
        let sealed = ring.seal(store.ambient(), &bound, &value)?;
        let text = "update providers set key_id = $2, sealed = $3 where id = $1";
        sql!(tx, run, text, row.id, sealed.key_id, sealed.bytes)?;
    }
    Ok(n)
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn a_host_is_told_by_scheme_name_and_port() {
        assert_eq!(host_of("https://API.example.com/v1"), "https://api.example.com");
        assert_eq!(host_of("https://api.example.com:8443/v2/x"), "https://api.example.com:8443");
        assert_ne!(host_of("https://api.example.com"), host_of("http://api.example.com"));
        assert_ne!(host_of("https://api.example.com/"), host_of("https://api.example.com.evil/"));
        assert_ne!(host_of("https://a@b/"), host_of("https://b/"));
    }
}
