//! API tokens. Only the digest of a token's secret is stored.

use crate::{
    Ambient, Error, Result, Tx,
    ambient::Minted,
    db::{One, sql},
};
use mosaic_protocol::{
    Time, TokenId, UserId,
    token::{Scope, Token},
};
use sqlx::FromRow;
use std::collections::BTreeSet;

/// How many tokens one person may have.
pub const MAX: i64 = 200;

/// What a token's secret starts with, so that people and secret scanners recognise it.
pub const PREFIX: &str = "mosaic_t_";

#[derive(FromRow)]
struct Row {
    #[sqlx(try_from = "String")]
    id: TokenId,
    #[sqlx(try_from = "String")]
    user_id: UserId,
    name: String,
    scopes: String,
    created_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
}

/// A token and whose it is.
pub struct Found {
    /// The token.
    pub token: Token,
    /// Whose.
    pub user_id: UserId,
}

impl Row {
    fn found(self) -> Result<Found> {
        let scopes =
            self.scopes.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>();
        let token = Token {
            id: self.id,
            name: self.name,
            scopes: scopes.map_err(Error::Damaged)?,
            created_at: Time(self.created_at),
            expires_at: Time(self.expires_at),
            used_at: self.used_at.map(Time),
        };
        Ok(Found { token, user_id: self.user_id })
    }
}

/// Makes a token; its secret is shown once.
pub async fn create(
    ambient: &Ambient,
    tx: &mut Tx,
    user_id: UserId,
    name: &str,
    scopes: &BTreeSet<Scope>,
    expires_at: Time,
) -> Result<(Token, Minted)> {
    let (n,) = sql!(tx, one One<i64>, "select count(*) from tokens where user_id = $1", user_id)?;
    if n >= MAX {
        return Err(Error::TooMany(MAX));
    }
    let minted = ambient.mint(PREFIX);
    let token = Token {
        id: ambient.id(TokenId::new),
        name: name.to_owned(),
        scopes: scopes.clone(),
        created_at: ambient.now(),
        expires_at,
        used_at: None,
    };
    let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    sql!(
        tx,
        run,
        "insert into tokens (id, user_id, name, digest, scopes, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        token.id,
        user_id,
        name,
        minted.digest,
        words.join(" "),
        token.created_at,
        expires_at
    )?;
    Ok((token, minted))
}

/// The token with this digest.
pub async fn find(tx: &mut Tx, digest: &[u8]) -> Result<Option<Found>> {
    let row = sql!(
        tx,
        maybe Row,
        "select id, user_id, name, scopes, created_at, expires_at, used_at from tokens where digest = $1",
        digest
    )?;
    row.map(Row::found).transpose()
}

/// Notes that it was used.
pub async fn touch(tx: &mut Tx, id: TokenId, used_at: Time) -> Result<()> {
    let text = "update tokens set used_at = $2 where id = $1 and coalesce(used_at, 0) < $3";
    sql!(tx, run, text, id, used_at, used_at).map(drop)
}

/// A person's tokens, newest first.
pub async fn list(tx: &mut Tx, user_id: UserId) -> Result<Vec<Token>> {
    let rows = sql!(
        tx,
        all Row,
        "select id, user_id, name, scopes, created_at, expires_at, used_at from tokens
         where user_id = $1 order by created_at desc, id desc",
        user_id
    )?;
    rows.into_iter().map(|row| row.found().map(|found| found.token)).collect()
}

/// Whose this token is.
pub async fn owner(tx: &mut Tx, id: TokenId) -> Result<Option<UserId>> {
    let row = sql!(tx, maybe One<String>, "select user_id from tokens where id = $1", id)?;
    Ok(row.and_then(|row| row.0.parse().ok()))
}

/// Ends a token.
pub async fn delete(tx: &mut Tx, id: TokenId) -> Result<()> {
    sql!(tx, run, "delete from tokens where id = $1", id).map(drop)
}

/// Ends all of a person's tokens.
pub async fn delete_all(tx: &mut Tx, user_id: UserId) -> Result<()> {
    sql!(tx, run, "delete from tokens where user_id = $1", user_id).map(drop)
}
