//! `mosaic up`: starts the parts in order, waits for a signal, stops them in the opposite order.

use crate::{
    config::Settings, control::Socket, doctor, environment, local::local, logs, out, port,
    telemetry::Telemetry,
};
use anyhow::bail;
use mosaic_gateway::{Gateway, ProviderSettings};
use mosaic_server::{Server, Throttles, is_loopback};
use mosaic_store::{Ambient, DataDir, Options, Store, bus::address::BusAddress, keyring::Key};
use std::{net::SocketAddr, process::ExitCode, time::Duration};
use tokio::signal::unix::{SignalKind, signal};

/// Nothing was made before this; a clock that says so is wrong, and would let expired things live.
pub(crate) const NOT_BEFORE_MS: i64 = 1_767_225_600_000; // 2026-01-01

/// How long the database, and then the collector of telemetry, may take to be done with when everything else is.
const CLOSE_TIME: Duration = Duration::from_secs(2);

pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let collector = settings.telemetry.clone();
    let telemetry = tokio::task::spawn_blocking(move || Telemetry::begin(&collector)).await??;
    logs::begin(&settings.log, telemetry.as_ref())?;
    let ambient = Ambient::real();
    if ambient.now().0 < NOT_BEFORE_MS {
        bail!(
            "the clock of this machine says that it is before 2026\n  set it, so that what expires does so in time"
        );
    }
    // The signals are watched before anything is opened, so that none comes at a bad moment.
    let mut signals = Signals::new()?;

    doctor::warn_of_little_room(&settings.data);
    let dir = DataDir::lock(&settings.data)?;
    let bound = mosaic_server::bind(settings.listen)
        .await
        .map_err(|error| anyhow::anyhow!(port::explain(settings.listen, &error)))?;
    let address = bound.address;
    let store = Store::open_holding(dir, store_options(settings)).await?;
    if let Some(address) = bus_address(settings)? {
        store.join_bus(address).await?;
    }
    let gateway = gateway(&store, settings)?;
    gateway.seed_rules().await?;
    gateway.find_interrupted(store.is_alone()).await?;
    let origin = origin(settings, address);
    gateway.set_origin(&origin);
    if !is_loopback(address.ip()) && settings.setup_code.is_none() && gateway.setup_needed().await?
    {
        store.close().await;
        bail!(
            "others could reach {address} before there is an admin\n  \
             start on 127.0.0.1 first and use the setup link, or choose a code yourself: MOSAIC_SETUP_CODE"
        );
    }
    let setup_link =
        gateway.setup_link(settings.setup_code.as_ref().map(|code| code.expose())).await?;
    let socket = Socket::of(&settings.data)?;
    let finishing = gateway.clone();
    let server = Server::start(bound, Some(socket.path()), gateway, server_settings(settings))?;
    store.announce(&address.to_string())?;
    tracing::debug!(%address, database = ?store.dialect(), "listening");
    out::say(&format!("Mosaic {} is running at {origin}", env!("CARGO_PKG_VERSION")))?;
    match (&setup_link, &settings.setup_code) {
        // The operator knows the code that they chose; it need not be printed.
        (Some(_), Some(_)) => {
            out::say(&format!("Make the first admin at {origin}/#setup with your setup code"))?
        }
        (Some(link), None) => {
            out::say(&format!("Make the first admin (once, within 24 hours): {link}"))?
        }
        (None, _) => ExitCode::SUCCESS,
    };
    let ignored = environment::ignored(settings);
    if !ignored.is_empty() {
        out::say(&format!(
            "{} set, and not used: MOSAIC_PROVIDERS_FROM_ENVIRONMENT=true lets everybody on this server use them",
            doctor::are(&ignored)
        ))?;
    }

    let which = signals.next().await;
    tracing::info!(signal = which, "stopping");
    let stopped = async {
        if !server.stop().await {
            tracing::warn!("some requests were cut off");
        }
        finishing.finish().await;
        // A database that does not answer any more would be waited for until somebody loses patience.
        if tokio::time::timeout(CLOSE_TIME, store.close()).await.is_err() {
            tracing::warn!("the database did not let go in time");
        }
        if let Some(telemetry) = telemetry {
            let ended = tokio::task::spawn_blocking(move || telemetry.end());
            let _ = tokio::time::timeout(CLOSE_TIME, ended).await;
        }
    };
    tokio::select! {
        () = stopped => {}
        _ = signals.next() => bail!("stopped at once, because a second signal came"),
    }
    Ok(ExitCode::SUCCESS)
}

struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Where people reach the gateway.
fn origin(settings: &Settings, address: SocketAddr) -> String {
    if let Some(url) = &settings.public_url {
        return url.origin().ascii_serialization();
    }
    // Nobody can open a link to 0.0.0.0.
    let shown = match (address.ip().is_unspecified(), address) {
        (false, address) => address,
        (true, address) => SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), address.port()),
    };
    format!("http://{shown}")
}

/// A number of the configuration, which has checked its bounds.
fn number<T: TryFrom<u64>>(value: u64, most: T) -> T {
    T::try_from(value).unwrap_or(most)
}

pub(crate) fn store_options(settings: &Settings) -> Options {
    let key = |secret: &Option<crate::config::Secret>| {
        secret.as_ref().and_then(|key| Key::from_hex(key.expose()))
    };
    Options {
        data: settings.data.clone(),
        database_url: settings.database_url.as_ref().map(|url| url.expose().to_owned()),
        master_key: key(&settings.master_key)
            .map(|current| (current, key(&settings.master_key_previous))),
        quota_bytes: number(settings.quota.workspace_bytes, i64::MAX),
        ambient: Ambient::real(),
        keep_spare_keys: false,
    }
}

pub(crate) fn bus_address(settings: &Settings) -> anyhow::Result<Option<BusAddress>> {
    let parse = |url: &crate::config::Secret| BusAddress::parse(url.expose());
    // The configuration has checked it.
    settings
        .bus_url
        .as_ref()
        .map(parse)
        .transpose()
        .map_err(|error| anyhow::anyhow!("`bus_url` {error}"))
}

pub(crate) fn gateway_settings(settings: &Settings) -> anyhow::Result<mosaic_gateway::Settings> {
    let provider = |(name, oidc): (&String, &crate::config::settings::Oidc)| ProviderSettings {
        name: name.clone(),
        label: oidc.label.clone(),
        issuer: oidc.issuer.clone(),
        client_id: oidc.client_id.clone(),
        client_secret: oidc.client_secret.clone(),
        signup: oidc.signup,
    };
    Ok(mosaic_gateway::Settings {
        models: environment::models(settings)?,
        session_days: number(settings.session.days, i64::MAX),
        login_per_minute: number(settings.throttle.login_per_minute, u32::MAX),
        providers: settings.oidc.iter().map(provider).collect(),
    })
}

fn gateway(store: &Store, settings: &Settings) -> anyhow::Result<Gateway> {
    let made = Gateway::new(store.clone(), gateway_settings(settings)?, local(settings));
    made.map_err(|error| match error {
        mosaic_gateway::Error::Refused { problem, next } => anyhow::anyhow!("{problem}\n  {next}"),
        error => anyhow::Error::new(error).context("the gateway cannot be made"),
    })
}

pub(crate) fn server_settings(settings: &Settings) -> mosaic_server::Settings {
    let limits = &settings.limits;
    mosaic_server::Settings {
        body_bytes: number(limits.body_bytes, usize::MAX),
        blob_bytes: number(limits.blob_bytes, usize::MAX),
        request_time: Duration::from_secs(limits.request_seconds),
        header_bytes: number(limits.header_bytes, usize::MAX),
        connections: number(limits.connections, 1000),
        connections_per_address: number(limits.connections_per_address, 1000),
        streams_per_user: number(limits.streams_per_user, 50),
        shutdown_time: Duration::from_secs(limits.shutdown_seconds),
        public_url: settings.public_url.clone(),
        allowed_hosts: settings.allowed_hosts.clone(),
        cors_origins: settings.cors_origins.clone(),
        trusted_proxies: settings.trusted_proxies.clone(),
        metrics_open: settings.metrics_open,
        probe_every: Duration::from_secs(settings.providers.probe_minutes.saturating_mul(60)),
        throttles: Throttles {
            address_per_minute: number(settings.throttle.address_per_minute, u32::MAX),
            user_per_minute: number(settings.throttle.user_per_minute, u32::MAX),
            token_per_minute: number(settings.throttle.token_per_minute, u32::MAX),
        },
    }
}

/// Opens everything but the sockets, for a command that finds no gateway running.
pub(crate) async fn offline(settings: &Settings) -> anyhow::Result<(Store, axum::Router)> {
    let store = Store::open(store_options(settings)).await?;
    let gateway = gateway(&store, settings)?;
    gateway.seed_rules().await?;
    gateway.set_origin(&origin(settings, settings.listen));
    Ok((store, mosaic_server::in_process(gateway, server_settings(settings))))
}
