//! The part of the command line about models: providers, rules, budgets, what was used.

use super::AccountNameArg;
use clap::{Args, Subcommand};
use mosaic_protocol::{
    AgentName, BadText, BudgetId, ModelProviderName, WorkspaceId,
    budget::{Period, UsageBy},
    provider::{Api, ProviderKind},
};
use serde::de::DeserializeOwned;
use std::path::PathBuf;

/// Whose providers or rules are meant. Without any: those of the whole server.
#[derive(Debug, Clone, Default, Args)]
#[group(multiple = false)]
pub(crate) struct Whose {
    /// Those of this person
    #[arg(long, value_name = "NAME")]
    pub user: Option<AccountNameArg>,
    /// Those of the workspace with this id
    #[arg(long, value_name = "ID", value_parser = workspace_id)]
    pub workspace: Option<WorkspaceId>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    /// Set up a provider of models, after it has answered once
    ///
    /// Its key is read from MOSAIC_PROVIDER_KEY, from standard input (--key-stdin), or asked for. It is never an argument,
    /// because other users of this machine can read the command line.
    Add(AddProvider),
    /// List providers, with how they do; keys are never shown
    List {
        #[command(flatten)]
        whose: Whose,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask a provider whether it works; exits with 1 if not
    Test {
        /// Its name or id
        provider: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Log in to a provider instead of giving it a key
    ///
    /// Prints a code and the address to type it at, on any device, and waits until that is done. The provider has to be set up
    /// before, without a key and with --untested.
    Login {
        /// Its name or id
        provider: String,
        /// What is known of its login server, as a JSON file, or `-` for standard input; docs/models.md says what it holds
        /// [default: as at the last login]
        #[arg(long, value_name = "FILE")]
        settings: Option<PathBuf>,
        #[command(flatten)]
        whose: Whose,
    },
    /// Remove a provider with its key
    Remove {
        /// Its name or id
        provider: String,
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddProvider {
    /// What to call it; NAME/MODEL then names its models
    #[arg(value_parser = provider_name)]
    pub name: ModelProviderName,
    /// anthropic, openai, openrouter, zai, deepseek, ollama, compatible (any server that speaks OpenAI's Chat
    /// Completions), local or scripted
    #[arg(long, value_parser = word::<ProviderKind>)]
    pub kind: ProviderKind,
    /// Where it is, with the version, such as `https://api.example.com/v1` [default: the kind's own place]
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Read the key from standard input
    #[arg(long)]
    pub key_stdin: bool,
    /// Which of OpenAI's formats it is spoken to in: chat or responses
    #[arg(long, value_parser = word::<Api>)]
    pub api: Option<Api>,
    /// For everybody on this server; so it is if nothing else is said
    #[arg(long, conflicts_with_all = ["user", "workspace"])]
    pub server: bool,
    #[command(flatten)]
    pub whose: Whose,
    /// Keep it even if it does not answer now
    #[arg(long)]
    pub untested: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    /// Only of the provider with this name
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    #[command(flatten)]
    pub whose: Whose,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RouteCommand {
    /// List the rules in the order in which they are asked
    Rules {
        #[command(flatten)]
        whose: Whose,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Say which model would be chosen for a message and why, without calling any
    ///
    /// With `-` in place of the message, one message a line is read from standard input: a JSON string, or an object with
    /// `text` and perhaps `attachments` (a list of "image" and "document"). Each is answered with one JSON object on one
    /// line, by the rules that a new installation begins with, as if every provider were set up; no gateway, no key and no
    /// data are needed. So it is for a single message when no gateway runs here.
    Explain {
        /// The message, or `-`
        message: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct UsageArgs {
    /// day, model, provider, conversation, person, agent, token or rule
    #[arg(long, default_value = "day", value_parser = word::<UsageBy>)]
    pub by: UsageBy,
    /// From this day on, such as 2026-11-01 (UTC) [default: thirty days back]
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// Up to and with this day [default: today]
    #[arg(long, value_name = "DAY")]
    pub to: Option<String>,
    #[command(flatten)]
    pub whose: Whose,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BudgetCommand {
    /// List budgets, with what has gone of each
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Set a budget, in place of the one for the same subject and period
    Set(SetBudget),
    /// Take a budget away
    Remove {
        /// Its id; `mosaic budget list` shows it
        #[arg(value_parser = budget_id)]
        budget: BudgetId,
    },
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("subject").required(true).args(["server", "user", "workspace", "agent"]))]
#[command(group = clap::ArgGroup::new("bound").required(true).multiple(true).args(["dollars", "tokens"]))]
pub(crate) struct SetBudget {
    /// For everything on this server
    #[arg(long)]
    pub server: bool,
    /// For this person, wherever they call models
    #[arg(long, value_name = "NAME")]
    pub user: Option<AccountNameArg>,
    /// For the workspace with this id, whoever calls models in it
    #[arg(long, value_name = "ID", value_parser = workspace_id)]
    pub workspace: Option<WorkspaceId>,
    /// For the agent with this name
    #[arg(long, value_name = "NAME", value_parser = agent_name)]
    pub agent: Option<AgentName>,
    /// day or month, UTC
    #[arg(long, value_parser = word::<Period>)]
    pub period: Period,
    /// How much money, such as 12.50
    #[arg(long, value_name = "AMOUNT", value_parser = micros)]
    pub dollars: Option<i64>,
    /// How many tokens, in and out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    pub tokens: Option<i64>,
}

/// One of the words of a closed set, as requests have them.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

fn provider_name(text: &str) -> Result<ModelProviderName, BadText> {
    ModelProviderName::try_from(text.to_owned())
}

fn agent_name(text: &str) -> Result<AgentName, BadText> {
    AgentName::try_from(text.to_owned())
}

fn workspace_id(text: &str) -> Result<WorkspaceId, &'static str> {
    text.parse().map_err(|_| "a workspace is named by its id; its page shows it")
}

fn budget_id(text: &str) -> Result<BudgetId, &'static str> {
    text.parse().map_err(|_| "a budget is named by its id; `mosaic budget list` shows it")
}

/// An amount of dollars in micro-dollars, exactly.
fn micros(text: &str) -> Result<i64, &'static str> {
    const SAID: &str = "an amount is a number such as 12.50, with at most six places";
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 6 {
        return Err(SAID);
    }
    let whole: i64 = whole.parse().map_err(|_| SAID)?;
    let part: i64 = format!("{part:0<6}").parse().map_err(|_| SAID)?;
    whole.checked_mul(1_000_000).and_then(|whole| whole.checked_add(part)).ok_or(SAID)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_money_are_read_exactly() {
        for (text, wanted) in [
            ("0", 0),
            ("12", 12_000_000),
            ("12.50", 12_500_000),
            ("0.000001", 1),
            ("9000000000000", 9_000_000_000_000_000_000),
        ] {
            assert_eq!(micros(text), Ok(wanted), "{text}");
        }
        for no in
            ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "0.0000001", "99999999999999", "١"]
        {
            assert!(micros(no).is_err(), "{no}");
        }
    }

    #[test]
    fn a_wrong_word_is_told_the_right_ones() {
        assert_eq!(word::<ProviderKind>("anthropic"), Ok(ProviderKind::Anthropic));
        let said = word::<ProviderKind>("antropic").unwrap_err();
        assert!(said.contains("antropic") && said.contains("`openrouter`"), "{said}");
    }
}
