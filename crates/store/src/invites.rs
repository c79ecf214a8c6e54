//! Invitations. Only the digest of an invitation's code is stored; using it deletes it.

use crate::{
    Error, Result, Store, Tx,
    ambient::Minted,
    db::{One, sql},
};
use mosaic_protocol::{InviteId, TeamId, Time, UserId, invite::Invite, team::Role};
use sqlx::FromRow;

/// How many open invitations one person may have made. (The one who runs the machine counts as one, too.)
pub const MAX_MADE: i64 = 200;
/// How many open invitations may lead into one team.
pub const MAX_INTO_TEAM: i64 = 200;
/// How many open invitations there may be that make accounts. Only admins make them.
pub const MAX_ACCOUNTS: i64 = 1000;

#[derive(FromRow)]
struct Row {
    #[sqlx(try_from = "String")]
    id: InviteId,
    creates_account: i64,
    team_id: Option<String>,
    role: Option<String>,
    #[sqlx(try_from = "i64")]
    created_at: Time,
    #[sqlx(try_from = "i64")]
    expires_at: Time,
}

impl Row {
    fn invite(self) -> Result<Invite> {
        let team_id: Option<TeamId> = self
            .team_id
            .map(|id| id.parse().map_err(|_| Error::Damaged("a team's id".into())))
            .transpose()?;
        let role: Option<Role> = self
            .role
            .map(|role| role.parse().map_err(|_| Error::Damaged("a role".into())))
            .transpose()?;
        Ok(Invite {
            id: self.id,
            creates_account: self.creates_account != 0,
            team_id,
            role,
            created_at: self.created_at,
            expires_at: self.expires_at,
        })
    }
}

/// An invitation that is about to be made.
pub struct NewInvite {
    /// By whom; none for the one who runs the machine.
    pub made_by: Option<UserId>,
    /// Whether it may create an account.
    pub creates_account: bool,
    /// The team it leads into, and the role there.
    pub team: Option<(TeamId, Role)>,
    /// It works until then.
    pub expires_at: Time,
}

/// Makes an invitation; its code is shown once. The bounds are such that nobody uses up what others need: who may
/// only invite into teams does not count where accounts are made.
pub async fn create(store: &Store, tx: &mut Tx, new: NewInvite) -> Result<(Invite, Minted)> {
    let ambient = store.ambient();
    let now = ambient.now();
    let maker = new.made_by.map_or_else(String::new, |id| id.to_string());
    let into = new.team.map_or_else(String::new, |(id, _)| id.to_string());
    let (made,) = sql!(
        tx,
        one One<i64>,
        "select count(*) from invites where coalesce(made_by, '') = $1 and creates_account = $2 and expires_at > $3",
        maker,
        new.creates_account,
        now
    )?;
    let (into_team,) = sql!(
        tx,
        one One<i64>,
        "select count(*) from invites where team_id = $1 and creates_account = $2 and expires_at > $3",
        into,
        new.creates_account,
        now
    )?;
    let (accounts,) = sql!(
        tx,
        one One<i64>,
        "select count(*) from invites where creates_account = 1 and expires_at > $1",
        now
    )?;
    let bounds = [
        (made, MAX_MADE),
        (into_team, MAX_INTO_TEAM),
        (if new.creates_account { accounts } else { 0 }, MAX_ACCOUNTS),
    ];
    if let Some((_, max)) = bounds.into_iter().find(|(n, max)| n >= max) {
        return Err(Error::TooMany(max));
    }
    let minted = ambient.mint("mosaic_i_");
    let invite = Invite {
        id: ambient.id(InviteId::new),
        creates_account: new.creates_account,
        team_id: new.team.map(|team| team.0),
        role: new.team.map(|team| team.1),
        created_at: ambient.now(),
        expires_at: new.expires_at,
    };
    sql!(
        tx,
        run,
        "insert into invites (id, digest, made_by, creates_account, team_id, role, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        invite.id,
        minted.digest,
        new.made_by,
        invite.creates_account,
        invite.team_id,
        invite.role,
        invite.created_at,
        invite.expires_at
    )?;
    Ok((invite, minted))
}

/// The open invitation with this code's digest. It stays open.
pub async fn find(tx: &mut Tx, digest: &[u8], now: Time) -> Result<Option<Invite>> {
    let row = sql!(
        tx,
        maybe Row,
        "select id, creates_account, team_id, role, created_at, expires_at from invites
         where digest = $1 and expires_at > $2",
        digest,
        now
    )?;
    row.map(Row::invite).transpose()
}

/// Uses it up. False if somebody was faster.
pub async fn take(tx: &mut Tx, id: InviteId) -> Result<bool> {
    Ok(sql!(tx, run, "delete from invites where id = $1", id)? == 1)
}

/// The open invitations of the whole server.
pub async fn list(tx: &mut Tx, now: Time) -> Result<Vec<Invite>> {
    let rows = sql!(
        tx,
        all Row,
        "select id, creates_account, team_id, role, created_at, expires_at from invites
         where expires_at > $1 order by created_at desc, id desc",
        now
    )?;
    rows.into_iter().map(Row::invite).collect()
}

/// The open invitations into one team.
pub async fn into_team(tx: &mut Tx, team_id: TeamId, now: Time) -> Result<Vec<Invite>> {
    let rows = sql!(
        tx,
        all Row,
        "select id, creates_account, team_id, role, created_at, expires_at from invites
         where team_id = $1 and expires_at > $2 order by created_at desc, id desc",
        team_id,
        now
    )?;
    rows.into_iter().map(Row::invite).collect()
}

/// Deletes what a person invited to, when they lose the right to invite.
pub async fn delete_made_by(tx: &mut Tx, user_id: UserId, team_id: Option<TeamId>) -> Result<()> {
    let team = team_id.map(|id| id.to_string());
    sql!(
        tx,
        run,
        "delete from invites where made_by = $1 and ($2 = '' or team_id = $3)",
        user_id,
        team.clone().unwrap_or_default(),
        team.unwrap_or_default()
    )
    .map(drop)
}
