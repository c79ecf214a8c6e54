//! The command line, as data. Its help is the text of these comments; docs/cli.md is made from it.

mod models;

pub(crate) use models::{
    AddProvider, BudgetCommand, ModelsArgs, ProviderCommand, RouteCommand, SetBudget, UsageArgs,
    Whose,
};

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use mosaic_protocol::{AccountName, InviteId, Label, TeamId, team::Role, token::Scope};
use std::path::PathBuf;

/// Mosaic: a self-hosted gateway for AI agents
///
/// Every setting can be given in mosaic.toml, as MOSAIC_* in the environment, or with --set; docs/configuration.md
/// lists them. Commands other than `up` work whether the gateway runs or not: they ask the running one over its
/// control socket, or open the data themselves.
#[derive(Debug, Parser)]
#[command(name = "mosaic", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub options: Options,
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Read this configuration file [default: mosaic.toml in the working directory, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data directory
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<String>,
    /// A PostgreSQL database instead of SQLite in the data directory (better set as MOSAIC_DATABASE_URL: other users
    /// of this machine can read the command line)
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Listen on this address
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// The code with which the first admin is made, instead of a random one
    // A random one may begin with a hyphen.
    #[arg(long, global = true, value_name = "CODE", allow_hyphen_values = true)]
    pub setup_code: Option<String>,
    /// Any other setting
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the gateway
    Up,
    /// Look after accounts
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Look after teams
    Team {
        #[command(subcommand)]
        command: TeamCommand,
    },
    /// Invite people to this server
    Invite {
        #[command(subcommand)]
        command: InviteCommand,
    },
    /// Make API tokens
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Look after providers of models
    Provider {
        #[command(subcommand)]
        command: ProviderCommand,
    },
    /// List the models that can be used
    Models(ModelsArgs),
    /// See which model answers what, and why
    Route {
        #[command(subcommand)]
        command: RouteCommand,
    },
    /// Show what was used and what it cost
    Usage(UsageArgs),
    /// Bound what is spent
    Budget {
        #[command(subcommand)]
        command: BudgetCommand,
    },
    /// Read and check the audit log
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Look after the master key
    Secrets {
        #[command(subcommand)]
        command: SecretsCommand,
    },
    /// Write everything but the master key to a new file, also while the gateway runs
    Backup {
        /// The file; it must not exist
        file: PathBuf,
    },
    /// Put a backup in place of everything; the gateway must not run
    Restore(RestoreArgs),
    /// Check everything that is stored; the gateway must not run. Exits with 1 if something is wrong
    Verify {
        /// Write titles, members, tags, pins and the like anew where they are not what the entries tell
        #[arg(long)]
        rebuild: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a new link for the first admin, while there is none
    SetupLink,
    /// Show the configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Check this installation, and say what to do about each finding
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print completions for a shell
    Completions {
        /// Which
        shell: Shell,
    },
    /// Print a reference page
    #[command(hide = true)]
    Reference { page: ReferencePage },
    /// Print the version
    Version,
}

/// Pages that are made from the program itself.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum ReferencePage {
    /// docs/cli.md
    Cli,
    /// docs/configuration.md
    Configuration,
    /// docs/openapi.json
    Openapi,
    /// web/src/protocol.ts
    Typescript,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// The backup
    pub file: PathBuf,
    /// Delete the accounts and everything else that is here first
    #[arg(long)]
    pub replace: bool,
    /// Keep API tokens; one that was revoked after the backup works again
    #[arg(long)]
    pub keep_tokens: bool,
    /// Take a backup without a signature; anybody may have changed it
    #[arg(long)]
    pub unsigned: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// List accounts
    List,
    /// Make an account, and a one-time link for its password
    Add {
        /// The new account's name
        name: AccountNameArg,
    },
    /// Show an account
    Show {
        /// The account's name
        name: AccountNameArg,
    },
    /// Make a one-time link for a new password
    Recover {
        /// The account's name
        name: AccountNameArg,
    },
    /// Suspend an account: sessions end, tokens stop working, nothing is deleted
    Suspend {
        /// The account's name
        name: AccountNameArg,
    },
    /// Let a suspended account be used again
    Resume {
        /// The account's name
        name: AccountNameArg,
    },
    /// Make somebody an admin
    Admin {
        /// The account's name
        name: AccountNameArg,
        /// Or no longer
        #[arg(long)]
        remove: bool,
    },
    /// Delete an account and everything in it
    Delete {
        /// The account's name
        name: AccountNameArg,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TeamCommand {
    /// List teams
    List,
    /// Make a team
    Add {
        /// What to call it
        #[arg(value_parser = label)]
        name: Label,
        /// Who owns it
        #[arg(long)]
        owner: AccountNameArg,
    },
    /// List who belongs to a team
    Members {
        /// The team's id; `mosaic team list` shows it
        #[arg(value_parser = team_id)]
        team: TeamId,
    },
    /// Put somebody into a team, or give a member another role
    Put {
        /// The team's id; `mosaic team list` shows it
        #[arg(value_parser = team_id)]
        team: TeamId,
        /// The account's name
        user: AccountNameArg,
        /// owner, member or viewer
        role: Role,
    },
    /// Take somebody out of a team
    Remove {
        /// The team's id; `mosaic team list` shows it
        #[arg(value_parser = team_id)]
        team: TeamId,
        /// The account's name
        user: AccountNameArg,
    },
    /// Delete a team, its workspace and everything in it
    Delete {
        /// The team's id; `mosaic team list` shows it
        #[arg(value_parser = team_id)]
        team: TeamId,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum InviteCommand {
    /// List open invitations
    List,
    /// Make an invitation: a link that makes one account
    Add {
        /// Into the team with this id
        #[arg(long, value_parser = team_id)]
        team: Option<TeamId>,
        /// With this role
        #[arg(long, requires = "team")]
        role: Option<Role>,
        /// For so many hours
        #[arg(long, default_value_t = 72, value_parser = clap::value_parser!(u32).range(1..=720))]
        hours: u32,
    },
    /// Take an invitation back
    Delete {
        /// Its id; `mosaic invite list` shows it
        #[arg(value_parser = invite_id)]
        invite: InviteId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it; it cannot be shown again
    Create {
        /// Whose it is
        #[arg(long)]
        user: AccountNameArg,
        /// What to call it
        #[arg(long, default_value = "command line", value_parser = label)]
        name: Label,
        /// What it may be used for: read, write, models, admin, metrics
        #[arg(long = "scope", required = true)]
        scopes: Vec<Scope>,
        /// For so many days
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Print entries, oldest first
    List {
        /// Only those after this one
        #[arg(long, default_value_t = 0)]
        after: i64,
        /// So many at most
        #[arg(long, default_value_t = 100)]
        limit: u16,
    },
    /// Check the whole chain; exits with 1 if it is broken
    Verify {
        /// A head that was noted earlier and must still be in the log
        #[arg(long, value_name = "SEQ:DIGEST")]
        expect: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretsCommand {
    /// Change the master key, and seal every secret anew under it
    Rotate,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show every setting and where its value comes from, with secrets masked
    Show {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// An account's name on the command line.
pub(crate) type AccountNameArg = Named<AccountName>;

/// Something that is checked like a string in a request.
#[derive(Debug, Clone)]
pub(crate) struct Named<T>(pub(crate) T);

impl std::str::FromStr for Named<AccountName> {
    type Err = mosaic_protocol::BadText;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        AccountName::try_from(text.to_owned()).map(Named)
    }
}

fn label(text: &str) -> Result<Label, mosaic_protocol::BadText> {
    Label::try_from(text.to_owned())
}

fn team_id(text: &str) -> Result<TeamId, &'static str> {
    text.parse().map_err(|_| "a team is named by its id; `mosaic team list` shows it")
}

fn invite_id(text: &str) -> Result<InviteId, &'static str> {
    text.parse().map_err(|_| "an invitation is named by its id; `mosaic invite list` shows it")
}
