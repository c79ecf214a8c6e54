//! API tokens.

use crate::{Error, Gateway, Result, check, person};
use mosaic_protocol::{
    TokenId, UserId,
    access::{Action, Actor, Object},
    audit::{Deed, Of},
    page::Page,
    token::{CreateTokenRequest, CreatedToken, Scope, Token},
};
use mosaic_store::{audit, tokens, users};

const DAYS: u32 = 90;
const MAX_DAYS: u32 = 3650;

impl Gateway {
    /// One's own tokens, newest first.
    pub async fn list_tokens(&self, actor: &Actor) -> Result<Page<Token>> {
        let person = person(actor)?;
        check(actor, Action::SeeOwn, Object::Own { owner: person.id })?;
        let mut tx = self.inner.store.read().await?;
        Ok(Page::whole(tokens::list(&mut tx, person.id).await?))
    }

    /// Makes a token for oneself. Only a login in a browser may: a token cannot make itself live longer.
    pub async fn create_token(
        &self,
        actor: &Actor,
        request: &CreateTokenRequest,
    ) -> Result<CreatedToken> {
        let person = person(actor)?;
        check(actor, Action::GuardOwn, Object::Own { owner: person.id })?;
        self.make_token(actor, person.id, request).await
    }

    pub(crate) async fn make_token(
        &self,
        actor: &Actor,
        user_id: UserId,
        request: &CreateTokenRequest,
    ) -> Result<CreatedToken> {
        let days = request.expires_in_days.unwrap_or(DAYS);
        if !(1..=MAX_DAYS).contains(&days) {
            return Err(Error::Invalid(format!(
                "`expires_in_days` must be between 1 and {MAX_DAYS}"
            )));
        }
        if request.scopes.is_empty() {
            return Err(Error::Invalid("a token needs at least one scope".into()));
        }
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        let owner = users::get(&mut tx, user_id).await?.ok_or(Error::NotFound)?;
        if !owner.user.admin
            && request.scopes.iter().any(|scope| matches!(scope, Scope::Admin | Scope::Metrics))
        {
            return Err(Error::Invalid("the scopes `admin` and `metrics` are for admins".into()));
        }
        let expires_at = store.ambient().now().plus_days(i64::from(days));
        let made = tokens::create(
            store.ambient(),
            &mut tx,
            user_id,
            request.name.as_str(),
            &request.scopes,
            expires_at,
        );
        let (token, minted) = made.await?;
        let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
        self.note(
            &mut tx,
            Some(actor),
            Deed::CreateToken,
            Of::Token(token.id),
            format!("user:{user_id} {}", scopes.join(" ")),
        )
        .await?;
        tx.commit().await?;
        Ok(CreatedToken { token, secret: minted.secret })
    }

    /// Ends one of one's own tokens.
    pub async fn delete_token(&self, actor: &Actor, id: TokenId) -> Result<()> {
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        let owner = tokens::owner(&mut tx, id).await?.ok_or(Error::NotFound)?;
        check(actor, Action::ChangeOwn, Object::Own { owner })?;
        tokens::delete(&mut tx, id).await?;
        self.note(&mut tx, Some(actor), Deed::DeleteToken, Of::Token(id), "").await?;
        tx.commit().await?;
        self.forget_credentials();
        Ok(())
    }
}
