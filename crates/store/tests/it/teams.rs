//! Teams, their members, and who may see which workspace.

use crate::{
    laws,
    place::{NOW, Place},
    seed,
};
use mosaic_protocol::{UserId, team::Role, workspace::WorkspaceKind};
use mosaic_store::{Error, teams, users, workspaces};

laws! {
    a_team_shares_a_workspace,
    members_come_and_go,
    a_foreign_team_is_not_seen,
    a_full_list_still_takes_changes,
    deleting_cascades,
    quotas_are_looked_after,
    workspaces_are_listed_in_pages,
}

async fn a_team_shares_a_workspace(place: Place) {
    let store = place.open().await;
    let (ada, own) = seed::user(&store, "ada").await;
    let team = seed::team(&store, "Weavers", ada).await;
    let mut tx = store.read().await.unwrap();
    assert_eq!((team.role, team.created_at), (Role::Owner, NOW));
    assert_eq!(teams::of(&mut tx, ada).await.unwrap(), std::slice::from_ref(&team));
    assert_eq!(teams::all(&mut tx).await.unwrap(), std::slice::from_ref(&team));
    assert_eq!(teams::seen_by(&mut tx, team.id, ada).await.unwrap().as_ref(), Some(&team));
    let of = workspaces::of(&mut tx, ada).await.unwrap();
    let told: Vec<_> = of.iter().map(|w| (w.id, w.name.as_str(), w.kind, w.team_id)).collect();
    assert_eq!(
        told,
        [
            (own, "ada", WorkspaceKind::Personal, None),
            (team.workspace_id, "Weavers", WorkspaceKind::Shared, Some(team.id))
        ]
    );
    assert!(of.iter().all(|w| w.role == Some(Role::Owner)));
    drop(tx);
    store.close().await;
}

async fn members_come_and_go(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let team = seed::team(&store, "Weavers", ada).await;
    seed::join(&store, &team, bob, Role::Viewer).await.unwrap();
    let mut tx = store.write().await.unwrap();
    let told = |members: Vec<mosaic_protocol::team::Member>| -> Vec<(UserId, Role)> {
        members.into_iter().map(|member| (member.user_id, member.role)).collect()
    };
    let members = teams::members(&mut tx, team.id).await.unwrap();
    assert_eq!(told(members), [(ada, Role::Owner), (bob, Role::Viewer)]);
    assert_eq!(teams::role(&mut tx, team.id, bob).await.unwrap(), Some(Role::Viewer));
    assert_eq!(
        workspaces::role(&mut tx, team.workspace_id, bob).await.unwrap(),
        Some(Role::Viewer)
    );
    teams::join(&mut tx, team.id, bob, Role::Owner, NOW).await.unwrap();
    assert_eq!(teams::count_owners(&mut tx, team.id).await.unwrap(), 2);
    assert_eq!(teams::count_members(&mut tx, team.id).await.unwrap(), 2, "another role, no more");
    teams::rename(&mut tx, team.id, "Spinners").await.unwrap();
    teams::leave(&mut tx, team.id, ada).await.unwrap();
    assert!(teams::of(&mut tx, ada).await.unwrap().is_empty());
    assert_eq!(teams::of(&mut tx, bob).await.unwrap()[0].name, "Spinners");
    assert_eq!(workspaces::role(&mut tx, team.workspace_id, ada).await.unwrap(), None);
    drop(tx);
    store.close().await;
}

async fn a_foreign_team_is_not_seen(place: Place) {
    let store = place.open().await;
    let (ada, adas) = seed::user(&store, "ada").await;
    let (eve, eves) = seed::user(&store, "eve").await;
    let team = seed::team(&store, "Weavers", ada).await;
    seed::team(&store, "Others", eve).await;
    let mut tx = store.read().await.unwrap();
    assert!(teams::seen_by(&mut tx, team.id, eve).await.unwrap().is_none());
    assert_eq!(teams::role(&mut tx, team.id, eve).await.unwrap(), None);
    assert!(teams::exists(&mut tx, team.id).await.unwrap());
    for (workspace, whose) in [(adas, ada), (eves, eve), (team.workspace_id, ada)] {
        for user in [ada, eve] {
            let expected = (user == whose).then_some(Role::Owner);
            assert_eq!(workspaces::role(&mut tx, workspace, user).await.unwrap(), expected);
        }
    }
    let nobody = store.ambient().id(UserId::new);
    assert_eq!(workspaces::role(&mut tx, adas, nobody).await.unwrap(), None);
    let of = workspaces::of(&mut tx, eve).await.unwrap();
    assert!(of.iter().all(|w| w.id != adas && w.id != team.workspace_id));
    drop(tx);
    store.close().await;
}

async fn a_full_list_still_takes_changes(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let mut tx = store.write().await.unwrap();
    let mut last = None;
    for n in 0..teams::MAX_TEAMS {
        last = Some(teams::create(&store, &mut tx, &format!("t{n}"), ada).await.unwrap());
    }
    let last = last.unwrap();
    teams::join(&mut tx, last.id, ada, Role::Viewer, NOW).await.unwrap();
    assert_eq!(teams::role(&mut tx, last.id, ada).await.unwrap(), Some(Role::Viewer));
    let more = teams::create(&store, &mut tx, "one more", ada).await.map(drop);
    assert!(matches!(more, Err(Error::TooMany(teams::MAX_TEAMS))), "{more:?}");
    drop(tx);

    let (bob, _) = seed::user(&store, "bob").await;
    let team = seed::team(&store, "big", ada).await;
    // A thousand people by hand: 1000 accounts through the store would only take longer.
    let series = "with recursive n(n) as (select 1 union all select n + 1 from n where n < 999)";
    place
        .run(format!(
            "insert into users (id, name, display_name, admin, state, created_at)
             {series} select 'u' || n, 'u' || n, '', 0, 'active', 0 from n;
             insert into members (team_id, user_id, role, joined_at)
             select '{}', id, 'member', 0 from users where id like 'u%'",
            team.id
        ))
        .await;
    let more = seed::join(&store, &team, bob, Role::Member).await;
    assert!(matches!(more, Err(Error::TooMany(teams::MAX_MEMBERS))), "{more:?}");
    seed::join(&store, &team, ada, Role::Member).await.unwrap();
    store.close().await;
}

async fn deleting_cascades(place: Place) {
    let store = place.open().await;
    let (ada, adas) = seed::user(&store, "ada").await;
    let (bob, bobs) = seed::user(&store, "bob").await;
    let team = seed::team(&store, "Weavers", ada).await;
    seed::join(&store, &team, bob, Role::Owner).await.unwrap();
    seed::put_secret(&store, team.workspace_id, "KEY", "v").await;
    store.put_blob(team.workspace_id, &"shared".into()).await.unwrap();
    seed::delete_user(&store, ada).await;
    let mut tx = store.write().await.unwrap();
    assert!(workspaces::get(&mut tx, adas).await.unwrap().is_none());
    assert_eq!(teams::count_members(&mut tx, team.id).await.unwrap(), 1, "the team stays");
    assert!(workspaces::get(&mut tx, team.workspace_id).await.unwrap().is_some());
    teams::delete(&mut tx, team.id).await.unwrap();
    store.commit_and_forget(tx, vec![team.workspace_id]).await.unwrap();
    for table in ["teams", "members", "secrets", "blobs", "blob_chunks"] {
        let n = place.rows(format!("select cast(count(*) as text) from {table}")).await;
        assert_eq!(n, ["0"], "{table}");
    }
    if !place.is_postgres() {
        assert!(crate::place::files_below(&place.data().join("blobs")).is_empty());
    }
    let mut tx = store.write().await.unwrap();
    assert!(users::get(&mut tx, bob).await.unwrap().is_some());
    assert!(workspaces::get(&mut tx, bobs).await.unwrap().is_some());
    drop(tx);
    store.close().await;
}

async fn quotas_are_looked_after(place: Place) {
    let store = place.open().await;
    let (ada, own) = seed::user(&store, "ada").await;
    let (_, other) = seed::user(&store, "bob").await;
    store.put_blob(own, &"123456".into()).await.unwrap();
    let mut tx = store.write().await.unwrap();
    workspaces::set_quota(&mut tx, own, 5).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let shown = workspaces::get(&mut tx, own).await.unwrap().unwrap();
    assert_eq!((shown.quota_bytes, shown.used_bytes, shown.role), (5, 6, None));
    assert_eq!(shown.name, "ada");
    let untouched = workspaces::get(&mut tx, other).await.unwrap().unwrap();
    assert_eq!(untouched.quota_bytes, crate::place::QUOTA);
    assert_eq!(workspaces::of(&mut tx, ada).await.unwrap()[0].quota_bytes, 5);
    drop(tx);
    store.close().await;
}

async fn workspaces_are_listed_in_pages(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    for n in 0..4 {
        seed::team(&store, &format!("t{n}"), ada).await;
    }
    let mut tx = store.read().await.unwrap();
    let mut seen = vec![];
    loop {
        let after = seen.last().map_or_else(String::new, |(id, _): &(String, String)| id.clone());
        let page = workspaces::all(&mut tx, &after, 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|w| (w.id.to_string(), w.name)));
    }
    let mut names: Vec<&str> = seen.iter().map(|(_, name)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ada", "t0", "t1", "t2", "t3"]);
    assert!(seen.is_sorted());
    drop(tx);
    store.close().await;
}
