//! What can be used once: invitations, links, logins on their way to a provider; and linked identities.

use crate::{
    laws,
    place::{NOW, Place},
    seed,
};
use mosaic_protocol::{UserId, team::Role};
use mosaic_store::{Error, Store, identities, invites, links, links::Purpose, users};

laws! {
    invites_are_found_until_they_expire,
    an_invite_is_used_once,
    invites_fall_with_who_made_them,
    invites_have_a_bound,
    a_link_ends_the_one_before,
    a_link_is_used_once,
    links_expire,
    a_flow_comes_back_once,
    an_identity_belongs_to_one,
    identities_have_a_bound,
}

fn invite(made_by: Option<UserId>) -> invites::NewInvite {
    let expires_at = NOW.plus_hours(1);
    invites::NewInvite { made_by, creates_account: true, team: None, expires_at }
}

async fn invites_are_found_until_they_expire(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let team = seed::team(&store, "Weavers", ada).await;
    let mut tx = store.write().await.unwrap();
    let (open, code) = invites::create(&store, &mut tx, invite(None)).await.unwrap();
    let new = invites::NewInvite {
        creates_account: false,
        team: Some((team.id, Role::Member)),
        ..invite(Some(ada))
    };
    place.clock.advance_ms(1);
    let (into_team, team_code) = invites::create(&store, &mut tx, new).await.unwrap();
    let just_before = open.expires_at.plus_ms(-1);
    let find = invites::find(&mut tx, &code.digest, just_before).await.unwrap();
    assert_eq!(find.as_ref(), Some(&open));
    let find = invites::find(&mut tx, &team_code.digest, NOW).await.unwrap();
    assert_eq!(find.as_ref(), Some(&into_team));
    assert_eq!((into_team.team_id, into_team.role), (Some(team.id), Some(Role::Member)));
    assert!(invites::find(&mut tx, &code.digest, open.expires_at).await.unwrap().is_none());
    assert!(invites::find(&mut tx, b"other", NOW).await.unwrap().is_none());

    let listed = invites::list(&mut tx, NOW).await.unwrap();
    assert_eq!(listed, [into_team.clone(), open.clone()], "newest first");
    assert_eq!(invites::into_team(&mut tx, team.id, NOW).await.unwrap(), [into_team]);
    assert!(invites::list(&mut tx, open.expires_at).await.unwrap().is_empty());
    assert!(invites::into_team(&mut tx, team.id, open.expires_at).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    let stored = format!("{:?}", place.tables().await);
    assert!(!stored.contains(&code.secret) && !stored.contains(&team_code.secret));
    store.close().await;
}

/// Two at once try the same thing in a transaction each. Answers how often it worked.
async fn twice_at_once<F>(store: &Store, take: impl Fn(Store) -> F) -> usize
where
    F: Future<Output = bool> + Send + 'static,
{
    let tasks = [tokio::spawn(take(store.clone())), tokio::spawn(take(store.clone()))];
    let mut n = 0;
    for task in tasks {
        n += usize::from(task.await.unwrap());
    }
    n
}

async fn an_invite_is_used_once(place: Place) {
    let store = place.open().await;
    for round in 0..10 {
        let mut tx = store.write().await.unwrap();
        let (_, code) = invites::create(&store, &mut tx, invite(None)).await.unwrap();
        tx.commit().await.unwrap();
        let names = std::sync::atomic::AtomicUsize::new(0);
        let won = twice_at_once(&store, |store| {
            let n = names.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let digest = code.digest.clone();
            async move {
                let mut tx = store.read().await.unwrap();
                let Some(found) = invites::find(&mut tx, &digest, NOW).await.unwrap() else {
                    return false;
                };
                drop(tx);
                let mut tx = store.write().await.unwrap();
                if !invites::take(&mut tx, found.id).await.unwrap() {
                    return false;
                }
                let name = seed::name(&format!("u{round}-{n}"));
                let new =
                    users::NewUser { name: &name, display_name: "", password: None, admin: false };
                users::create(&store, &mut tx, new).await.unwrap();
                tx.commit().await.unwrap();
                true
            }
        });
        assert_eq!(won.await, 1);
    }
    assert_eq!(place.rows("select cast(count(*) as text) from users").await, ["10"]);
    store.close().await;
}

async fn invites_fall_with_who_made_them(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let team = seed::team(&store, "Weavers", ada).await;
    let other = seed::team(&store, "Others", ada).await;
    let mut tx = store.write().await.unwrap();
    let into = |who, team: &mosaic_protocol::team::Team| invites::NewInvite {
        team: Some((team.id, Role::Member)),
        ..invite(Some(who))
    };
    for new in [into(ada, &team), into(ada, &other), into(bob, &team), invite(Some(bob))] {
        invites::create(&store, &mut tx, new).await.unwrap();
    }
    invites::delete_made_by(&mut tx, ada, Some(team.id)).await.unwrap();
    assert_eq!(invites::into_team(&mut tx, team.id, NOW).await.unwrap().len(), 1);
    assert_eq!(invites::into_team(&mut tx, other.id, NOW).await.unwrap().len(), 1);
    invites::delete_made_by(&mut tx, bob, None).await.unwrap();
    assert_eq!(invites::list(&mut tx, NOW).await.unwrap().len(), 1);
    users::delete(&mut tx, ada).await.unwrap();
    assert!(invites::list(&mut tx, NOW).await.unwrap().is_empty());
    drop(tx);
    store.close().await;
}

/// Each bound is of those who can reach it: nobody uses up what others need.
async fn invites_have_a_bound(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let (adas, bobs) = (seed::team(&store, "A", ada).await, seed::team(&store, "B", bob).await);
    let mut tx = store.write().await.unwrap();
    let into = |who, team: &mosaic_protocol::team::Team| invites::NewInvite {
        creates_account: false,
        team: Some((team.id, Role::Member)),
        ..invite(Some(who))
    };
    for _ in 0..invites::MAX_MADE {
        invites::create(&store, &mut tx, into(ada, &adas)).await.unwrap();
    }
    for full in [into(ada, &adas), into(ada, &bobs), into(bob, &adas)] {
        let more = invites::create(&store, &mut tx, full).await.map(drop);
        assert!(matches!(more, Err(Error::TooMany(_))), "{more:?}");
    }
    // Others invite, and admins make accounts, into that team as well.
    invites::create(&store, &mut tx, into(bob, &bobs)).await.unwrap();
    let account = invites::NewInvite { creates_account: true, ..into(bob, &adas) };
    invites::create(&store, &mut tx, account).await.unwrap();
    invites::create(&store, &mut tx, invite(Some(ada))).await.unwrap();
    for _ in 0..invites::MAX_MADE {
        invites::create(&store, &mut tx, invite(None)).await.unwrap();
    }
    let more = invites::create(&store, &mut tx, invite(None)).await.map(drop);
    assert!(matches!(more, Err(Error::TooMany(invites::MAX_MADE))), "{more:?}");
    // What has expired does not count.
    place.clock.advance_ms(60 * 86_400_000);
    let late = invites::NewInvite { expires_at: NOW.plus_days(61), ..into(ada, &adas) };
    invites::create(&store, &mut tx, late).await.unwrap();
    drop(tx);
    store.close().await;
}

async fn a_link_ends_the_one_before(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let until = NOW.plus_hours(1);
    let mut tx = store.write().await.unwrap();
    let mut made = vec![];
    for purpose in [
        Purpose::Setup,
        Purpose::Recovery(ada),
        Purpose::Recovery(bob),
        Purpose::Setup,
        Purpose::Recovery(ada),
    ] {
        made.push(links::create(&store, &mut tx, purpose, until).await.unwrap().digest);
    }
    assert!(!links::take_setup(&mut tx, &made[0], NOW).await.unwrap());
    assert_eq!(links::take_recovery(&mut tx, &made[1], NOW).await.unwrap(), None);
    // A link of one kind is no good for the other.
    assert!(!links::take_setup(&mut tx, &made[4], NOW).await.unwrap());
    assert_eq!(links::take_recovery(&mut tx, &made[3], NOW).await.unwrap(), None);
    assert!(links::take_setup(&mut tx, &made[3], NOW).await.unwrap());
    assert_eq!(links::take_recovery(&mut tx, &made[4], NOW).await.unwrap(), Some(ada));
    assert_eq!(links::take_recovery(&mut tx, &made[2], NOW).await.unwrap(), Some(bob));

    links::put(&store, &mut tx, Purpose::Setup, b"chosen", until).await.unwrap();
    links::clear(&mut tx, Purpose::Recovery(ada)).await.unwrap();
    links::clear(&mut tx, Purpose::Setup).await.unwrap();
    assert!(!links::take_setup(&mut tx, b"chosen", NOW).await.unwrap());
    drop(tx);
    store.close().await;
}

async fn a_link_is_used_once(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let until = NOW.plus_hours(1);
    for _ in 0..10 {
        let mut tx = store.write().await.unwrap();
        let setup = links::create(&store, &mut tx, Purpose::Setup, until).await.unwrap();
        let recovery = links::create(&store, &mut tx, Purpose::Recovery(ada), until).await.unwrap();
        tx.commit().await.unwrap();
        let won = twice_at_once(&store, |store| {
            let digest = setup.digest.clone();
            async move {
                let mut tx = store.write().await.unwrap();
                let won = links::take_setup(&mut tx, &digest, NOW).await.unwrap();
                tx.commit().await.unwrap();
                won
            }
        });
        assert_eq!(won.await, 1);
        let won = twice_at_once(&store, |store| {
            let digest = recovery.digest.clone();
            async move {
                let mut tx = store.write().await.unwrap();
                let whose = links::take_recovery(&mut tx, &digest, NOW).await.unwrap();
                tx.commit().await.unwrap();
                whose.inspect(|whose| assert_eq!(*whose, ada)).is_some()
            }
        });
        assert_eq!(won.await, 1);
    }
    store.close().await;
}

async fn links_expire(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let until = NOW.plus_hours(1);
    let mut tx = store.write().await.unwrap();
    let setup = links::create(&store, &mut tx, Purpose::Setup, until).await.unwrap().digest;
    let recovery = links::create(&store, &mut tx, Purpose::Recovery(ada), until).await.unwrap();
    assert!(!links::take_setup(&mut tx, &setup, until).await.unwrap());
    assert_eq!(links::take_recovery(&mut tx, &recovery.digest, until).await.unwrap(), None);
    assert!(links::take_setup(&mut tx, &setup, until.plus_ms(-1)).await.unwrap());
    users::delete(&mut tx, ada).await.unwrap();
    assert_eq!(links::take_recovery(&mut tx, &recovery.digest, NOW).await.unwrap(), None);
    drop(tx);
    store.close().await;
}

async fn a_flow_comes_back_once(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let flow = |user_id| identities::Flow {
        provider: "idp".to_owned(),
        nonce: "n".to_owned(),
        verifier: "v".to_owned(),
        user_id,
        expires_at: NOW.plus_minutes(10),
    };
    let mut tx = store.write().await.unwrap();
    identities::put_flow(&mut tx, b"login", &flow(None)).await.unwrap();
    identities::put_flow(&mut tx, b"linking", &flow(Some(ada))).await.unwrap();
    identities::put_flow(&mut tx, b"late", &flow(None)).await.unwrap();
    tx.commit().await.unwrap();
    let won = twice_at_once(&store, async |store: Store| {
        let mut tx = store.write().await.unwrap();
        let back = identities::take_flow(&mut tx, b"login", NOW).await.unwrap();
        tx.commit().await.unwrap();
        back.is_some_and(|flow| flow.nonce == "n" && flow.verifier == "v")
    });
    assert_eq!(won.await, 1);
    let mut tx = store.write().await.unwrap();
    let late = identities::take_flow(&mut tx, b"late", NOW.plus_minutes(10)).await.unwrap();
    assert!(late.is_none());
    let linking = identities::take_flow(&mut tx, b"linking", NOW).await.unwrap().unwrap();
    assert_eq!((linking.user_id, linking.provider.as_str()), (Some(ada), "idp"));
    drop(tx);
    store.close().await;
}

async fn an_identity_belongs_to_one(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let link = async |user_id, provider, subject| {
        let mut tx = store.write().await?;
        let id = identities::link(store.ambient(), &mut tx, user_id, provider, subject).await?;
        tx.commit().await?;
        Ok::<_, Error>(id)
    };
    let first = link(ada, "idp", "s1").await.unwrap();
    for who in [ada, bob] {
        assert!(matches!(link(who, "idp", "s1").await, Err(Error::Taken)));
    }
    link(bob, "other", "s1").await.unwrap();
    link(ada, "idp", "s2").await.unwrap();
    let mut tx = store.write().await.unwrap();
    assert_eq!(identities::user_of(&mut tx, "idp", "s1").await.unwrap(), Some(ada));
    assert_eq!(identities::user_of(&mut tx, "other", "s1").await.unwrap(), Some(bob));
    assert_eq!(identities::user_of(&mut tx, "other", "s2").await.unwrap(), None);
    assert_eq!(identities::owner(&mut tx, first).await.unwrap(), Some(ada));
    assert_eq!(identities::list(&mut tx, ada).await.unwrap().len(), 2);
    identities::unlink(&mut tx, first).await.unwrap();
    assert_eq!(identities::user_of(&mut tx, "idp", "s1").await.unwrap(), None);
    users::delete(&mut tx, bob).await.unwrap();
    assert_eq!(identities::user_of(&mut tx, "other", "s1").await.unwrap(), None);
    drop(tx);
    store.close().await;
}

async fn identities_have_a_bound(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let mut tx = store.write().await.unwrap();
    for n in 0..identities::MAX {
        let subject = n.to_string();
        identities::link(store.ambient(), &mut tx, ada, "idp", &subject).await.unwrap();
    }
    let more = identities::link(store.ambient(), &mut tx, ada, "idp", "more").await;
    assert!(matches!(more, Err(Error::TooMany(identities::MAX))), "{more:?}");
    drop(tx);
    store.close().await;
}
