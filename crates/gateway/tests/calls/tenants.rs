//! Two people who do not trust each other: neither can use, see, test, change or bill the other's providers.

use crate::people::{Place, all, by_token};
use mosaic_gateway::Error;
use mosaic_protocol::{
    access::{Actor, Denial},
    budget::{UsageBy, UsageQuery},
    provider::{ChangeProviderRequest, ProviderKind},
    token::Scope,
};

fn hidden(error: &Error) -> bool {
    matches!(error, Error::NotFound | Error::Denied(Denial::Hidden))
}

#[tokio::test]
async fn neither_can_use_see_or_bill_what_is_the_others() {
    let place = Place::new().await;
    let (ada, adas) = place.person("ada", false).await;
    let (bob, bobs) = place.person("bob", false).await;
    let gateway = &place.gateway;
    let provider = place.scripted(&ada, "secret-play", false).await;
    place.scripted(&bob, "bobs-play", false).await;

    let names = |actor: Actor| async move {
        let all = gateway.list_providers(&actor, None).await.unwrap().items;
        all.into_iter().map(|it| it.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(ada.clone()).await, ["secret-play"]);
    assert_eq!(names(bob.clone()).await, ["bobs-play"]);
    // Not by the other's workspace either, in any operation.
    assert!(hidden(&gateway.list_providers(&bob, Some(adas)).await.err().unwrap()));
    assert!(hidden(&gateway.list_models(&bob, Some(adas)).await.err().unwrap()));
    assert!(hidden(&gateway.list_rules(&bob, Some(adas)).await.err().unwrap()));
    assert!(hidden(&gateway.test_provider(&bob, provider.id).await.err().unwrap()));
    assert!(hidden(&gateway.delete_provider(&bob, provider.id).await.err().unwrap()));
    let nothing = ChangeProviderRequest {
        name: None,
        base_url: None,
        api: None,
        key: None,
        enabled: Some(false),
        untested: true,
    };
    assert!(hidden(&gateway.change_provider(&bob, provider.id, &nothing).await.err().unwrap()));

    // A foreign model is answered like one that does not exist, and no name of it is offered.
    for asked in ["secret-play/echo", "nobody/echo"] {
        match place.ask(&bob, asked).await.err().unwrap() {
            Error::NoSuchModel { nearest, .. } => {
                assert!(nearest.iter().all(|name| name.starts_with("bobs-play/")), "{nearest:?}");
            }
            other => panic!("{other:?}"),
        }
    }
    let mut foreign = crate::people::ask("secret-play/echo");
    foreign.workspace_id = Some(adas);
    assert!(hidden(&gateway.call_model(&bob, foreign).await.err().unwrap()));

    // Each call is billed to who made it.
    assert!(all(&mut place.ask(&ada, "secret-play/echo").await.unwrap()).await.1.is_ok());
    assert!(all(&mut place.ask(&bob, "bobs-play/echo").await.unwrap()).await.1.is_ok());
    for (actor, provider) in [(&ada, "secret-play"), (&bob, "bobs-play")] {
        let usage = place.usage(actor, UsageBy::Provider).await;
        assert_eq!(usage.rows.len(), 1);
        assert_eq!((usage.rows[0].key.as_str(), usage.rows[0].calls), (provider, 1));
    }
    let of = |workspace_id| UsageQuery { workspace_id, ..UsageQuery::default() };
    assert!(hidden(&gateway.usage(&bob, &of(Some(adas))).await.err().unwrap()));
    assert!(gateway.usage(&bob, &of(Some(bobs))).await.is_ok());
    let everybody = UsageQuery { everybody: true, ..UsageQuery::default() };
    assert!(matches!(gateway.usage(&bob, &everybody).await, Err(Error::Denied(_))));
}

#[tokio::test]
async fn a_token_calls_models_only_with_the_scope_for_it() {
    let place = Place::new().await;
    let (ada, _) = place.person("ada", false).await;
    place.scripted(&ada, "play", false).await;
    for scopes in [&[Scope::Read, Scope::Write][..], &[]] {
        let token = by_token(&ada, scopes);
        let error = place.ask(&token, "play/echo").await.err().unwrap();
        assert!(matches!(error, Error::Denied(Denial::MissingScope(Scope::Models))), "{error:?}");
    }
    let token = by_token(&ada, &[Scope::Models]);
    assert!(place.ask(&token, "play/echo").await.is_ok());
    // And nothing else with it.
    assert!(place.gateway.list_providers(&token, None).await.is_err());
    // What was put together for one grant is not a way round for another.
    let other = by_token(&ada, &[Scope::Read]);
    assert!(place.ask(&other, "play/echo").await.is_err());
}

#[tokio::test]
async fn a_provider_for_everybody_takes_an_admin_and_serves_everybody() {
    let place = Place::new().await;
    let (root, _) = place.person("root", true).await;
    let (ada, _) = place.person("ada", false).await;
    let mut request = mosaic_protocol::provider::AddProviderRequest {
        name: "shared".to_owned().try_into().unwrap(),
        kind: ProviderKind::Scripted,
        workspace_id: None,
        server: true,
        base_url: None,
        api: None,
        key: None,
        untested: false,
    };
    let gateway = &place.gateway;
    assert!(matches!(
        gateway.add_provider(&ada, &request).await,
        Err(Error::Denied(Denial::Forbidden))
    ));
    let shared = gateway.add_provider(&root, &request).await.unwrap();
    assert!(place.ask(&ada, "shared/echo").await.is_ok());
    assert!(matches!(gateway.delete_provider(&ada, shared.id).await, Err(Error::Denied(_))));
    // One's own of the same name is meant, not the shared one.
    request.server = false;
    let own = gateway.add_provider(&ada, &request).await.unwrap();
    gateway.delete_provider(&root, shared.id).await.unwrap();
    assert!(place.ask(&ada, "shared/echo").await.is_ok());
    gateway.delete_provider(&ada, own.id).await.unwrap();
    assert!(place.ask(&ada, "shared/echo").await.is_err());
}
