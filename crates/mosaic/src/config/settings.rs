//! The settings as the rest of the program reads them: plain, typed, every field public.
//! Names follow the keys, so `limits.body_bytes` is `settings.limits.body_bytes`. Leaves out: defaults and checks,
//! which live with the keys in `table.rs`; a value of these types made by `load` has passed them all.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use ipnet::IpNet;
use url::Url;

use super::Secret;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub listen: SocketAddr,
    pub data: PathBuf,
    /// Absent means SQLite in `data`.
    pub database_url: Option<Secret>,
    /// Absent means looking into the database.
    pub bus_url: Option<Secret>,
    /// An origin: no path, query or credentials.
    pub public_url: Option<Url>,
    /// Lower case, `host` or `host:port`, IPv6 in brackets.
    pub allowed_hosts: Vec<String>,
    /// As a browser sends them: `https://app.example`.
    pub cors_origins: Vec<String>,
    pub trusted_proxies: Vec<IpNet>,
    pub setup_code: Option<Secret>,
    /// 64 hexadecimal digits.
    pub master_key: Option<Secret>,
    /// 64 hexadecimal digits.
    pub master_key_previous: Option<Secret>,
    pub log: Log,
    pub telemetry: Telemetry,
    pub metrics_open: bool,
    pub limits: Limits,
    pub throttle: Throttle,
    pub quota: Quota,
    pub session: Session,
    /// Where the small local models lie.
    pub models: Option<PathBuf>,
    pub providers: Providers,
    /// By name, as in `oidc.<name>.issuer`.
    pub oidc: BTreeMap<String, Oidc>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    pub format: LogFormat,
    pub level: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    #[default]
    Auto,
    Pretty,
    Json,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Telemetry {
    pub endpoint: Option<Url>,
    pub headers: Vec<(String, Secret)>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    pub body_bytes: u64,
    pub blob_bytes: u64,
    pub request_seconds: u64,
    pub header_bytes: u64,
    pub connections: u64,
    pub connections_per_address: u64,
    pub streams_per_user: u64,
    pub shutdown_seconds: u64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Throttle {
    pub address_per_minute: u64,
    pub user_per_minute: u64,
    pub token_per_minute: u64,
    pub login_per_minute: u64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Quota {
    pub workspace_bytes: u64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    pub days: u64,
}

/// Providers of models.
#[derive(Debug, Clone, Default)]
pub(crate) struct Providers {
    pub private_hosts: Vec<String>,
    pub from_environment: bool,
    pub catalogue: Option<PathBuf>,
    pub second_look: Option<String>,
    pub probe_minutes: u64,
}

/// One provider of logins.
#[derive(Debug, Clone, Default)]
pub(crate) struct Oidc {
    /// Kept exactly as written: an issuer is compared byte by byte, and a URL type would add a slash.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Secret,
    pub label: String,
    pub signup: bool,
}

impl Settings {
    /// The state before the first layer. The defaults of the table replace what is here; a test checks that they do.
    pub(super) fn blank() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            data: PathBuf::new(),
            database_url: None,
            bus_url: None,
            public_url: None,
            allowed_hosts: Vec::new(),
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            setup_code: None,
            master_key: None,
            master_key_previous: None,
            log: Log::default(),
            telemetry: Telemetry::default(),
            metrics_open: false,
            limits: Limits::default(),
            throttle: Throttle::default(),
            quota: Quota::default(),
            session: Session::default(),
            models: None,
            providers: Providers::default(),
            oidc: BTreeMap::new(),
        }
    }

    pub(super) fn provider(&mut self, name: &str) -> &mut Oidc {
        self.oidc.entry(name.to_owned()).or_default()
    }
}
