//! People and what hangs on an account: sessions and tokens.

use crate::{
    laws,
    place::{NOW, Place},
    seed::{self, name},
};
use mosaic_protocol::{account::UserState, token::Scope};
use mosaic_store::{Error, ambient, sessions, tokens, users};
use std::collections::BTreeSet;

laws! {
    an_account_is_made_with_a_workspace,
    a_name_is_given_once,
    accounts_are_listed_by_name,
    accounts_change,
    sessions_are_found_by_digest,
    the_oldest_session_gives_way,
    sessions_end,
    tokens_are_found_by_digest,
    tokens_have_a_bound,
}

async fn an_account_is_made_with_a_workspace(place: Place) {
    let store = place.open().await;
    let user = seed::try_user(&store, "ada", "Ada Λ 深い").await.unwrap();
    let mut tx = store.read().await.unwrap();
    let account = users::get(&mut tx, user.id).await.unwrap().unwrap();
    assert_eq!(account.user, user);
    assert_eq!(account.password.as_deref(), Some(seed::hash("c2FsdA").as_str()));
    assert_eq!((user.created_at, user.state, user.admin), (NOW, UserState::Active, false));
    let by_name = users::by_name(&mut tx, &name("ada")).await.unwrap().unwrap();
    assert_eq!(by_name.user, user);
    assert!(users::by_name(&mut tx, &name("bob")).await.unwrap().is_none());
    let own = mosaic_store::workspaces::of(&mut tx, user.id).await.unwrap();
    assert_eq!(own.len(), 1);
    assert_eq!((own[0].used_bytes, own[0].quota_bytes), (0, crate::place::QUOTA));
    drop(tx);
    store.close().await;
}

async fn a_name_is_given_once(place: Place) {
    let store = place.open().await;
    let (one, two) =
        tokio::join!(seed::try_user(&store, "ada", "One"), seed::try_user(&store, "ada", "Two"),);
    let taken = |result: &mosaic_store::Result<_>| matches!(result, Err(Error::Taken));
    assert!(one.is_ok() && taken(&two) || taken(&one) && two.is_ok(), "{one:?} {two:?}");
    assert_eq!(place.rows("select cast(count(*) as text) from users").await, ["1"]);
    assert_eq!(place.rows("select cast(count(*) as text) from workspaces").await, ["1"]);
    store.close().await;
}

async fn accounts_are_listed_by_name(place: Place) {
    let store = place.open().await;
    // By bytes, whatever the locale: a dash before a dot before digits before letters before an underscore.
    let order = ["a", "a-b", "a.b", "a1", "a_b", "aa", "b"];
    for account in order.iter().rev() {
        seed::user(&store, account).await;
    }
    let mut tx = store.read().await.unwrap();
    let mut seen: Vec<String> = vec![];
    loop {
        let after = seen.last().cloned().unwrap_or_default();
        let page = users::list(&mut tx, &after, 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|user| user.name));
    }
    assert_eq!(seen, order);
    drop(tx);
    store.close().await;
}

async fn accounts_change(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let mut tx = store.write().await.unwrap();
    assert_eq!(users::count_admins(&mut tx).await.unwrap(), 0);
    users::set_admin(&mut tx, ada, true).await.unwrap();
    users::set_admin(&mut tx, bob, true).await.unwrap();
    users::set_state(&mut tx, bob, UserState::Suspended).await.unwrap();
    users::set_display_name(&mut tx, ada, "Countess").await.unwrap();
    users::set_password(&mut tx, ada, "another").await.unwrap();
    assert_eq!(users::count_admins(&mut tx).await.unwrap(), 1, "a suspended admin does not count");
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let account = users::get(&mut tx, ada).await.unwrap().unwrap();
    assert_eq!((account.user.display_name.as_str(), account.user.admin), ("Countess", true));
    assert_eq!(account.password.as_deref(), Some("another"));
    let account = users::get(&mut tx, bob).await.unwrap().unwrap();
    assert_eq!(account.user.state, UserState::Suspended);
    assert_eq!(account.user.display_name, "bob");
    drop(tx);
    let mut tx = store.write().await.unwrap();
    users::set_state(&mut tx, bob, UserState::Active).await.unwrap();
    assert_eq!(users::count_admins(&mut tx).await.unwrap(), 2);
    drop(tx);
    let mut tx = store.read().await.unwrap();
    assert_eq!(users::count_admins(&mut tx).await.unwrap(), 1, "what was not committed is undone");
    drop(tx);
    store.close().await;
}

async fn sessions_are_found_by_digest(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    place.clock.advance_ms(90_500);
    let mut tx = store.write().await.unwrap();
    let expires_at = NOW.plus_hours(1);
    let new = |user_id| sessions::NewSession { user_id, expires_at, agent: "A", address: "::1" };
    let (id, minted) = sessions::create(store.ambient(), &mut tx, new(ada)).await.unwrap();
    let (_, other) = sessions::create(store.ambient(), &mut tx, new(bob)).await.unwrap();
    assert_ne!(minted.secret, other.secret);
    assert_eq!(minted.digest, ambient::digest(&minted.secret));
    let found = sessions::find(&mut tx, &minted.digest).await.unwrap().unwrap();
    assert_eq!((found.id, found.user_id, found.expires_at), (id, ada, expires_at));
    assert_eq!(found.seen_at, store.ambient().now().to_the_minute());
    assert!(sessions::find(&mut tx, b"no such digest").await.unwrap().is_none());
    assert_eq!(sessions::owner(&mut tx, id).await.unwrap(), Some(ada));

    let later = NOW.plus_minutes(5);
    sessions::touch(&mut tx, id, later).await.unwrap();
    sessions::touch(&mut tx, id, NOW).await.unwrap();
    let found = sessions::find(&mut tx, &minted.digest).await.unwrap().unwrap();
    assert_eq!(found.seen_at, later, "it never goes back");
    let listed = sessions::list(&mut tx, ada, Some(id), NOW).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].current && listed[0].agent == "A" && listed[0].address == "::1");
    let listed = sessions::list(&mut tx, ada, None, expires_at).await.unwrap();
    assert!(listed.is_empty(), "an expired one is not listed");
    tx.commit().await.unwrap();
    assert!(!format!("{:?}", place.tables().await).contains(&minted.secret));
    store.close().await;
}

async fn the_oldest_session_gives_way(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let mut tx = store.write().await.unwrap();
    let mut made = vec![];
    let expires_at = NOW.plus_days(1);
    let new = |user_id| sessions::NewSession { user_id, expires_at, agent: "", address: "" };
    let (bobs, _) = sessions::create(store.ambient(), &mut tx, new(bob)).await.unwrap();
    for _ in 0..sessions::MAX + 3 {
        place.clock.advance_ms(1);
        made.push(sessions::create(store.ambient(), &mut tx, new(ada)).await.unwrap().0);
    }
    let listed = sessions::list(&mut tx, ada, None, NOW).await.unwrap();
    let kept: Vec<_> = made.iter().rev().take(100).copied().collect();
    assert_eq!(listed.iter().map(|session| session.id).collect::<Vec<_>>(), kept);
    assert_eq!(sessions::owner(&mut tx, bobs).await.unwrap(), Some(bob));
    drop(tx);
    store.close().await;
}

async fn sessions_end(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let mut tx = store.write().await.unwrap();
    let mut made = vec![];
    for user_id in [ada, ada, ada, bob] {
        let expires_at = NOW.plus_days(1);
        let new = sessions::NewSession { user_id, expires_at, agent: "", address: "" };
        made.push(sessions::create(store.ambient(), &mut tx, new).await.unwrap());
    }
    sessions::delete(&mut tx, made[0].0).await.unwrap();
    assert!(sessions::find(&mut tx, &made[0].1.digest).await.unwrap().is_none());
    sessions::delete_all(&mut tx, ada, Some(made[1].0)).await.unwrap();
    assert!(sessions::find(&mut tx, &made[1].1.digest).await.unwrap().is_some());
    assert!(sessions::find(&mut tx, &made[2].1.digest).await.unwrap().is_none());
    sessions::delete_all(&mut tx, ada, None).await.unwrap();
    assert!(sessions::find(&mut tx, &made[1].1.digest).await.unwrap().is_none());
    assert!(sessions::find(&mut tx, &made[3].1.digest).await.unwrap().is_some());
    users::delete(&mut tx, bob).await.unwrap();
    assert!(sessions::find(&mut tx, &made[3].1.digest).await.unwrap().is_none());
    drop(tx);
    store.close().await;
}

async fn tokens_are_found_by_digest(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let mut tx = store.write().await.unwrap();
    let scopes = BTreeSet::from([Scope::Admin, Scope::Metrics, Scope::Read]);
    let until = NOW.plus_days(9);
    let (token, minted) =
        tokens::create(store.ambient(), &mut tx, ada, "ci", &scopes, until).await.unwrap();
    assert!(minted.secret.starts_with(tokens::PREFIX));
    let found = tokens::find(&mut tx, &ambient::digest(&minted.secret)).await.unwrap().unwrap();
    assert_eq!((found.user_id, &found.token), (ada, &token));
    assert_eq!((&token.scopes, token.expires_at, token.used_at), (&scopes, until, None));
    tokens::touch(&mut tx, token.id, NOW.plus_minutes(2)).await.unwrap();
    tokens::touch(&mut tx, token.id, NOW.plus_minutes(1)).await.unwrap();
    let listed = tokens::list(&mut tx, ada).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].used_at, Some(NOW.plus_minutes(2)));
    assert_eq!(tokens::owner(&mut tx, token.id).await.unwrap(), Some(ada));
    tx.commit().await.unwrap();
    assert!(!format!("{:?}", place.tables().await).contains(&minted.secret));

    let mut tx = store.write().await.unwrap();
    tokens::delete(&mut tx, token.id).await.unwrap();
    assert!(tokens::find(&mut tx, &minted.digest).await.unwrap().is_none());
    assert_eq!(tokens::owner(&mut tx, token.id).await.unwrap(), None);
    drop(tx);
    store.close().await;
}

async fn tokens_have_a_bound(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let mut tx = store.write().await.unwrap();
    let scopes = BTreeSet::from([Scope::Read]);
    for _ in 0..tokens::MAX {
        tokens::create(store.ambient(), &mut tx, ada, "t", &scopes, NOW).await.unwrap();
    }
    let more = tokens::create(store.ambient(), &mut tx, ada, "t", &scopes, NOW).await.map(drop);
    assert!(matches!(more, Err(Error::TooMany(tokens::MAX))), "{more:?}");
    tokens::create(store.ambient(), &mut tx, bob, "t", &scopes, NOW).await.unwrap();
    tokens::delete_all(&mut tx, ada).await.unwrap();
    assert!(tokens::list(&mut tx, ada).await.unwrap().is_empty());
    assert_eq!(tokens::list(&mut tx, bob).await.unwrap().len(), 1);
    drop(tx);
    store.close().await;
}
