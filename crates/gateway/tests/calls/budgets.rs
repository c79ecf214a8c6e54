//! Budgets stop a call before it is sent, and within it; what is spent is known to the last call.

use crate::people::{Place, all, ask};
use mosaic_gateway::{Error, ModelSettings};
use mosaic_protocol::budget::{Budget, BudgetRequest, Period, Subject};

/// Scripted models cost nothing; here they cost a dollar for a million tokens in and out.
async fn priced() -> Place {
    let overrides = r#"{
        "scripted/echo": {"price": {"input": 1, "output": 1}},
        "scripted/tiny-chunks-20000": {"price": {"input": 1, "output": 1}},
        "scripted/say:hi": {"price": {"input": 1, "output": 1}}
    }"#;
    Place::with(ModelSettings { overrides: Some(overrides.into()), ..ModelSettings::default() })
        .await
}

fn limit(subject: Subject, micros: Option<i64>, tokens: Option<i64>) -> BudgetRequest {
    BudgetRequest { subject, period: Period::Day, micros, tokens }
}

async fn mine(place: &Place, actor: &mosaic_protocol::access::Actor) -> Budget {
    place.gateway.finish().await;
    place.gateway.list_budgets(actor).await.unwrap().items.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_budget_is_held_settled_warned_of_and_then_stops() {
    let place = priced().await;
    let (root, _) = place.person("root", true).await;
    let (ada, _) = place.person("ada", false).await;
    place.scripted(&root, "play", true).await;
    let mosaic_protocol::access::Actor::User(person) = &ada else { unreachable!() };
    let subject = Subject::User(person.id);
    place.gateway.put_budget(&root, &limit(subject.clone(), Some(150), None)).await.unwrap();

    let mut answering = place.ask(&ada, "play/echo").await.unwrap();
    assert!(
        mine(&place, &ada).await.spent.held_micros >= 100,
        "what it may cost is held before it is sent"
    );
    assert!(all(&mut answering).await.1.is_ok());
    let after = mine(&place, &ada).await;
    assert_eq!(after.spent.held_micros, 0);
    assert!((1..60).contains(&after.spent.micros), "{after:?}");

    // What is left does not pay for a hundred tokens of answer: it is bounded to what does, and then refused.
    let mut n = 0;
    let refused = loop {
        match place.ask(&ada, "play/echo").await {
            Ok(mut answering) => {
                all(&mut answering).await.1.unwrap();
                place.gateway.finish().await;
                place.clock.advance_ms(3_000);
            }
            Err(error) => break error,
        }
        n += 1;
        assert!(n < 100, "it never stops");
    };
    let Error::OverBudget { said, retry_after } = refused else { panic!("{refused:?}") };
    assert!(said.contains("daily budget of this user"), "{said}");
    assert!(retry_after.as_secs() > 0);
    let after = mine(&place, &ada).await;
    assert!(after.spent.micros <= 150, "never more than the budget: {after:?}");
    assert_eq!(after.spent.held_micros, 0);
    // Tomorrow it begins anew.
    place.clock.advance_ms(24 * 3_600_000);
    assert!(place.ask(&ada, "play/echo").await.is_ok());
}

#[tokio::test]
async fn many_calls_at_once_do_not_get_past_a_budget() {
    let place = priced().await;
    let (root, _) = place.person("root", true).await;
    let (ada, _) = place.person("ada", false).await;
    place.scripted(&root, "play", true).await;
    let mosaic_protocol::access::Actor::User(person) = &ada else { unreachable!() };
    let subject = Subject::User(person.id);
    place.gateway.put_budget(&root, &limit(subject, None, Some(1000))).await.unwrap();
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let (gateway, ada) = (place.gateway.clone(), ada.clone());
            tokio::spawn(async move {
                match gateway.call_model(&ada, ask("play/echo")).await {
                    Ok(mut answering) => {
                        all(&mut answering).await.1.unwrap();
                        true
                    }
                    Err(Error::OverBudget { .. }) => false,
                    Err(other) => panic!("{other:?}"),
                }
            })
        })
        .collect();
    let mut n = 0;
    for call in calls {
        n += usize::from(call.await.unwrap());
    }
    assert!(n > 0, "some get through");
    let after = mine(&place, &ada).await;
    assert!(after.spent.tokens <= 1000 && after.spent.held_tokens == 0, "{after:?}");
}

#[tokio::test]
async fn a_provider_that_does_not_stop_where_it_was_told_to_is_cut_off() {
    let place = priced().await;
    let (root, _) = place.person("root", true).await;
    let (ada, _) = place.person("ada", false).await;
    place.scripted(&root, "play", true).await;
    let mosaic_protocol::access::Actor::User(person) = &ada else { unreachable!() };
    place
        .gateway
        .put_budget(&root, &limit(Subject::User(person.id), Some(5000), None))
        .await
        .unwrap();
    // It writes twenty thousand letters, whatever it was allowed to.
    let mut answering = place.ask(&ada, "play/tiny-chunks-20000").await.unwrap();
    let (_, end) = all(&mut answering).await;
    assert!(matches!(end, Err(Error::ModelFailed(_))), "{end:?}");
    let after = mine(&place, &ada).await;
    assert!(after.spent.micros < 5000, "{after:?}");
}

#[tokio::test]
async fn who_may_set_a_budget() {
    let place = priced().await;
    let (root, _) = place.person("root", true).await;
    let (ada, own) = place.person("ada", false).await;
    let (bob, _) = place.person("bob", false).await;
    let mosaic_protocol::access::Actor::User(person) = &ada else { unreachable!() };
    let of = |subject| limit(subject, Some(1), None);
    let gateway = &place.gateway;
    assert!(gateway.put_budget(&ada, &of(Subject::User(person.id))).await.is_err());
    assert!(gateway.put_budget(&ada, &of(Subject::Server)).await.is_err());
    assert!(gateway.put_budget(&bob, &of(Subject::Workspace(own))).await.is_err());
    let budget = gateway.put_budget(&ada, &of(Subject::Workspace(own))).await.unwrap();
    assert!(matches!(
        gateway.delete_budget(&bob, budget.id).await,
        Err(Error::Denied(_) | Error::NotFound)
    ));
    assert!(gateway.put_budget(&root, &of(Subject::Server)).await.is_ok());
    assert!(gateway.put_budget(&root, &limit(Subject::Server, None, None)).await.is_err());
    assert!(gateway.put_budget(&root, &limit(Subject::Server, Some(-1), None)).await.is_err());
}
