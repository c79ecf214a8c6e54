//! What only the one who runs the program on its own machine may do.

use crate::{Error, Gateway, Result, check, error::to_operator};
use mosaic_protocol::{
    AccountName, TeamId, UserId,
    access::{Action, Actor, Object},
    account::OneTimeLink,
    audit::{Deed, Of},
    operator::{BackupReport, BackupRequest, RotateReport},
    team::{ChangeMemberRequest, Team, TeamRequest},
    token::{CreateTokenRequest, CreatedToken},
    workspace::Workspace,
};
use mosaic_store::{audit, teams, users, workspaces};
use std::path::Path;

impl Gateway {
    /// Writes a backup while the gateway runs.
    pub async fn backup(&self, actor: &Actor, request: &BackupRequest) -> Result<BackupReport> {
        check(actor, Action::Operate, Object::Server)?;
        let path = Path::new(&request.path);
        if !path.is_absolute() || request.path.contains('\0') {
            return Err(Error::Invalid("`path` must be an absolute path".into()));
        }
        let store = &self.inner.store;
        let report = store.backup(path).await.map_err(|error| match error {
            // The path was the caller's choice, so the fault is not ours.
            mosaic_store::Error::File { .. } => Error::Refused {
                problem: format!("the backup cannot be written: {error}"),
                next: "choose a file in a folder that exists and that Mosaic may write".into(),
            },
            error => to_operator(error),
        })?;
        let mut tx = audit::begin(store).await?;
        self.note(
            &mut tx,
            Some(actor),
            Deed::Backup,
            Of::Server,
            format!("{} rows {} blobs", report.n_rows, report.n_blobs),
        )
        .await?;
        tx.commit().await?;
        Ok(report)
    }

    /// Changes the master key.
    pub async fn rotate_secrets(&self, actor: &Actor) -> Result<RotateReport> {
        check(actor, Action::Operate, Object::Server)?;
        self.inner.store.rotate_secrets(actor).await.map_err(to_operator)
    }

    /// A fresh setup link, while no admin exists.
    pub async fn new_setup_link(&self, actor: &Actor) -> Result<OneTimeLink> {
        check(actor, Action::Operate, Object::Server)?;
        let link = self.setup_link(None).await?.ok_or(Error::Conflict {
            problem: "an admin exists already",
            next: "log in as one, or make a recovery link: mosaic user recover NAME",
        })?;
        Ok(OneTimeLink { link, expires_at: self.inner.store.ambient().now().plus_hours(24) })
    }

    /// Finds an account by its name, for the command line.
    pub async fn find_user(
        &self,
        actor: &Actor,
        name: &AccountName,
    ) -> Result<mosaic_protocol::account::User> {
        check(actor, Action::Operate, Object::Server)?;
        let mut tx = self.inner.store.read().await?;
        Ok(users::by_name(&mut tx, name).await?.ok_or(Error::NotFound)?.user)
    }

    /// Somebody's own workspace, for the command line.
    pub async fn personal_workspace(&self, actor: &Actor, user_id: UserId) -> Result<Workspace> {
        check(actor, Action::Operate, Object::Server)?;
        let mut tx = self.inner.store.read().await?;
        let id = workspaces::personal(&mut tx, user_id).await?.ok_or(Error::NotFound)?;
        workspaces::get(&mut tx, id).await?.ok_or(Error::NotFound)
    }

    /// Makes a token for somebody.
    pub async fn create_token_for(
        &self,
        actor: &Actor,
        user_id: UserId,
        request: &CreateTokenRequest,
    ) -> Result<CreatedToken> {
        check(actor, Action::Operate, Object::Server)?;
        self.make_token(actor, user_id, request).await
    }

    /// Makes a team for somebody.
    pub async fn create_team_for(
        &self,
        actor: &Actor,
        user_id: UserId,
        request: &TeamRequest,
    ) -> Result<Team> {
        check(actor, Action::Operate, Object::Server)?;
        let mut tx = self.inner.store.read().await?;
        users::get(&mut tx, user_id).await?.ok_or(Error::NotFound)?;
        drop(tx);
        self.make_team(actor, user_id, request).await
    }

    /// Puts somebody into a team without asking them: for the one who has the database anyway.
    pub async fn put_member(
        &self,
        actor: &Actor,
        team_id: TeamId,
        user_id: UserId,
        request: &ChangeMemberRequest,
    ) -> Result<()> {
        check(actor, Action::Operate, Object::Server)?;
        let mut tx = audit::begin(&self.inner.store).await?;
        if !teams::exists(&mut tx, team_id).await? || users::get(&mut tx, user_id).await?.is_none()
        {
            return Err(Error::NotFound);
        }
        self.set_member(&mut tx, actor, team_id, user_id, request.role).await?;
        tx.commit().await?;
        self.look_again().await;
        Ok(())
    }
}
