//! Sweeping deletes what has expired, and that only.

use crate::{
    laws,
    place::{NOW, Place},
    seed,
};
use mosaic_protocol::{
    ModelProviderId, ProviderLoginId, Time,
    provider::{Api, CredentialKind, ProviderKind},
    token::Scope,
};
use mosaic_store::{
    Store, identities, invites, links, provider_logins, providers, sessions, sweep, tokens,
};
use std::collections::BTreeSet;

laws! { just_what_has_expired }

const TABLES: [&str; 6] =
    ["sessions", "tokens", "invites", "links", "oidc_flows", "provider_logins"];

async fn left(place: &Place) -> Vec<String> {
    let mut left = vec![];
    for table in TABLES {
        let text = format!("select cast(expires_at as text) from {table} order by expires_at");
        left.push(format!("{table} {}", place.rows(text).await.join(" ")));
    }
    left
}

async fn one_of_each(store: &Store, n: usize, expires_at: Time) {
    let (ada, _) = seed::user(store, &format!("ada{n}")).await;
    let ambient = store.ambient();
    let mut tx = store.write().await.unwrap();
    let new = sessions::NewSession { user_id: ada, expires_at, agent: "", address: "" };
    sessions::create(ambient, &mut tx, new).await.unwrap();
    let scopes = BTreeSet::from([Scope::Read]);
    tokens::create(ambient, &mut tx, ada, "t", &scopes, expires_at).await.unwrap();
    let new = invites::NewInvite { made_by: None, creates_account: true, team: None, expires_at };
    invites::create(store, &mut tx, new).await.unwrap();
    links::create(store, &mut tx, links::Purpose::Recovery(ada), expires_at).await.unwrap();
    let flow = identities::Flow {
        provider: "idp".to_owned(),
        nonce: String::new(),
        verifier: String::new(),
        user_id: None,
        expires_at,
    };
    identities::put_flow(&mut tx, &n.to_be_bytes(), &flow).await.unwrap();
    let stored = providers::Stored {
        id: ambient.id(ModelProviderId::new),
        workspace_id: None,
        name: format!("theirs{n}").try_into().unwrap(),
        kind: ProviderKind::Compatible,
        api: Api::Chat,
        base_url: "https://api.example.com/v1".to_owned(),
        enabled: true,
        credential: CredentialKind::None,
        hint: String::new(),
        updated_at: NOW,
    };
    let written = providers::Written { stored: &stored, credential: None };
    providers::insert(store, &mut tx, &written).await.unwrap();
    let begun = provider_logins::Begun {
        id: ambient.id(ProviderLoginId::new),
        provider_id: stored.id,
        user_id: Some(ada),
        way: provider_logins::Way::Device,
        expires_at,
    };
    provider_logins::put(store, &mut tx, &begun, &[], "kept").await.unwrap();
    tx.commit().await.unwrap();
}

async fn just_what_has_expired(place: Place) {
    let store = place.open().await;
    let times = [NOW, NOW.plus_ms(1), NOW.plus_ms(2)];
    for (n, expires_at) in times.into_iter().enumerate() {
        one_of_each(&store, n, expires_at).await;
    }
    let expected = |times: &[Time]| -> Vec<String> {
        let times: Vec<String> = times.iter().map(|time| time.0.to_string()).collect();
        TABLES.iter().map(|table| format!("{table} {}", times.join(" "))).collect()
    };
    assert_eq!(left(&place).await, expected(&times));
    for (n, swept) in [6, 6, 6, 0].into_iter().enumerate() {
        assert_eq!(sweep::expired(&store).await.unwrap(), swept);
        assert_eq!(left(&place).await, expected(times.get(n + 1..).unwrap_or_default()));
        assert_eq!(sweep::expired(&store).await.unwrap(), 0);
        place.clock.advance_ms(1);
    }
    assert_eq!(place.rows("select cast(count(*) as text) from users").await, ["3"]);
    store.close().await;
}
