//! Accounts of people.

use crate::{
    Result, Store, Tx,
    db::{One, sql},
};
use mosaic_protocol::{
    AccountName, Time, UserId, WorkspaceId,
    account::{User, UserState},
};
use sqlx::FromRow;

/// A user as stored, with what the API never shows.
#[derive(Debug, Clone)]
pub struct Account {
    /// What others may see.
    pub user: User,
    /// The argon2id hash; none for those who only log in with a provider, or have yet to choose one.
    pub password: Option<String>,
}

#[derive(FromRow)]
struct Row {
    #[sqlx(try_from = "String")]
    id: UserId,
    name: String,
    display_name: String,
    password: Option<String>,
    admin: i64,
    state: String,
    created_at: i64,
}

impl From<Row> for Account {
    fn from(row: Row) -> Self {
        let state = if row.state == "active" { UserState::Active } else { UserState::Suspended };
        let user = User {
            id: row.id,
            name: row.name,
            display_name: row.display_name,
            admin: row.admin != 0,
            state,
            created_at: Time(row.created_at),
        };
        Account { user, password: row.password }
    }
}

/// A person who is about to get an account.
pub struct NewUser<'a> {
    /// What they log in with.
    pub name: &'a AccountName,
    /// What others see.
    pub display_name: &'a str,
    /// The argon2id hash of their password.
    pub password: Option<&'a str>,
    /// Administers the server.
    pub admin: bool,
}

/// Makes an account with its personal workspace. `Taken` if the name is.
pub async fn create(store: &Store, tx: &mut Tx, new: NewUser<'_>) -> Result<User> {
    let ambient = store.ambient();
    let (id, now) = (ambient.id(UserId::new), ambient.now());
    sql!(
        tx,
        run,
        "insert into users (id, name, display_name, password, admin, state, created_at)
         values ($1, $2, $3, $4, $5, 'active', $6)",
        id,
        new.name.as_str(),
        new.display_name,
        new.password,
        new.admin,
        now
    )?;
    sql!(
        tx,
        run,
        "insert into workspaces (id, user_id, quota_bytes, used_bytes, created_at) values ($1, $2, $3, 0, $4)",
        ambient.id(WorkspaceId::new),
        id,
        store.quota_bytes(),
        now
    )?;
    Ok(User {
        id,
        name: new.name.as_str().to_owned(),
        display_name: new.display_name.to_owned(),
        admin: new.admin,
        state: UserState::Active,
        created_at: now,
    })
}

/// The account with this id.
pub async fn get(tx: &mut Tx, id: UserId) -> Result<Option<Account>> {
    let row = sql!(
        tx,
        maybe Row,
        "select id, name, display_name, password, admin, state, created_at from users where id = $1",
        id
    )?;
    Ok(row.map(Account::from))
}

/// The account that logs in with this name.
pub async fn by_name(tx: &mut Tx, name: &AccountName) -> Result<Option<Account>> {
    let row = sql!(
        tx,
        maybe Row,
        "select id, name, display_name, password, admin, state, created_at from users where name = $1",
        name.as_str()
    )?;
    Ok(row.map(Account::from))
}

/// Accounts by name, after `after`.
pub async fn list(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<User>> {
    let rows = sql!(
        tx,
        all Row,
        "select id, name, display_name, password, admin, state, created_at from users
         where name > $1 order by name limit $2",
        after,
        limit
    )?;
    Ok(rows.into_iter().map(|row| Account::from(row).user).collect())
}

/// How many admins can log in.
pub async fn count_admins(tx: &mut Tx) -> Result<i64> {
    Ok(sql!(tx, one One<i64>, "select count(*) from users where admin = 1 and state = 'active'")?.0)
}

/// Changes what others see.
pub async fn set_display_name(tx: &mut Tx, id: UserId, display_name: &str) -> Result<()> {
    sql!(tx, run, "update users set display_name = $2 where id = $1", id, display_name).map(drop)
}

/// Sets the hash of the password.
pub async fn set_password(tx: &mut Tx, id: UserId, password: &str) -> Result<()> {
    sql!(tx, run, "update users set password = $2 where id = $1", id, password).map(drop)
}

/// Makes somebody an admin, or no longer one.
pub async fn set_admin(tx: &mut Tx, id: UserId, admin: bool) -> Result<()> {
    sql!(tx, run, "update users set admin = $2 where id = $1", id, admin).map(drop)
}

/// Suspends an account, or lets it be used again.
pub async fn set_state(tx: &mut Tx, id: UserId, state: UserState) -> Result<()> {
    let state = match state {
        UserState::Active => "active",
        UserState::Suspended => "suspended",
    };
    sql!(tx, run, "update users set state = $2 where id = $1", id, state).map(drop)
}

/// Deletes every row of that person, and their words in other people's conversations. Files of their blobs go with
/// `Store::commit_and_forget`.
pub async fn delete(tx: &mut Tx, id: UserId) -> Result<()> {
    crate::logs::erase_author(tx, id).await?;
    crate::logs::person_goes(tx, id).await?;
    crate::ledger::person_goes(tx, id).await?;
    sql!(tx, run, "delete from users where id = $1", id)?;
    crate::budgets::workspaces_gone(tx).await
}
