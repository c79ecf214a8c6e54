//! What happens when a model fails: before its first word another one answers, after it the answer is incomplete.

use crate::people::{Place, all, ask};
use mosaic_gateway::{Error, ModelSettings, Switching};
use mosaic_protocol::{
    access::Actor,
    budget::UsageBy,
    provider::FailureClass,
    route::ClassifiedBy,
    rule::{Action, RuleBody, Target},
};

/// A rule of one's own that is asked before all others: these models, in this order.
async fn first(place: &Place, actor: &Actor, own: mosaic_protocol::WorkspaceId, models: &[&str]) {
    let target = |model: &&str| Target {
        model: Some((*model).to_owned().try_into().unwrap()),
        ..Target::default()
    };
    let body = RuleBody {
        name: "Mine".to_owned().try_into().unwrap(),
        workspace_id: Some(own),
        priority: Some(1),
        enabled: true,
        when: vec![],
        then: Action { models: models.iter().map(target).collect(), ..Action::default() },
    };
    place.gateway.create_rule(actor, &body).await.unwrap();
}

fn class(error: &Error) -> FailureClass {
    match error {
        Error::ModelFailed(failed) => failed.class,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_named_model_answers_and_its_failures_are_told_as_they_are() {
    let place = Place::new().await;
    let (ada, _) = place.person("ada", false).await;
    place.scripted(&ada, "play", false).await;
    let mut answering = place.ask(&ada, "play/echo").await.unwrap();
    assert_eq!(answering.route().model, "echo");
    let (text, end) = all(&mut answering).await;
    assert_eq!((text.trim(), end.is_ok()), ("one two three four five", true));
    let (usage, cost) = answering.settled().unwrap();
    assert!(usage.output > 0 && cost.exact && cost.micros == Some(0));

    for (model, expected) in [
        ("rate-limited-7", FailureClass::Rate),
        ("overloaded", FailureClass::Overload),
        ("context-too-long", FailureClass::ContextTooLong),
        ("auth", FailureClass::Auth),
        ("quota", FailureClass::Quota),
        ("refused", FailureClass::Refused),
        ("bad-request", FailureClass::BadRequest),
    ] {
        // Each for itself: what one failure did to the provider is another test's business.
        let place = Place::new().await;
        let (ada, _) = place.person("ada", false).await;
        place.scripted(&ada, "play", false).await;
        let error = place.ask(&ada, &format!("play/{model}")).await.err().expect(model);
        assert_eq!(class(&error), expected, "{model}");
    }
    for (model, words) in
        [("cut-after-2", "one two"), ("no-final-event", "one two three four five")]
    {
        let mut answering = place.ask(&ada, &format!("play/{model}")).await.unwrap();
        let (text, end) = all(&mut answering).await;
        assert_eq!(text.trim(), words);
        assert_eq!(class(&end.unwrap_err()), FailureClass::Incomplete, "never a clean end");
    }
}

#[tokio::test]
async fn before_the_first_word_the_next_model_answers_and_the_reason_says_so() {
    let place = Place::new().await;
    let (ada, own) = place.person("ada", false).await;
    place.scripted(&ada, "play", false).await;
    first(&place, &ada, own, &["play/overloaded", "play/rate-limited-60", "play/echo"]).await;
    let mut answering = place.ask(&ada, "auto").await.unwrap();
    assert_eq!(answering.route().model, "echo");
    assert_eq!(answering.route().rule.as_deref(), Some("Mine"));
    let tried: Vec<&str> = answering
        .route()
        .considered
        .iter()
        .filter(|it| it.skipped.as_deref().is_some_and(|why| why.starts_with("it was tried")))
        .map(|it| it.model.as_str())
        .collect();
    assert_eq!(tried, ["overloaded", "rate-limited-60"]);
    assert!(all(&mut answering).await.1.is_ok());
    let usage = place.usage(&ada, UsageBy::Model).await;
    assert_eq!((usage.total.calls, usage.total.failed), (3, 2), "each try is in the ledger");

    // The one that asked for a pause is left alone: it is not even tried.
    let again = place.ask(&ada, "auto").await.unwrap();
    assert_eq!(again.route().model, "echo");
    drop(again);
    let usage = place.usage(&ada, UsageBy::Model).await;
    let limited = usage.rows.iter().find(|row| row.key == "play/rate-limited-60").unwrap();
    assert_eq!(limited.calls, 1);
    place.clock.advance_ms(61_000);
    drop(place.ask(&ada, "auto").await.unwrap());
    let usage = place.usage(&ada, UsageBy::Model).await;
    let limited = usage.rows.iter().find(|row| row.key == "play/rate-limited-60").unwrap();
    assert_eq!(limited.calls, 2, "after the pause it is asked once more");
}

#[tokio::test]
async fn after_the_first_word_an_answer_is_incomplete_or_goes_on_where_that_was_asked_for() {
    let place = Place::new().await;
    let (ada, own) = place.person("ada", false).await;
    place.scripted(&ada, "play", false).await;
    first(&place, &ada, own, &["play/cut-after-2", "play/say:the-rest"]).await;
    let mut answering = place.ask(&ada, "auto").await.unwrap();
    let (text, end) = all(&mut answering).await;
    assert_eq!(text.trim(), "one two");
    assert_eq!(class(&end.unwrap_err()), FailureClass::Incomplete);

    let mut going_on = ask("auto");
    going_on.switching = Switching::Continue;
    let mut answering = place.gateway.call_model(&ada, going_on).await.unwrap();
    let (text, end) = all(&mut answering).await;
    assert!(end.is_ok(), "{end:?}");
    assert!(text.contains("[play/cut-after-2→play/say:the-rest]"), "{text}");
    assert!(text.ends_with("the-rest"), "{text}");
    assert_eq!(answering.route().model, "say:the-rest");
}

#[tokio::test]
async fn whoever_hangs_up_pays_for_what_came_and_holds_nothing_up() {
    let place = Place::new().await;
    let (ada, _) = place.person("ada", false).await;
    place.scripted(&ada, "play", false).await;
    for model in ["stall-after-3", "tiny-chunks-1000000"] {
        let mut answering = place.ask(&ada, &format!("play/{model}")).await.unwrap();
        for _ in 0..3 {
            answering.next().await.unwrap();
        }
        drop(answering);
    }
    let usage = place.usage(&ada, UsageBy::Model).await;
    assert_eq!((usage.total.calls, usage.total.failed), (2, 2));
    assert!(usage.total.usage.output > 0, "estimated from what came");
    assert_eq!(usage.total.estimated, 2);
    // Hanging up says nothing against the provider.
    assert!(place.ask(&ada, "play/echo").await.is_ok());
}

#[tokio::test]
async fn an_unknown_model_is_told_with_the_nearest_names() {
    let place = Place::new().await;
    let (ada, _) = place.person("ada", false).await;
    place.scripted(&ada, "play", false).await;
    match place.ask(&ada, "plai/echo").await.err().unwrap() {
        Error::NoSuchModel { nearest, .. } => assert!(nearest.contains(&"play/echo".to_owned())),
        other => panic!("{other:?}"),
    }
    // A provider with more models than it lists is asked, and says so itself.
    let error = place.ask(&ada, "play/ecko").await.err().unwrap();
    assert_eq!(class(&error), FailureClass::NoSuchModel);
    assert!(error.to_string().contains("echo"), "{error}");
    // With nothing set up there is nothing to be near to.
    let (bob, _) = place.person("bob", false).await;
    assert!(matches!(place.ask(&bob, "auto").await.err().unwrap(), Error::NoModelCan { .. }));
}

#[tokio::test]
async fn a_second_look_is_taken_where_the_first_was_unsure_and_only_labels_come_of_it() {
    for (model, looked) in [("structured", true), ("say:opus", false), ("quota", false)] {
        let second_look = Some(format!("looker/{model}").try_into().unwrap());
        let place = Place::with(ModelSettings { second_look, ..ModelSettings::default() }).await;
        let (ada, own) = place.person("ada", false).await;
        place.scripted(&ada, "play", false).await;
        place.scripted(&ada, "looker", false).await;
        first(&place, &ada, own, &["play/echo"]).await;
        let mut unsure = ask("auto");
        unsure.request.messages[0].parts = vec![mosaic_models::Part::text(
            "a summary of the code of my story, with sources, and why it fails",
        )];
        let answering = place.gateway.call_model(&ada, unsure).await.unwrap();
        let about = answering.route().classification.clone().unwrap();
        assert_eq!(about.by == ClassifiedBy::Model, looked, "{model}: {about:?}");
        assert_eq!(answering.route().model, "echo");
    }
}
