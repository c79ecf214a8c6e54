//! Which model answers: what is asked for, what the message is about, what can be used.

use crate::{
    Error, Gateway, Result,
    reachable::{Reachable, families, offer_of},
};
use mosaic_models::{
    Catalogue, Message, Model, Part, Request, Role, System, Thinking, ToolChoice, estimate_request,
};
use mosaic_protocol::{
    Time,
    access::Actor,
    budget::Budget,
    provider::ProviderKind,
    route::{
        AttachedKind, Classification, ClassifiedBy, Complexity, Domain, ExplainRequest, Route,
        Task, Tier,
    },
};
use mosaic_routing::{
    Asked, Choice, Demand, Facts, NoModel, Offer, Question, State, choose,
    classify::{self, Attached},
};
use mosaic_store::ledger::Over;
use std::{sync::Arc, time::Duration};

/// How much is written where nobody said how much, for what it may cost.
pub(super) const USUAL_OUTPUT: u64 = 4_096;

/// A message whose meaning takes longer than this is read by its words. Opening the model is in it, once.
const MEANING_TIME: Duration = Duration::from_secs(1);

/// How many models the sentence of a refusal tells of.
const TOLD: usize = 4;

/// What is known of a message.
struct About<'a> {
    /// `None`: its model was named, and nobody asked.
    classification: Option<Classification>,
    language: Option<&'a str>,
    channel: &'a str,
}

/// A choice, with the offers that it speaks of.
pub(crate) struct Chosen {
    pub(crate) choice: Choice,
    pub(crate) offers: Arc<Vec<Offer>>,
    /// What is known of each.
    pub(crate) models: Arc<Vec<Arc<Model>>>,
    pub(crate) classification: Option<Classification>,
    pub(crate) prompt_tokens: u64,
}

impl Chosen {
    /// Does to a request what the rules say besides the model. A caller who asked for a way of thinking has it.
    pub(crate) fn shape(&self, request: &mut Request) {
        let shaping = &self.choice.shaping;
        if let Some(prompt) = &shaping.system_prompt {
            request.system = vec![System { text: prompt.clone(), cache: None }];
        }
        if let Some(allowed) = &shaping.tools {
            request.tools.retain(|tool| allowed.contains(&tool.name));
            let gone = |name: &String| !request.tools.iter().any(|tool| tool.name == *name);
            let is_gone = match &request.tool_choice {
                ToolChoice::Named(name) => gone(name),
                ToolChoice::Some => request.tools.is_empty(),
                ToolChoice::Auto | ToolChoice::Never => false,
            };
            if is_gone {
                request.tool_choice = ToolChoice::Auto;
            }
        }
        if let (Thinking::Usual, Some(effort)) = (request.thinking, shaping.thinking) {
            request.thinking = Thinking::Effort(effort);
        }
    }

    /// What is shown of it, for one of the models in the chain.
    pub(crate) fn route(&self, place: usize) -> Route {
        let offer = self.offers.get(place);
        Route {
            classification: self.classification.clone(),
            rule: self.choice.rule.clone(),
            reason: self.choice.reason.clone(),
            provider: offer.map_or_else(String::new, |offer| offer.provider.clone()),
            kind: offer.map_or(ProviderKind::Local, |offer| offer.kind),
            model: offer.map_or_else(String::new, |offer| offer.model.clone()),
            considered: self.choice.considered.clone(),
            expected_micros: self.choice.expected_micros,
        }
    }
}

/// What somebody wrote as `model`.
fn asked(model: &str) -> Asked<'_> {
    match model {
        "" | "auto" => Asked::Auto,
        "cheap" => Asked::Class(Tier::Cheap),
        "standard" => Asked::Class(Tier::Standard),
        "premium" => Asked::Class(Tier::Premium),
        model => Asked::Model(model),
    }
}

/// The last thing that a person said, and what came with it.
fn last_words(request: &Request) -> (String, Vec<Attached>) {
    let mut text = String::new();
    let mut attached = vec![];
    let is_said = |message: &&Message| {
        message.role == Role::User
            && message.parts.iter().any(|part| matches!(part, Part::Text { .. } | Part::Image(_)))
    };
    let last = request.messages.iter().rev().find(is_said);
    for part in last.into_iter().flat_map(|message| &message.parts) {
        match part {
            Part::Text { text: more, .. } => {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(more);
            }
            Part::Image(_) => attached.push(Attached::Image),
            _ => {}
        }
    }
    (text, attached)
}

fn has_images(request: &Request) -> bool {
    fn image(part: &Part) -> bool {
        match part {
            Part::Image(_) => true,
            Part::ToolResult { parts, .. } => parts.iter().any(image),
            _ => false,
        }
    }
    request.messages.iter().flat_map(|message| &message.parts).any(image)
}

/// What is not known of a message whose model was named.
fn unclassified() -> Classification {
    Classification {
        task: Task::Conversation,
        complexity: Complexity::Simple,
        domain: Domain::General,
        needs: vec![],
        confidence: 0.0,
        by: ClassifiedBy::Words,
    }
}

impl Gateway {
    /// Chooses a model for a request.
    pub(crate) async fn choose(
        &self,
        actor: &Actor,
        reachable: &Reachable,
        request: &Request,
        model: &str,
        channel: &str,
    ) -> Result<Chosen> {
        let asked = asked(model);
        let mut language = None;
        let classification = match asked {
            Asked::Auto => {
                let (text, attached) = last_words(request);
                language = mosaic_routing::language(&text);
                let first = self.classify(&text, &attached).await;
                Some(self.second_look(actor, reachable.workspace_id, &text, first).await)
            }
            Asked::Class(_) | Asked::Model(_) => None,
        };
        let prompt_tokens = estimate_request(request);
        let demand = Demand {
            tools: !request.tools.is_empty(),
            vision: has_images(request),
            structured: matches!(request.output, mosaic_models::Output::Schema { .. }),
            prompt_tokens,
            output_tokens: request.max_output.map_or(USUAL_OUTPUT, u64::from),
            // Of a model that was named, the ledger says whether its budget allows it.
            money_left: reachable.money_left().filter(|_| !matches!(asked, Asked::Model(_))),
        };
        if let Some(error) = over_already(reachable, self.inner.store.ambient().now()) {
            return Err(error);
        }
        let about = About { classification, language, channel };
        self.choose_for(reachable, asked, about, demand)
    }

    fn choose_for(
        &self,
        reachable: &Reachable,
        asked: Asked<'_>,
        about: About<'_>,
        demand: Demand,
    ) -> Result<Chosen> {
        let About { classification, language, channel } = about;
        let unknown = unclassified();
        let now = self.inner.store.ambient().now();
        let (hour, weekday) = hour_and_weekday(now);
        let question = Question {
            facts: Facts {
                about: classification.as_ref().unwrap_or(&unknown),
                tier: match asked {
                    Asked::Class(tier) => Some(tier),
                    Asked::Auto | Asked::Model(_) => None,
                },
                agent: None,
                channel,
                language,
                size: demand.prompt_tokens,
                hour,
                weekday,
                budget_left: reachable.budget_left(),
                reachable: &reachable.kinds,
            },
            demand,
            asked,
            current: None,
        };
        let (mut offers, mut models) = (reachable.offers.clone(), reachable.models.clone());
        let by_rules = reachable.rules.iter().filter(|rule| rule.enabled);
        let by_rules =
            by_rules.flat_map(|rule| &rule.then.models).filter_map(|it| it.model.as_ref());
        let named: Vec<&str> = match asked {
            Asked::Model(model) => vec![model],
            Asked::Auto => by_rules.map(mosaic_protocol::ModelName::as_str).collect(),
            Asked::Class(_) => vec![],
        };
        for model in named {
            for (offer, known) in self.by_name(reachable, model) {
                Arc::make_mut(&mut offers).push(offer);
                Arc::make_mut(&mut models).push(known);
            }
        }
        self.wake(&mut offers, now);
        let choice = choose(&question, &reachable.rules, &offers, families());
        let choice = choice.map_err(|no| {
            self.at_rest(&no, asked, &offers).unwrap_or_else(|| refused(no, asked, &offers))
        })?;
        Ok(Chosen { choice, offers, models, classification, prompt_tokens: demand.prompt_tokens })
    }

    /// What was resting when the offers were put together, and rests no longer, can be asked.
    fn wake(&self, offers: &mut Arc<Vec<Offer>>, now: Time) {
        let health = &self.inner.health;
        let is_awake = |offer: &Offer| {
            matches!(offer.state, State::Resting(_))
                && health.resting(offer.provider_id, &offer.model, now).is_none()
        };
        if offers.iter().any(is_awake) {
            for offer in Arc::make_mut(offers).iter_mut().filter(|offer| is_awake(offer)) {
                offer.state = State::Ready;
            }
        }
    }

    /// The model that was named is left alone for a while: why, as its provider said it, and until when.
    fn at_rest(&self, no: &NoModel, asked: Asked<'_>, offers: &[Offer]) -> Option<Error> {
        let (NoModel::NoneCan(considered), Asked::Model(_)) = (no, asked) else { return None };
        let [it] = considered.as_slice() else { return None };
        let is_it = |offer: &&Offer| offer.provider == it.provider && offer.model == it.model;
        let offer = offers.iter().find(is_it)?;
        let now = self.inner.store.ambient().now();
        let error = self.inner.health.rests(offer.provider_id, &offer.model, now)?;
        Some(Error::ModelFailed(error))
    }

    /// Models that are not among the offers and can be asked for by name: what a provider lists and few people want, dated
    /// names of known ones, and anything at a provider that does not tell what it has.
    fn by_name(&self, reachable: &Reachable, asked: &str) -> Vec<(Offer, Arc<Model>)> {
        let (provider, id) = match asked.split_once('/') {
            Some((provider, id)) if reachable.named.iter().any(|(_, name, _)| name == provider) => {
                (Some(provider), id)
            }
            _ => (None, asked),
        };
        let is_offered = |offer: &Offer| {
            offer.model == id && provider.is_none_or(|provider| offer.provider == provider)
        };
        if id.is_empty() || id.len() > 200 || reachable.offers.iter().any(is_offered) {
            return vec![];
        }
        let now = self.inner.store.ambient().now();
        let here =
            reachable.named.iter().filter(|(_, name, _)| provider.is_none_or(|it| it == name));
        here.filter_map(|(provider_id, name, kind)| {
            let listed = self.inner.health.listed(*provider_id);
            let is_listed = listed.is_some_and(|listed| listed.iter().any(|it| it.id == id));
            let known = self.inner.catalogue.find(*kind, id);
            let is_open = provider.is_some() && reachable.open_ended.contains(provider_id);
            if !is_listed && !is_open && known.is_none() {
                return None;
            }
            let mut model = Model::clone(&self.inner.catalogue.get(*kind, id));
            id.clone_into(&mut model.id);
            if known.is_none() {
                // Nobody knows what it can; whoever named it does.
                (model.tools, model.vision, model.structured) = (true, true, true);
                model.context = model.context.max(1_000_000);
            }
            let state = match self.inner.health.resting(*provider_id, id, now) {
                Some(why) => State::Resting(why),
                None => State::Ready,
            };
            Some((offer_of(*provider_id, name, &model, state), Arc::new(model)))
        })
        .collect()
    }

    /// What a message is about: by meaning where the local model is installed, else by words.
    pub(crate) async fn classify(&self, text: &str, attached: &[Attached]) -> Classification {
        let message = classify::Message { text, attachments: attached };
        let embedding = self.meaning(text).await;
        classify::classify(&message, embedding.as_deref())
    }

    /// The embedding of what is asked in a message, where the local model is installed and has time for it.
    async fn meaning(&self, text: &str) -> Option<Vec<f32>> {
        let models = &self.inner.models;
        let model = models.local_embedding()?;
        let texts = vec![classify::to_embed(text)];
        let embedded = models.embed_locally(&model, texts);
        let vectors = tokio::time::timeout(MEANING_TIME, embedded).await.ok()?.ok()?;
        vectors.vectors.into_iter().next()
    }

    /// Which model would be chosen for a message, without calling any.
    pub async fn explain_route(&self, actor: &Actor, request: &ExplainRequest) -> Result<Route> {
        let reachable = self.seen(actor, request.workspace_id).await?;
        let attached: Vec<Attached> =
            request.attachments.iter().map(|kind| attached(*kind)).collect();
        let classification = self.classify(&request.text, &attached).await;
        let demand = Demand {
            vision: attached.contains(&Attached::Image),
            prompt_tokens: mosaic_models::estimate_tokens(&request.text),
            output_tokens: USUAL_OUTPUT,
            money_left: reachable.money_left(),
            ..Demand::default()
        };
        let asked = asked(request.model.as_deref().unwrap_or("auto"));
        let about = About {
            classification: Some(classification),
            language: mosaic_routing::language(&request.text),
            channel: "api",
        };
        let chosen = self.choose_for(&reachable, asked, about, demand)?;
        let first = chosen.choice.chain.first().copied().unwrap_or(usize::MAX);
        Ok(chosen.route(first))
    }
}

/// What kind of attachment the classifier knows it as.
fn attached(kind: AttachedKind) -> Attached {
    match kind {
        AttachedKind::Image => Attached::Image,
        AttachedKind::Document => Attached::Document { bytes: 0 },
    }
}

/// The hour of the day and the day of the week (Monday is 1), UTC.
fn hour_and_weekday(now: Time) -> (u32, u32) {
    let hours = now.0.div_euclid(3_600_000);
    let days = now.0.div_euclid(86_400_000);
    let hour = u32::try_from(hours.rem_euclid(24)).unwrap_or(0);
    // The first of January 1970 was a Thursday.
    let weekday = u32::try_from((days + 3).rem_euclid(7) + 1).unwrap_or(1);
    (hour, weekday)
}

/// A budget of which nothing is left, whatever model it were.
fn over_already(reachable: &Reachable, now: Time) -> Option<Error> {
    let used_up = |budget: &&Budget| {
        let spent = &budget.spent;
        let no = |limit: Option<i64>, gone: i64| limit.is_some_and(|limit| gone >= limit);
        no(budget.micros, spent.micros) || no(budget.tokens, spent.tokens)
    };
    let budget = reachable.budgets.iter().find(used_up)?;
    let left = |limit: Option<i64>| limit.map(|_| 0);
    Some(reachable.over(
        &Over {
            budget: budget.id,
            left_micros: left(budget.micros),
            left_tokens: left(budget.tokens),
        },
        now,
    ))
}

/// Why nothing was chosen.
fn refused(no: NoModel, asked: Asked<'_>, offers: &[Offer]) -> Error {
    match (no, asked) {
        (NoModel::Unknown(_), Asked::Model(model)) => {
            // A model is asked for by its full name, by its id alone, or by its family.
            let can = || offers.iter().filter(|offer| offer.can.chat);
            let full = can().map(|offer| format!("{}/{}", offer.provider, offer.model));
            let bare = can().map(|offer| offer.model.clone());
            let is_here = |(kind, id): &(ProviderKind, String)| {
                can().any(|offer| offer.kind == *kind && offer.model == *id)
            };
            let families = families().iter().filter(|family| family.members.iter().any(is_here));
            let families = families.map(|family| family.name.clone());
            let mut names: Vec<String> = full.chain(bare).chain(families).collect();
            names.sort_unstable();
            names.dedup();
            let mut nearest = mosaic_models::nearest(model, names.iter().map(String::as_str));
            if nearest.is_empty() {
                nearest = Catalogue::bundled().nearest(model);
                nearest.retain(|near| names.contains(near));
            }
            let asked: String = model.chars().take(200).collect();
            Error::NoSuchModel { asked, nearest }
        }
        (NoModel::NoneCan(considered), _) => {
            let told = considered.iter().filter(|it| it.skipped.is_some()).take(TOLD);
            let told: Vec<String> = told
                .map(|it| {
                    let why = it.skipped.as_deref().unwrap_or_default();
                    format!("{}/{}: {why}", it.provider, it.model)
                })
                .collect();
            let why = match told.is_empty() {
                true => "no provider is set up".to_owned(),
                false => told.join("; "),
            };
            Error::NoModelCan { why }
        }
        (NoModel::Unknown(_), _) => Error::NoModelCan { why: "no provider is set up".into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_days_are_those_of_the_calendar() {
        assert_eq!(hour_and_weekday(Time(0)), (0, 4));
        // 2027-01-15 08:00 is a Friday.
        assert_eq!(hour_and_weekday(Time(1_800_000_000_000)), (8, 5));
    }
}
