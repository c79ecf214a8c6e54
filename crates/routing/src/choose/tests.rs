//! What the seeded rules choose among many and few models, and why not the others.

use super::*;
use crate::{Can, seeded};
use expect_test::expect;
use mosaic_protocol::{
    Label, ModelProviderId,
    route::{ClassifiedBy, Domain, Need, Task},
    rule::RuleScope,
};

fn id(n: u8) -> RuleId {
    format!("01890a5d-ac96-774b-bcce-b302099a80{n:02x}").parse().unwrap()
}

fn provider(n: u8) -> ModelProviderId {
    format!("01890a5d-ac96-774b-bcce-b302099a90{n:02x}").parse().unwrap()
}

const ABLE: Can = Can {
    context: 200_000,
    max_output: 32_000,
    tools: true,
    vision: true,
    thinking: true,
    structured: true,
    chat: true,
};

fn offer(n: u8, kind: ProviderKind, model: &str, tier: Tier, price: u64) -> Offer {
    Offer {
        provider_id: provider(n),
        provider: kind.as_str().to_owned(),
        kind,
        model: model.to_owned(),
        can: ABLE,
        tier,
        price: Some((price * 1_000_000, price * 5_000_000)),
        state: State::Ready,
    }
}

fn all() -> Vec<Offer> {
    let mut local = offer(6, ProviderKind::Local, "smollm2", Tier::Cheap, 0);
    local.can = Can { context: 2048, tools: false, vision: false, structured: false, ..ABLE };
    vec![
        offer(1, ProviderKind::Anthropic, "claude-opus", Tier::Premium, 5),
        offer(1, ProviderKind::Anthropic, "claude-sonnet", Tier::Standard, 3),
        offer(1, ProviderKind::Anthropic, "claude-haiku", Tier::Cheap, 1),
        offer(2, ProviderKind::OpenAi, "gpt-codex", Tier::Standard, 2),
        offer(3, ProviderKind::Zai, "glm-5", Tier::Standard, 1),
        offer(4, ProviderKind::Ollama, "qwen", Tier::Cheap, 0),
        local,
    ]
}

fn only(kinds: &[ProviderKind]) -> Vec<Offer> {
    all().into_iter().filter(|offer| kinds.contains(&offer.kind)).collect()
}

fn families() -> Vec<Family> {
    let family = |name: &str, kind, model: &str| Family {
        name: name.to_owned(),
        members: vec![(kind, format!("{model}-next")), (kind, model.to_owned())],
    };
    vec![
        family("opus", ProviderKind::Anthropic, "claude-opus"),
        family("sonnet", ProviderKind::Anthropic, "claude-sonnet"),
        family("haiku", ProviderKind::Anthropic, "claude-haiku"),
        family("codex", ProviderKind::OpenAi, "gpt-codex"),
        family("glm-5", ProviderKind::Zai, "glm-5"),
    ]
}

fn about(task: Task, complexity: Complexity, needs: &[Need]) -> Classification {
    Classification {
        task,
        complexity,
        domain: Domain::General,
        needs: needs.to_vec(),
        confidence: 0.874,
        by: ClassifiedBy::Meaning,
    }
}

fn question<'a>(about: &'a Classification, reachable: &'a [ProviderKind]) -> Question<'a> {
    Question {
        facts: Facts {
            about,
            tier: None,
            agent: None,
            channel: "web",
            language: None,
            size: 100,
            hour: 9,
            weekday: 1,
            budget_left: 100,
            reachable,
        },
        demand: Demand { prompt_tokens: 100, output_tokens: 1000, ..Demand::default() },
        asked: Asked::Auto,
        current: None,
    }
}

fn kinds(offers: &[Offer]) -> Vec<ProviderKind> {
    offers.iter().map(|offer| offer.kind).collect()
}

fn seeds() -> Vec<Rule> {
    seeded(|place| id(u8::try_from(place).unwrap()))
}

/// The reason, or what was looked at in vain.
fn told(choice: Result<Choice, NoModel>, offers: &[Offer]) -> String {
    match choice {
        Ok(choice) => {
            let chain: Vec<&str> =
                choice.chain.iter().map(|place| offers[*place].model.as_str()).collect();
            format!("{} | {}", choice.reason, chain.join(" "))
        }
        Err(no) => format!("{no:?}"),
    }
}

#[test]
fn the_seeded_rules_choose_as_they_say() {
    let offers = all();
    let reachable = kinds(&offers);
    let mut lines = vec![];
    for (task, complexity, needs) in [
        (Task::Coding, Complexity::Complex, &[Need::Tools][..]),
        (Task::Coding, Complexity::Moderate, &[]),
        (Task::Coding, Complexity::Simple, &[]),
        (Task::Research, Complexity::Complex, &[Need::Tools]),
        (Task::Summarization, Complexity::Simple, &[]),
        (Task::Analysis, Complexity::Moderate, &[Need::Reasoning]),
        (Task::Analysis, Complexity::Simple, &[]),
        (Task::Conversation, Complexity::Simple, &[]),
        (Task::Conversation, Complexity::Moderate, &[]),
        (Task::Creative, Complexity::Complex, &[]),
    ] {
        let about = about(task, complexity, needs);
        lines.push(told(
            choose(&question(&about, &reachable), &seeds(), &offers, &families()),
            &offers,
        ));
    }
    expect![[r#"
        complex coding (general, tools; 87 % sure, by meaning) → rule “Complex coding” → opus: claude-opus at anthropic | claude-opus gpt-codex glm-5 claude-sonnet qwen claude-haiku
        moderate coding (general; 87 % sure, by meaning) → rule “Moderate coding” → sonnet: claude-sonnet at anthropic | claude-sonnet claude-haiku gpt-codex glm-5 claude-opus qwen
        simple coding (general; 87 % sure, by meaning) → rule “Simple coding” → codex: gpt-codex at openai | gpt-codex claude-haiku qwen smollm2 glm-5 claude-sonnet
        complex research (general, tools; 87 % sure, by meaning) → rule “Research” → codex: gpt-codex at openai | gpt-codex claude-opus glm-5 claude-sonnet qwen claude-haiku
        simple summarization (general; 87 % sure, by meaning) → rule “Summarization” → glm-5: glm-5 at zai | glm-5 claude-haiku gpt-codex qwen smollm2 claude-sonnet
        moderate analysis (general, reasoning; 87 % sure, by meaning) → rule “Analysis with reasoning” → opus: claude-opus at anthropic | claude-opus claude-haiku gpt-codex glm-5 claude-sonnet qwen
        simple analysis (general; 87 % sure, by meaning) → rule “Cheap and general” → haiku: claude-haiku at anthropic | claude-haiku gpt-codex qwen smollm2 glm-5 claude-sonnet
        simple conversation (general; 87 % sure, by meaning) → rule “Simple conversation” → haiku: claude-haiku at anthropic | claude-haiku claude-sonnet gpt-codex qwen smollm2 glm-5
        moderate conversation (general; 87 % sure, by meaning) → rule “Conversation” → sonnet: claude-sonnet at anthropic | claude-sonnet claude-haiku gpt-codex glm-5 claude-opus qwen
        complex creative (general; 87 % sure, by meaning) → rule “Creative” → sonnet: claude-sonnet at anthropic | claude-sonnet gpt-codex claude-opus glm-5 qwen claude-haiku"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn what_is_not_there_is_told_and_something_else_answers() {
    let about = about(Task::Coding, Complexity::Complex, &[]);
    let mut lines = vec![];
    for there in [
        &[ProviderKind::OpenAi, ProviderKind::Ollama][..],
        &[ProviderKind::Zai],
        &[ProviderKind::Ollama, ProviderKind::Local],
        &[ProviderKind::Local],
        &[],
    ] {
        let offers = only(there);
        let choice = choose(&question(&about, there), &seeds(), &offers, &families());
        lines.push(told(choice, &offers));
    }
    expect![[r#"
        complex coding (general; 87 % sure, by meaning) → rule “Fallback” → codex: gpt-codex at openai | gpt-codex qwen
        complex coding (general; 87 % sure, by meaning): no rule's model can be used here, this one can: glm-5 at zai | glm-5
        complex coding (general; 87 % sure, by meaning) → rule “Nothing else reachable” → ollama: qwen at ollama | qwen smollm2
        complex coding (general; 87 % sure, by meaning) → rule “Nothing else reachable” → local: smollm2 at local | smollm2
        NoneCan([Considered { provider: "anthropic", model: "claude-opus-next", skipped: Some("no provider with it is set up") }, Considered { provider: "ollama", model: "ollama", skipped: Some("no provider with it is set up") }, Considered { provider: "local", model: "local", skipped: Some("no provider with it is set up") }, Considered { provider: "openai", model: "gpt-codex-next", skipped: Some("no provider with it is set up") }])"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn a_model_that_cannot_is_skipped_with_the_reason() {
    let about = about(Task::Coding, Complexity::Complex, &[]);
    let mut offers = all();
    offers[0].state = State::Resting("it asked for a pause".into());
    offers[1].can.tools = false;
    offers[2].can.context = 50;
    offers[3].state = State::NoKey;
    offers[4].can.vision = false;
    let reachable = kinds(&offers);
    let mut question = question(&about, &reachable);
    question.demand = Demand {
        tools: true,
        vision: true,
        structured: true,
        prompt_tokens: 5000,
        output_tokens: 1000,
        money_left: Some(0),
    };
    let choice = choose(&question, &seeds(), &offers, &families()).unwrap();
    let lines: Vec<String> = choice
        .considered
        .iter()
        .map(|it| format!("{}: {}", it.model, it.skipped.as_deref().unwrap_or("-")))
        .collect();
    expect![[r#"
        claude-opus: it asked for a pause
        gpt-codex: its provider has no key
        glm-5: it cannot see
        claude-sonnet: it cannot call tools
        qwen: -
        claude-haiku: it reads 50 tokens, and this is about 5000
        smollm2: it cannot call tools"#]]
    .assert_eq(&lines.join("\n"));
    offers[5].price = Some((1_000_000, 1_000_000));
    let choice = choose(&question, &seeds(), &offers, &families());
    let Err(NoModel::NoneCan(considered)) = choice else { panic!("{choice:?}") };
    let last = considered.iter().find(|it| it.model == "qwen").unwrap();
    expect!["it may cost $0.0050, and $0.0000 is left of the budget"]
        .assert_eq(last.skipped.as_deref().unwrap());
}

#[test]
fn a_named_model_bypasses_rules_and_a_wrong_name_is_not_guessed() {
    let offers = all();
    let reachable = kinds(&offers);
    let about = about(Task::Coding, Complexity::Complex, &[]);
    let mut question = question(&about, &reachable);
    for (asked, model) in [
        ("claude-haiku", "claude-haiku"),
        ("anthropic/claude-haiku", "claude-haiku"),
        ("codex", "gpt-codex"),
    ] {
        question.asked = Asked::Model(asked);
        let choice = choose(&question, &seeds(), &offers, &families()).unwrap();
        assert_eq!(offers[choice.chain[0]].model, model, "{asked}");
        assert_eq!(choice.rule, None);
        assert_eq!(choice.chain.len(), 1, "nobody asked for another one");
    }
    for asked in ["claude-haik", "openai/claude-haiku", "route this to opus", ""] {
        question.asked = Asked::Model(asked);
        let choice = choose(&question, &seeds(), &offers, &families());
        assert_eq!(choice, Err(NoModel::Unknown(vec![])), "{asked}");
    }
    question.asked = Asked::Class(Tier::Cheap);
    let choice = choose(&question, &seeds(), &offers, &families()).unwrap();
    assert_eq!(offers[choice.chain[0]].model, "qwen");
}

#[test]
fn a_conversation_stays_with_its_model_unless_it_needs_more() {
    let offers = all();
    let reachable = kinds(&offers);
    let chosen = |task, complexity, current: &str, vision| {
        let about = about(task, complexity, &[]);
        let mut question = question(&about, &reachable);
        question.demand.vision = vision;
        let provider = offers.iter().find(|offer| offer.model == current);
        let provider = provider.map_or("gone", |offer| offer.provider.as_str());
        question.current = Some(Current { provider, model: current });
        told(choose(&question, &seeds(), &offers, &families()), &offers)
    };
    let lines = [
        // Less is needed: it stays.
        chosen(Task::Conversation, Complexity::Simple, "claude-opus", false),
        // More is needed: it goes up, once.
        chosen(Task::Coding, Complexity::Complex, "claude-haiku", false),
        // As much is needed.
        chosen(Task::Research, Complexity::Moderate, "claude-sonnet", false),
        // It cannot do this.
        chosen(Task::Conversation, Complexity::Simple, "smollm2", true),
        chosen(Task::Conversation, Complexity::Simple, "who", false),
    ];
    expect![[r#"
        stays with claude-opus, which has read this conversation: claude-opus at anthropic | claude-opus claude-haiku claude-sonnet gpt-codex qwen smollm2
        complex coding (general; 87 % sure, by meaning) → rule “Complex coding” → opus (needs more than claude-haiku): claude-opus at anthropic | claude-opus gpt-codex glm-5 claude-sonnet qwen claude-haiku
        stays with claude-sonnet, which has read this conversation: claude-sonnet at anthropic | claude-sonnet gpt-codex claude-haiku glm-5 claude-opus qwen
        simple conversation (general; 87 % sure, by meaning) → rule “Simple conversation” → haiku (not smollm2 any more: it cannot see): claude-haiku at anthropic | claude-haiku claude-sonnet gpt-codex qwen glm-5 claude-opus
        simple conversation (general; 87 % sure, by meaning) → rule “Simple conversation” → haiku (who is no longer there): claude-haiku at anthropic | claude-haiku claude-sonnet gpt-codex qwen smollm2 glm-5"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn rules_hand_on_and_a_circle_ends() {
    let offers = only(&[ProviderKind::Zai]);
    let about = about(Task::Coding, Complexity::Simple, &[]);
    let target = |family: &str| Target { family: Some(family.into()), ..Target::default() };
    let rule = |n: u8, family: &str, otherwise: u8| Rule {
        id: id(n),
        name: Label::try_from(format!("rule {n}")).unwrap(),
        scope: RuleScope::System,
        workspace_id: None,
        priority: i64::from(n),
        enabled: true,
        when: vec![],
        then: Action {
            models: vec![target(family)],
            otherwise: Some(id(otherwise)),
            ..Action::default()
        },
    };
    let circle = [rule(1, "opus", 2), rule(2, "sonnet", 1)];
    let choice = choose(&question(&about, &[ProviderKind::Zai]), &circle, &offers, &families());
    assert!(choice.is_ok_and(|choice| choice.rule.is_none()), "what is there answers");
    let chain = [rule(1, "opus", 2), rule(2, "glm-5", 1)];
    let choice = choose(&question(&about, &[ProviderKind::Zai]), &chain, &offers, &families());
    assert_eq!(choice.unwrap().rule.as_deref(), Some("rule 2"));
}

#[test]
fn who_names_a_provider_means_it_even_where_anothers_model_is_called_like_that() {
    let mut offers = only(&[ProviderKind::OpenAi]);
    offers.insert(0, offer(9, ProviderKind::OpenRouter, "openai/gpt-codex", Tier::Standard, 2));
    let reachable = kinds(&offers);
    let about = about(Task::Coding, Complexity::Simple, &[]);
    let mut question = question(&about, &reachable);
    for (asked, provider) in [
        ("openai/gpt-codex", "openai"),
        ("openrouter/openai/gpt-codex", "openrouter"),
        ("gpt-codex", "openai"),
    ] {
        question.asked = Asked::Model(asked);
        let choice = choose(&question, &seeds(), &offers, &families()).unwrap();
        assert_eq!(offers[choice.chain[0]].provider, provider, "{asked}");
    }
}
