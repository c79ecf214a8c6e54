//! Rules in order → candidates → what they can → the first that can, and who comes after it.

use crate::{
    Facts, Family, Offer, State,
    matching::{holds, name},
};
use mosaic_protocol::{
    RuleId,
    provider::ProviderKind,
    route::{Classification, Complexity, Considered, Tier},
    rule::{Action, Rule, Target},
};

/// How many models are kept to fall back on.
const CHAIN: usize = 6;

/// An answer that is worth asking for has at least so many tokens.
pub const LEAST_OUTPUT: u64 = 64;

/// How many models a choice tells of.
const TOLD: usize = 24;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// What rules can ask about.
    pub facts: Facts<'a>,
    /// What a model must be able to, whatever rules say.
    pub demand: Demand,
    /// What the person or program asked for.
    pub asked: Asked<'a>,
    /// The model that answered in this conversation before.
    pub current: Option<Current<'a>>,
}

/// What a model must be able to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demand {
    /// Tools are offered to it.
    pub tools: bool,
    /// There are pictures.
    pub vision: bool,
    /// The answer has a given form.
    pub structured: bool,
    /// Estimated tokens of everything that goes in.
    pub prompt_tokens: u64,
    /// How many it may write.
    pub output_tokens: u64,
    /// What may still be spent, in micro-dollars.
    pub money_left: Option<u64>,
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Whatever the rules say.
    Auto,
    /// Any model of a class.
    Class(Tier),
    /// This model: `provider/model`, `model`, or a family's name. Rules are not asked.
    Model(&'a str),
}

/// The model that a conversation is with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Current<'a> {
    /// What its provider is called.
    pub provider: &'a str,
    /// Its id there.
    pub model: &'a str,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Places in the list of offers: the chosen one, then who comes after it when it fails.
    pub chain: Vec<usize>,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Why, in a sentence.
    pub reason: String,
    /// What was looked at.
    pub considered: Vec<Considered>,
    /// What rules say besides the model: of each, the first one that says something.
    pub shaping: Action,
    /// What the chosen one may cost, in micro-dollars.
    pub expected_micros: Option<u64>,
}

/// There is no model that can.
#[derive(Debug, Clone, PartialEq)]
pub enum NoModel {
    /// Nobody has a model of that name; these are near.
    Unknown(Vec<String>),
    /// None of those that were looked at can.
    NoneCan(Vec<Considered>),
}

struct Search<'a> {
    question: &'a Question<'a>,
    offers: &'a [Offer],
    families: &'a [Family],
    chain: Vec<usize>,
    considered: Vec<Considered>,
    seen: Vec<bool>,
    /// Families and models that nobody here has, told once.
    missing: Vec<String>,
}

/// Chooses. `rules` in the order in which they are asked.
pub fn choose(
    question: &Question<'_>,
    rules: &[Rule],
    offers: &[Offer],
    families: &[Family],
) -> Result<Choice, NoModel> {
    let mut search = Search {
        question,
        offers,
        families,
        chain: vec![],
        considered: vec![],
        seen: vec![false; offers.len()],
        missing: vec![],
    };
    match question.asked {
        Asked::Model(model) => named(search, model),
        Asked::Class(tier) => {
            search.target(&Target { class: Some(tier), ..Target::default() });
            let reason = format!("any {tier} model was asked for");
            search.done(None, reason, Action::default())
        }
        Asked::Auto => by_rules(search, rules),
    }
}

fn named(mut search: Search<'_>, model: &str) -> Result<Choice, NoModel> {
    let places = find(search.offers, model);
    let is_exact = !places.is_empty();
    for place in places {
        search.look(place);
    }
    if !is_exact && search.families.iter().any(|family| family.name == model) {
        search.target(&Target { family: Some(model.to_owned()), ..Target::default() });
    } else if !is_exact {
        return Err(NoModel::Unknown(vec![]));
    }
    search.done(None, format!("`{model}` was asked for"), Action::default())
}

/// Where a model of this name is: `provider/model` at one provider, or the bare id at all of them.
fn find(offers: &[Offer], model: &str) -> Vec<usize> {
    let places = |is: &dyn Fn(&Offer) -> bool| -> Vec<usize> {
        offers.iter().enumerate().filter(|(_, offer)| is(offer)).map(|(place, _)| place).collect()
    };
    // Ids have slashes themselves, and OpenRouter's `openai/gpt-5` is not OpenAI's `gpt-5`: who names a provider means it.
    if let Some((provider, id)) = model.split_once('/') {
        let there = places(&|offer| offer.provider == provider && offer.model == id);
        if !there.is_empty() {
            return there;
        }
    }
    places(&|offer| offer.model == model)
}

fn by_rules(mut search: Search<'_>, rules: &[Rule]) -> Result<Choice, NoModel> {
    let facts = &search.question.facts;
    let holding: Vec<&Rule> = rules
        .iter()
        .filter(|rule| rule.enabled && rule.when.iter().all(|condition| holds(condition, facts)))
        .collect();
    let mut shaping = Action::default();
    for rule in &holding {
        let then = &rule.then;
        shaping.agent = shaping.agent.or_else(|| then.agent.clone());
        shaping.system_prompt = shaping.system_prompt.or_else(|| then.system_prompt.clone());
        shaping.tools = shaping.tools.or_else(|| then.tools.clone());
        shaping.thinking = shaping.thinking.or(then.thinking);
    }
    let mut decided: Option<(&Rule, &Target)> = None;
    for rule in &holding {
        let mut visited: Vec<RuleId> = vec![];
        let mut next = Some(*rule);
        // A rule may hand on to another one; a circle of them ends where it began.
        while let Some(rule) = next.filter(|rule| !visited.contains(&rule.id)) {
            visited.push(rule.id);
            for target in &rule.then.models {
                let before = search.chain.len();
                search.target(target);
                if before == 0 && !search.chain.is_empty() {
                    decided = Some((rule, target));
                }
            }
            let onward = rule.then.otherwise;
            next = onward.and_then(|id| rules.iter().find(|rule| rule.id == id && rule.enabled));
        }
    }
    let about = facts.about;
    let what = told(about);
    if search.chain.len() < CHAIN {
        let left = decided.is_none();
        search.whatever_is_there(about.complexity);
        if left {
            return search.stay_or(
                None,
                None,
                format!("{what}: no rule's model can be used here, this one can"),
                shaping,
            );
        }
    }
    match decided {
        Some((rule, target)) => {
            let reason = format!("{what} → rule “{}” → {}", rule.name, called(target));
            search.stay_or(Some(rule.name.to_string()), Some(target), reason, shaping)
        }
        None => search.done(None, what, shaping),
    }
}

/// A classification in words.
fn told(about: &Classification) -> String {
    let percent = (about.confidence.clamp(0.0, 1.0) * 100.0).round();
    let mut text = format!("{} {} ({}", about.complexity, about.task, about.domain);
    for need in &about.needs {
        text.push_str(", ");
        text.push_str(&need.as_str().replace('_', " "));
    }
    format!("{text}; {percent} % sure, by {})", about.by)
}

/// A target in words.
fn called(target: &Target) -> String {
    let kind = |text: String| match target.provider {
        Some(kind) => format!("{text} at {kind}"),
        None => text,
    };
    match (&target.model, &target.family, target.class) {
        (Some(model), ..) => kind(model.to_string()),
        (_, Some(family), _) => kind(family.clone()),
        (.., Some(tier)) => kind(format!("any {}", name(&tier))),
        _ => target.provider.map_or_else(String::new, |kind| kind.to_string()),
    }
}

impl Search<'_> {
    /// Looks at every offer that a target means, the best first.
    fn target(&mut self, target: &Target) {
        let is_kind = |kind: ProviderKind| target.provider.is_none_or(|wanted| wanted == kind);
        if let Some(model) = &target.model {
            let places = find(self.offers, model.as_str());
            let places: Vec<usize> = places
                .into_iter()
                .filter(|place| self.offers.get(*place).is_some_and(|offer| is_kind(offer.kind)))
                .collect();
            if places.is_empty() {
                self.miss(target.provider, model.as_str());
            }
            for place in places {
                self.look(place);
            }
        } else if let Some(family) = &target.family {
            self.family(family, target.provider);
        } else {
            let fits = |offer: &Offer| {
                is_kind(offer.kind)
                    && target.class.is_none_or(|tier| tier == offer.tier)
                    && (target.provider.is_some() || is_real(offer))
            };
            let mut places: Vec<usize> = (0..self.offers.len())
                .filter(|place| self.offers.get(*place).is_some_and(fits))
                .collect();
            if places.is_empty() {
                self.miss(target.provider, &called(target));
            }
            self.sort(&mut places, target.class.is_some());
            for place in places {
                self.look(place);
            }
        }
    }

    /// Of a family, the newest member that is offered; each provider that has it once.
    fn family(&mut self, family: &str, kind: Option<ProviderKind>) {
        let families = self.families;
        let Some(family) = families.iter().find(|it| it.name == family) else {
            self.miss(kind, family);
            return;
        };
        let mut had: Vec<mosaic_protocol::ModelProviderId> = vec![];
        for (of, id) in family.members.iter().filter(|(of, _)| kind.is_none_or(|it| it == *of)) {
            for (place, offer) in self.offers.iter().enumerate() {
                let is_it = offer.kind == *of && offer.model == *id;
                if is_it && !had.contains(&offer.provider_id) {
                    had.push(offer.provider_id);
                    self.look(place);
                }
            }
        }
        if had.is_empty() {
            let first = family.members.first();
            let (kind, id) = first.map_or((kind, &family.name), |(kind, id)| (Some(*kind), id));
            self.miss(kind, id);
        }
    }

    /// When no rule helps: the class that fits the work, then better ones, then lesser ones.
    fn whatever_is_there(&mut self, complexity: Complexity) {
        let tiers = match complexity {
            Complexity::Simple => [Tier::Cheap, Tier::Standard, Tier::Premium],
            Complexity::Moderate => [Tier::Standard, Tier::Premium, Tier::Cheap],
            Complexity::Complex => [Tier::Premium, Tier::Standard, Tier::Cheap],
        };
        for tier in tiers {
            let mut places: Vec<usize> = (0..self.offers.len())
                .filter(|place| {
                    self.offers.get(*place).is_some_and(|it| it.tier == tier && is_real(it))
                })
                .collect();
            self.sort(&mut places, true);
            for place in places {
                if self.chain.len() >= CHAIN {
                    return;
                }
                self.look(place);
            }
        }
    }

    /// Real providers before what runs here for want of better; then the cheapest, or the best, first.
    fn sort(&self, places: &mut [usize], cheapest_first: bool) {
        let key = |place: &usize| {
            let offer = self.offers.get(*place)?;
            let rank = match offer.kind {
                ProviderKind::Local => 1,
                _ => 0,
            };
            let (input, output) = offer.price.unwrap_or((u64::MAX / 2, u64::MAX / 2));
            let price = input.saturating_add(output);
            let price = if cheapest_first { price } else { u64::MAX - price };
            Some((rank, price, offer.model.clone()))
        };
        places.sort_by_key(key);
    }

    fn miss(&mut self, kind: Option<ProviderKind>, model: &str) {
        let provider = kind.map_or_else(|| "any".to_owned(), |kind| kind.to_string());
        let told = format!("{provider}/{model}");
        if self.considered.len() < TOLD && !self.missing.contains(&told) {
            self.missing.push(told);
            self.considered.push(Considered {
                provider,
                model: model.to_owned(),
                skipped: Some("no provider with it is set up".to_owned()),
            });
        }
    }

    fn look(&mut self, place: usize) {
        let Some(offer) = self.offers.get(place) else { return };
        match self.seen.get_mut(place) {
            Some(seen) if !*seen => *seen = true,
            _ => return,
        }
        let skipped = why_not(offer, &self.question.demand);
        if skipped.is_none() && self.chain.len() < CHAIN {
            self.chain.push(place);
        }
        if self.considered.len() < TOLD {
            self.considered.push(Considered {
                provider: offer.provider.clone(),
                model: offer.model.clone(),
                skipped,
            });
        }
    }

    /// Stays with the conversation's model, unless the message needs a better one.
    fn stay_or(
        mut self,
        rule: Option<String>,
        target: Option<&Target>,
        reason: String,
        shaping: Action,
    ) -> Result<Choice, NoModel> {
        let Some(current) = self.question.current else { return self.done(rule, reason, shaping) };
        let place = self
            .offers
            .iter()
            .position(|offer| offer.provider == current.provider && offer.model == current.model);
        let Some((place, offer)) = place.and_then(|at| Some((at, self.offers.get(at)?))) else {
            let reason = format!("{reason} ({} is no longer there)", current.model);
            return self.done(rule, reason, shaping);
        };
        if let Some(why) = why_not(offer, &self.question.demand) {
            let reason = format!("{reason} (not {} any more: {why})", current.model);
            return self.done(rule, reason, shaping);
        }
        let best = self.chain.first().and_then(|at| self.offers.get(*at));
        let needs_better = target.is_some() && best.is_some_and(|best| best.tier > offer.tier);
        if needs_better {
            let reason = format!("{reason} (needs more than {})", current.model);
            return self.done(rule, reason, shaping);
        }
        self.chain.retain(|at| *at != place);
        self.chain.insert(0, place);
        self.chain.truncate(CHAIN);
        let reason = format!("stays with {}, which has read this conversation", current.model);
        self.done(rule, reason, shaping)
    }

    fn done(
        self,
        rule: Option<String>,
        reason: String,
        shaping: Action,
    ) -> Result<Choice, NoModel> {
        let Some(offer) = self.chain.first().and_then(|place| self.offers.get(*place)) else {
            return Err(NoModel::NoneCan(self.considered));
        };
        let expected_micros = expected(offer, &self.question.demand);
        Ok(Choice {
            chain: self.chain,
            rule,
            reason: format!("{reason}: {} at {}", offer.model, offer.provider),
            considered: self.considered,
            shaping,
            expected_micros,
        })
    }
}

/// What a call may cost at most, as far as anybody knows.
fn expected(offer: &Offer, demand: &Demand) -> Option<u64> {
    let (input, output) = offer.price?;
    let of = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
    let micros = of(demand.prompt_tokens, input) + of(demand.output_tokens, output);
    u64::try_from(micros.div_ceil(1_000_000)).ok()
}

/// A model that plays a script, perhaps of failing, answers where it is named and nowhere else.
fn is_real(offer: &Offer) -> bool {
    offer.kind != ProviderKind::Scripted
}

/// Why a model cannot be taken, in a few words.
fn why_not(offer: &Offer, demand: &Demand) -> Option<String> {
    let can = &offer.can;
    match &offer.state {
        State::NoKey => return Some("its provider has no key".to_owned()),
        State::Resting(why) => return Some(why.clone()),
        State::Ready => {}
    }
    if !can.chat {
        return Some("it makes embeddings only".to_owned());
    }
    if demand.tools && !can.tools {
        return Some("it cannot call tools".to_owned());
    }
    if demand.vision && !can.vision {
        return Some("it cannot see".to_owned());
    }
    if demand.structured && !can.structured {
        return Some("it cannot answer in a given form".to_owned());
    }
    if demand.prompt_tokens >= can.context {
        let (needed, context) = (demand.prompt_tokens, can.context);
        return Some(format!("it reads {context} tokens, and this is about {needed}"));
    }
    // A budget that does not pay for a long answer may pay for a short one.
    let least = Demand { output_tokens: demand.output_tokens.min(LEAST_OUTPUT), ..*demand };
    match (demand.money_left, expected(offer, &least)) {
        (Some(left), Some(micros)) if micros > left => Some(format!(
            "it may cost ${}, and ${} is left of the budget",
            dollars(micros),
            dollars(left)
        )),
        (Some(_), None) => {
            Some("nobody knows its price, and there is a budget in money".to_owned())
        }
        _ => None,
    }
}

/// Micro-dollars in dollars, for people.
fn dollars(micros: u64) -> String {
    format!("{}.{:04}", micros / 1_000_000, micros % 1_000_000 / 100)
}

#[cfg(test)]
mod tests;
