//! Logins to providers of models that are under way: short-lived, a few for each person, each with what has to be kept of
//! it sealed and bound to its row.
//!
//! Leaves out what that is, and who may log in: it says only who began.

use crate::{
    Error, Result, Store, Tx,
    db::sql,
    keyring::{Keyring, Sealed},
    secrets::in_force,
};
use mosaic_protocol::{ModelProviderId, ProviderLoginId, Time, UserId};
use sqlx::FromRow;
use zeroize::Zeroizing;

/// How many one person may have under way; the oldest makes room for another.
pub const MAX: i64 = 10;

/// How somebody logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By a code that is typed on another device.
    Device,
    /// In the browser, which comes back.
    Browser,
}

impl Way {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Browser => "browser",
        }
    }
}

/// A login that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Which.
    pub id: ProviderLoginId,
    /// To what.
    pub provider_id: ModelProviderId,
    /// Who began it; `None`: the operator.
    pub user_id: Option<UserId>,
    /// How.
    pub way: Way,
    /// When it is too late.
    pub expires_at: Time,
}

/// One, with what was kept of it.
pub struct Kept {
    /// Which.
    pub begun: Begun,
    /// What was sealed.
    pub text: Zeroizing<Vec<u8>>,
}

#[derive(FromRow)]
struct Row {
    id: String,
    provider_id: String,
    user_id: Option<String>,
    kind: String,
    key_id: String,
    sealed: Vec<u8>,
    #[sqlx(try_from = "i64")]
    expires_at: Time,
}

fn damaged<E>(what: &'static str) -> impl Fn(E) -> Error {
    move |_| Error::Damaged(format!("{what} of a login to a provider"))
}

fn belongs_to(id: &str, provider_id: &str, user_id: Option<&str>, kind: &str) -> Vec<u8> {
    let mut bytes = b"mosaic provider login 1".to_vec();
    for part in [id, provider_id, user_id.unwrap_or_default(), kind] {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

impl Row {
    fn bound(&self) -> Vec<u8> {
        belongs_to(&self.id, &self.provider_id, self.user_id.as_deref(), &self.kind)
    }

    fn unseal(&self, ring: &Keyring) -> Result<Zeroizing<Vec<u8>>> {
        let sealed = Sealed { key_id: self.key_id.clone(), bytes: self.sealed.clone() };
        ring.open(&self.bound(), &sealed, &self.id)
    }

    fn begun(&self) -> Result<Begun> {
        let way = match self.kind.as_str() {
            "device" => Way::Device,
            "browser" => Way::Browser,
            _ => return Err(damaged("the kind")(())),
        };
        let user_id = self.user_id.as_ref().map(|id| id.parse().map_err(damaged("the user")));
        Ok(Begun {
            id: self.id.parse().map_err(damaged("the id"))?,
            provider_id: self.provider_id.parse().map_err(damaged("the provider"))?,
            user_id: user_id.transpose()?,
            way,
            expires_at: self.expires_at,
        })
    }

    fn kept(&self, ring: &Keyring) -> Result<Kept> {
        Ok(Kept { begun: self.begun()?, text: self.unseal(ring)? })
    }
}

/// Notes that a login has begun. `digest`: of what a browser is to bring back, empty for another device.
pub async fn put(
    store: &Store,
    tx: &mut Tx,
    begun: &Begun,
    digest: &[u8],
    text: &str,
) -> Result<()> {
    let Begun { id, provider_id, user_id, way, expires_at } = begun;
    let who = user_id.map_or_else(String::new, |id| id.to_string());
    let ring = in_force(store, tx).await?;
    let oldest = "delete from provider_logins where coalesce(user_id, '') = $1 and id not in
        (select id from provider_logins where coalesce(user_id, '') = $1 order by id desc limit $2)";
    sql!(tx, run, oldest, who, MAX - 1)?;
    let of = user_id.map(|id| id.to_string());
    let bound = belongs_to(&id.to_string(), &provider_id.to_string(), of.as_deref(), way.as_str());
    let sealed = ring.seal(store.ambient(), &bound, text.as_bytes())?;
    sql!(
        tx,
        run,
        "insert into provider_logins (id, digest, provider_id, user_id, kind, key_id, sealed, busy_until, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, 0, $8)",
        id,
        digest,
        provider_id,
        user_id,
        way.as_str(),
        sealed.key_id,
        sealed.bytes,
        expires_at
    )
    .map(drop)
}

const ONE: &str = "select id, provider_id, user_id, kind, key_id, sealed, expires_at
    from provider_logins where id = $1";

/// One of them, also when it is too late for it.
pub async fn get(tx: &mut Tx, id: ProviderLoginId) -> Result<Option<Begun>> {
    let row = sql!(tx, maybe Row, ONE, id)?;
    row.map(|row| row.begun()).transpose()
}

/// The same, with what was kept of it.
pub async fn open(store: &Store, tx: &mut Tx, id: ProviderLoginId) -> Result<Option<Kept>> {
    let row = sql!(tx, maybe Row, ONE, id)?;
    row.map(|row| row.kept(&store.keys())).transpose()
}

/// Says that its tokens are being asked for here. False: somebody else does that, or it is gone.
pub async fn claim(tx: &mut Tx, id: ProviderLoginId, now: Time, until: Time) -> Result<bool> {
    let text = "update provider_logins set busy_until = $3 where id = $1 and busy_until <= $2";
    Ok(sql!(tx, run, text, id, now, until)? == 1)
}

/// Lets others ask again, and keeps what is now to be kept of it. False: it is gone.
pub async fn release(store: &Store, tx: &mut Tx, begun: &Begun, text: &str) -> Result<bool> {
    let Begun { id, provider_id, user_id, way, .. } = begun;
    let ring = in_force(store, tx).await?;
    let of = user_id.map(|id| id.to_string());
    let bound = belongs_to(&id.to_string(), &provider_id.to_string(), of.as_deref(), way.as_str());
    let sealed = ring.seal(store.ambient(), &bound, text.as_bytes())?;
    let text = "update provider_logins set key_id = $2, sealed = $3, busy_until = 0 where id = $1";
    Ok(sql!(tx, run, text, id, sealed.key_id, sealed.bytes)? == 1)
}

/// A browser has come back: it can do so once, and only to whom it left from.
pub async fn take(
    store: &Store,
    tx: &mut Tx,
    digest: &[u8],
    user_id: UserId,
    now: Time,
) -> Result<Option<Kept>> {
    let text = "delete from provider_logins
        where digest = $1 and user_id = $2 and kind = 'browser' and expires_at > $3
        returning id, provider_id, user_id, kind, key_id, sealed, expires_at";
    let row = sql!(tx, maybe Row, text, digest, user_id, now)?;
    row.map(|row| row.kept(&store.keys())).transpose()
}

/// Ends one. False if it is gone.
pub async fn delete(tx: &mut Tx, id: ProviderLoginId) -> Result<bool> {
    Ok(sql!(tx, run, "delete from provider_logins where id = $1", id)? == 1)
}

/// Seals all of them anew.
pub(crate) async fn reseal(store: &Store, tx: &mut Tx, ring: &Keyring) -> Result<()> {
    let text =
        "select id, provider_id, user_id, kind, key_id, sealed, expires_at from provider_logins";
    for row in sql!(tx, all Row, text)? {
        let Ok(value) = row.unseal(ring) else {
            // It lasts for minutes, and must not stand in the way of a key being changed.
            sql!(tx, run, "delete from provider_logins where id = $1", row.id)?;
            continue;
        };
        let sealed = ring.seal(store.ambient(), &row.bound(), &value)?;
        let text = "update provider_logins set key_id = $2, sealed = $3 where id = $1";
        sql!(tx, run, text, row.id, sealed.key_id, sealed.bytes)?;
    }
    Ok(())
}
