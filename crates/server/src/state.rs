//! What every request can reach, and the router over it.

use crate::{
    Settings, answer, assets, compatible::serving::Rooms, door, origin::Origins, routes, row,
    shares::Shares, throttle::Throttle,
};
use axum::{Router, routing::MethodRouter};
use mosaic_gateway::Gateway;
use mosaic_protocol::UserId;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{Semaphore, watch};

/// What every request can reach.
pub(crate) struct State {
    pub(crate) gateway: Gateway,
    pub(crate) settings: Settings,
    pub(crate) origins: Origins,
    pub(crate) throttle: Throttle,
    pub(crate) metrics: crate::metrics::Metrics,
    /// Uploads are held in memory while they are checked: only so many at once.
    pub(crate) uploads: Semaphore,
    /// What calls of models may hold at once.
    pub(crate) rooms: Rooms,
    /// Streams that people have open. Each holds a connection for as long as they like.
    pub(crate) streams: Arc<Shares<UserId>>,
    /// Turns true when the gateway stops: open streams end.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl State {
    pub(crate) fn new(
        gateway: Gateway,
        settings: Settings,
        stopping: watch::Receiver<bool>,
    ) -> Arc<State> {
        Arc::new(State {
            origins: Origins::new(&settings),
            throttle: Throttle::new(settings.throttles),
            metrics: crate::metrics::Metrics::new(),
            uploads: Semaphore::new(8),
            rooms: Rooms::new(settings.streams_per_user),
            streams: Shares::new(settings.streams_per_user),
            gateway,
            settings,
            stopping,
        })
    }
}

/// Waits until the gateway stops.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Every row as a route, with the door in front of all.
pub(crate) fn router(state: Arc<State>) -> Router {
    let mut paths: BTreeMap<&'static str, MethodRouter> = BTreeMap::new();
    for row in routes::table(state.settings.metrics_open) {
        let (method, path) = (row.method.clone(), row.path);
        let serve = row::serve(row, state.clone());
        let routed = paths.remove(path).unwrap_or_default();
        // axum answers HEAD where GET is routed, and every other method with `Allow`.
        paths.insert(path, routed.on(answer::filter(&method), serve));
    }
    paths
        .into_iter()
        .fold(Router::new(), |router, (path, routes)| router.route(path, routes))
        .fallback(assets::serve)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .layer(axum::middleware::from_fn_with_state(state, door::pass))
}

/// The whole API without a socket, for the one who runs the machine: the command line calls it when no gateway runs.
pub fn in_process(gateway: Gateway, settings: Settings) -> Router {
    let (_, stopping) = watch::channel(false);
    let operator = crate::caller::Peer::Operator;
    router(State::new(gateway, settings, stopping)).layer(axum::Extension(operator))
}
