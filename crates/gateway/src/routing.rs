//! Rules of routing: listed, made, changed, ordered, overridden; and which model they would choose, without calling any.

use crate::{
    Error, Gateway, Result, check,
    reachable::{families, scopes},
    workspaces::check_workspace,
};
use mosaic_protocol::{
    RuleId, WorkspaceId,
    access::{Action, Actor, Object},
    audit::{Deed, Of},
    page::Page,
    rule::{Rule, RuleBody, RuleOrder, RuleOverride, RuleScope, SavedRule, Target},
};
use mosaic_routing::{cycle, fault, seeded, warnings};
use mosaic_store::{Tx, audit, rules};

/// The id of a seeded rule: the same everywhere.
fn seeded_id(place: usize) -> RuleId {
    let text = format!("00000000-0000-7000-8000-0000000001{:02x}", place.min(255));
    // The text above is an id, whatever the place is.
    text.parse().unwrap_or_else(|_| RuleId::new(Default::default()))
}

/// The rules that a new installation begins with.
pub fn seeded_rules() -> Vec<Rule> {
    seeded(seeded_id)
}

impl Gateway {
    /// Stores the rules that a new installation begins with, unless that was done before.
    pub async fn seed_rules(&self) -> Result<()> {
        let store = &self.inner.store;
        let mut tx = store.write().await?;
        rules::seed(store, &mut tx, &seeded_rules()).await?;
        Ok(tx.commit().await?)
    }

    /// The rules that hold in these workspaces, in the order in which they are asked: the workspaces' own, then the
    /// system's, as the first of the workspaces that says something about each has it.
    pub(crate) async fn rules_for(
        &self,
        tx: &mut Tx,
        workspaces: &[WorkspaceId],
    ) -> Result<Vec<Rule>> {
        let mut all = vec![];
        let mut overrides = vec![];
        for workspace in workspaces {
            all.extend(rules::list(tx, Some(*workspace)).await?);
            overrides.extend(rules::overrides(tx, *workspace).await?);
        }
        let mut system = rules::list(tx, None).await?;
        for rule in &mut system {
            let mine = || overrides.iter().filter(|(id, _)| *id == rule.id).map(|(_, it)| it);
            let enabled = mine().find_map(|it| it.enabled);
            let then = mine().find_map(|it| it.then.clone());
            rule.enabled = enabled.unwrap_or(rule.enabled);
            rule.then = then.unwrap_or_else(|| rule.then.clone());
        }
        all.extend(system);
        all.extend(self.default_rule());
        Ok(all)
    }

    /// What `DEFAULT_MODEL` says, as a rule that is asked after all others.
    fn default_rule(&self) -> Option<Rule> {
        let models = &self.inner.settings.models;
        let model = models.default_model.clone()?;
        let target =
            Target { provider: models.default_provider, model: Some(model), ..Target::default() };
        Some(Rule {
            id: seeded_id(255),
            name: "Default model".to_owned().try_into().ok()?,
            scope: RuleScope::System,
            workspace_id: None,
            priority: i64::MAX,
            enabled: true,
            when: vec![],
            then: mosaic_protocol::rule::Action { models: vec![target], ..Default::default() },
        })
    }

    /// The rules that hold for oneself in a workspace, in the order in which they are asked.
    pub async fn list_rules(
        &self,
        actor: &Actor,
        workspace_id: Option<WorkspaceId>,
    ) -> Result<Page<Rule>> {
        let mut tx = self.inner.store.read().await?;
        let (user_id, workspace) = self.looks_from(&mut tx, actor, workspace_id).await?;
        let scopes = scopes(&mut tx, user_id, workspace).await?;
        Ok(Page::whole(self.rules_for(&mut tx, &scopes).await?))
    }

    async fn check_rules(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        workspace_id: Option<WorkspaceId>,
    ) -> Result<()> {
        match workspace_id {
            None => check(actor, Action::Administer, Object::Server),
            Some(id) => check_workspace(tx, actor, Action::ChangeRouting, id).await,
        }
    }

    /// Makes a rule.
    pub async fn create_rule(&self, actor: &Actor, body: &RuleBody) -> Result<SavedRule> {
        let id = self.inner.store.ambient().id(RuleId::new);
        self.save_rule(actor, id, body, Deed::PutRule, true).await
    }

    /// Changes a rule: it becomes what the body says.
    pub async fn update_rule(
        &self,
        actor: &Actor,
        id: RuleId,
        body: &RuleBody,
    ) -> Result<SavedRule> {
        self.save_rule(actor, id, body, Deed::PutRule, false).await
    }

    async fn save_rule(
        &self,
        actor: &Actor,
        id: RuleId,
        body: &RuleBody,
        deed: Deed,
        new: bool,
    ) -> Result<SavedRule> {
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        let mut scope = body.workspace_id;
        let mut priority = body.priority;
        if !new {
            let before = rules::get(&mut tx, id).await?.ok_or(Error::NotFound)?;
            self.check_rules(&mut tx, actor, before.workspace_id).await?;
            if scope.is_some() && scope != before.workspace_id {
                return Err(Error::Invalid(
                    "a rule stays where it is: make another one there".into(),
                ));
            }
            scope = before.workspace_id;
            priority = priority.or(Some(before.priority));
        }
        self.check_rules(&mut tx, actor, scope).await?;
        let mut others = rules::list(&mut tx, scope).await?;
        let last = others.last().map_or(0, |rule| rule.priority);
        let rule = Rule {
            id,
            name: body.name.clone(),
            scope: if scope.is_some() { RuleScope::Workspace } else { RuleScope::System },
            workspace_id: scope,
            priority: priority.unwrap_or_else(|| last.saturating_add(10)),
            enabled: body.enabled,
            when: body.when.clone(),
            then: body.then.clone(),
        };
        check_body(&rule)?;
        others.retain(|other| other.id != id);
        if let Some(names) = cycle(&rule, &others) {
            return Err(Error::Invalid(format!(
                "the rules hand on to each other in a circle: {}",
                names.join(" → ")
            )));
        }
        rules::put(store, &mut tx, &rule).await?;
        self.note(&mut tx, Some(actor), deed, Of::Rule(id), "").await?;
        tx.commit().await?;
        self.inner.reachables.forget();
        let place = others.partition_point(|other| other.priority <= rule.priority);
        others.insert(place, rule.clone());
        let warnings = warnings(&rule, &others, &|target| self.knows(target));
        Ok(SavedRule { rule, warnings })
    }

    /// Whether a family or model exists at all, as far as the catalogue knows.
    fn knows(&self, target: &Target) -> bool {
        let catalogue = &self.inner.catalogue;
        match (&target.family, &target.model) {
            (Some(family), _) => families().iter().any(|it| it.name == *family),
            (None, Some(model)) => {
                let id = model.as_str();
                let bare = id.split_once('/').map_or(id, |(_, bare)| bare);
                catalogue.models().any(|it| it.id == id || it.id == bare)
            }
            (None, None) => true,
        }
    }

    /// Deletes a rule.
    pub async fn delete_rule(&self, actor: &Actor, id: RuleId) -> Result<()> {
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        let rule = rules::get(&mut tx, id).await?.ok_or(Error::NotFound)?;
        self.check_rules(&mut tx, actor, rule.workspace_id).await?;
        rules::delete(&mut tx, id).await?;
        self.note(&mut tx, Some(actor), Deed::DeleteRule, Of::Rule(id), "").await?;
        tx.commit().await?;
        self.inner.reachables.forget();
        Ok(())
    }

    /// Puts rules into another order.
    pub async fn order_rules(&self, actor: &Actor, order: &RuleOrder) -> Result<Page<Rule>> {
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        self.check_rules(&mut tx, actor, order.workspace_id).await?;
        let before = rules::list(&mut tx, order.workspace_id).await?;
        let mut given = order.ids.clone();
        given.sort_unstable();
        let mut there: Vec<RuleId> = before.iter().map(|rule| rule.id).collect();
        there.sort_unstable();
        if given != there {
            return Err(Error::Invalid(
                "`ids` must name each of the rules once: list them again, somebody may have changed them".into(),
            ));
        }
        for (place, id) in order.ids.iter().enumerate() {
            let priority = i64::try_from(place).unwrap_or(i64::MAX).saturating_add(1);
            rules::set_priority(&mut tx, *id, priority.saturating_mul(10)).await?;
        }
        self.note(&mut tx, Some(actor), Deed::OrderRules, Of::Server, "").await?;
        let after = rules::list(&mut tx, order.workspace_id).await?;
        tx.commit().await?;
        self.inner.reachables.forget();
        Ok(Page::whole(after))
    }

    /// Makes something else of a rule of the system, for one workspace.
    pub async fn override_rule(
        &self,
        actor: &Actor,
        id: RuleId,
        body: &RuleOverride,
    ) -> Result<()> {
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        self.check_rules(&mut tx, actor, Some(body.workspace_id)).await?;
        let rule = rules::get(&mut tx, id).await?.filter(|rule| rule.workspace_id.is_none());
        let mut rule = rule.ok_or(Error::NotFound)?;
        if body.enabled.is_none() && body.then.is_none() {
            rules::delete_override(&mut tx, id, body.workspace_id).await?;
        } else {
            rule.then = body.then.clone().unwrap_or(rule.then);
            check_body(&rule)?;
            let system = rules::list(&mut tx, None).await?;
            if let Some(names) = cycle(&rule, &system) {
                let names = names.join(" → ");
                return Err(Error::Invalid(format!(
                    "the rules hand on to each other in a circle: {names}"
                )));
            }
            rules::put_override(&mut tx, id, body).await?;
        }
        let detail = format!("workspace:{}", body.workspace_id);
        self.note(&mut tx, Some(actor), Deed::OverrideRule, Of::Rule(id), detail).await?;
        tx.commit().await?;
        self.inner.reachables.forget();
        Ok(())
    }
}

/// What makes no sense in a rule by itself.
fn check_body(rule: &Rule) -> Result<()> {
    let invalid = |said: String| Err(Error::Invalid(said));
    if rule.when.len() > 20 {
        return invalid("a rule has at most 20 conditions".into());
    }
    if let Some(said) = rule.when.iter().find_map(fault) {
        return invalid(said);
    }
    let then = &rule.then;
    if then.models.len() > 10 {
        return invalid("a rule names at most 10 models".into());
    }
    for target in &then.models {
        let named = usize::from(target.model.is_some())
            + usize::from(target.family.is_some())
            + usize::from(target.class.is_some());
        if named > 1 || (named == 0 && target.provider.is_none()) {
            return invalid(
                "each of `models` has one of `model`, `family`, `class`, or a `provider`".into(),
            );
        }
        if target.family.as_ref().is_some_and(|it| it.is_empty() || it.len() > 64) {
            return invalid("a family's name has 1 to 64 bytes".into());
        }
    }
    if then.system_prompt.as_ref().is_some_and(|prompt| prompt.len() > 20_000) {
        return invalid("`system_prompt` has at most 20,000 bytes".into());
    }
    let tools = then.tools.as_deref().unwrap_or_default();
    if tools.len() > 100 || tools.iter().any(|tool| tool.is_empty() || tool.len() > 128) {
        return invalid("`tools` names at most 100 tools, each with 1 to 128 bytes".into());
    }
    let says = then.models.is_empty()
        && then.otherwise.is_none()
        && then.agent.is_none()
        && then.system_prompt.is_none()
        && then.tools.is_none()
        && then.thinking.is_none();
    if says {
        return invalid("`then` says nothing: name a model, or something else that happens".into());
    }
    Ok(())
}
