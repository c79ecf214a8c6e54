//! The sockets: the public one and the control socket, accepting, and stopping in order within a bound.

use crate::{
    Settings,
    caller::{self, Peer},
    housekeeping,
    leftover::Leftover,
    moving::Moving,
    shares::{Share, Shares},
    state::{State, stopped},
};
use axum::{Router, extract::Request};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use mosaic_gateway::{Gateway, network_of};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tower::ServiceExt;

/// How long a caller may take to send a request's head, and how long an idle connection is kept. Less where a whole
/// request may not take that long.
const HEAD_TIME: Duration = Duration::from_secs(20);
/// How long a caller may take nothing of what is sent to it. Less where a whole request may not take that long.
const STUCK_TIME: Duration = Duration::from_secs(20);

/// hyper takes no less; the configuration allows no less.
const LEAST_HEAD: usize = 8192;

/// A socket that is taken, but not answered yet.
pub struct Bound {
    listener: TcpListener,
    /// Where it is.
    pub address: SocketAddr,
}

/// Takes the address.
pub async fn bind(address: SocketAddr) -> io::Result<Bound> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok(Bound { listener, address })
}

/// A running server.
pub struct Server {
    stop: watch::Sender<bool>,
    cut: watch::Sender<bool>,
    state: Arc<State>,
    accepting: Vec<tokio::task::JoinHandle<()>>,
    housekeeping: tokio::task::JoinHandle<()>,
    control: Option<PathBuf>,
}

impl Server {
    /// Answers on a bound socket and, if `control` names one, on the control socket, which only the user that the
    /// gateway runs as can use.
    pub fn start(
        bound: Bound,
        control: Option<&Path>,
        gateway: Gateway,
        settings: Settings,
    ) -> io::Result<Server> {
        let (stop, stopping) = watch::channel(false);
        let connections = Arc::new(Semaphore::new(settings.connections));
        let state = State::new(gateway, settings, stopping);
        let router = crate::state::router(state.clone());
        let mut accepting = vec![];
        let (cut, over) = watch::channel(false);
        if let Some(path) = control {
            let listener = bind_control(path)?;
            accepting.push(tokio::spawn(accept_control(
                listener,
                router.clone(),
                state.clone(),
                over.clone(),
            )));
        }
        accepting.push(tokio::spawn(accept(
            bound.listener,
            router,
            state.clone(),
            connections,
            over,
        )));
        let (run, index) = (housekeeping::run(state.clone()), housekeeping::index(state.clone()));
        let housekeeping = tokio::spawn(async { _ = tokio::join!(run, index) });
        Ok(Server {
            stop,
            cut,
            state,
            accepting,
            housekeeping,
            control: control.map(ToOwned::to_owned),
        })
    }

    /// Stops: takes no more connections, ends streams, lets requests under way finish within the bound and cuts off
    /// what is left, a backup too. Answers whether all of them did finish.
    pub async fn stop(self) -> bool {
        let _ = self.stop.send(true);
        let sweeping = self.housekeeping.abort_handle();
        let drained = async {
            let _ = self.housekeeping.await;
            for accepting in self.accepting {
                let _ = accepting.await;
            }
        };
        let in_time =
            tokio::time::timeout(self.state.settings.shutdown_time, drained).await.is_ok();
        sweeping.abort();
        let _ = self.cut.send(true);
        if let Some(path) = self.control {
            let _ = std::fs::remove_file(path);
        }
        in_time
    }
}

async fn accept(
    listener: TcpListener,
    router: Router,
    state: Arc<State>,
    room: Arc<Semaphore>,
    over: watch::Receiver<bool>,
) {
    let mut stopping = state.stopping.clone();
    let open = Open::default();
    let shares = Shares::new(state.settings.connections_per_address);
    loop {
        // Waiting for room before accepting: what does not fit waits in the kernel's queue, which has a bound.
        let place = tokio::select! {
            place = room.clone().acquire_owned() => place,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                wait_a_little(&error).await;
                continue;
            }
        };
        let peer = peer.ip().to_canonical();
        // Behind a proxy there are many people; how many connections it opens is its own matter.
        let share = match caller::is_trusted(peer, &state.settings.trusted_proxies) {
            true => None,
            false => match shares.take(network_of(&peer.to_string())) {
                Some(share) => Some(share),
                // Closed without a word: an answer would take the place that it is not to have.
                None => continue,
            },
        };
        quick(&stream);
        let place = open.place(Some(place), share);
        let serving = serve(stream, Peer::Address(peer), router.clone(), &state, place);
        tokio::spawn(until(over.clone(), serving));
    }
    drop(listener);
    open.drained().await;
}

/// When a connection could not be accepted. Out of file handles, most likely: others must be closed first, and trying
/// at once again and again would take the processor from them.
async fn wait_a_little(error: &io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// Small answers must not wait for the other end to acknowledge the last one.
fn quick(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
}

fn bind_control(path: &Path) -> io::Result<UnixListener> {
    // The data directory is ours alone (its lock is held), so whatever is left here is of a process that is gone.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(listener)
}

async fn accept_control(
    listener: UnixListener,
    router: Router,
    state: Arc<State>,
    over: watch::Receiver<bool>,
) {
    let mut stopping = state.stopping.clone();
    let open = Open::default();
    let own = rustix::process::geteuid().as_raw();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                wait_a_little(&error).await;
                continue;
            }
        };
        // The kernel says who is there; the file's mode alone could have been changed.
        let trusted = stream.peer_cred().is_ok_and(|cred| cred.uid() == own || cred.uid() == 0);
        if !trusted {
            tracing::warn!("another user of this machine tried the control socket");
            continue;
        }
        let serving = serve(stream, Peer::Operator, router.clone(), &state, open.place(None, None));
        tokio::spawn(until(over.clone(), serving));
    }
    open.drained().await;
}

/// Serves until it is over. What is dropped in the middle has changed nothing: its transaction ends with it.
async fn until(mut over: watch::Receiver<bool>, serving: impl Future<Output = ()>) {
    tokio::select! {
        () = serving => {}
        _ = over.wait_for(|over| *over) => {}
    }
}

fn serve<S>(
    stream: S,
    peer: Peer,
    router: Router,
    state: &State,
    place: Place,
) -> impl Future<Output = ()> + Send + use<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut stopping = state.stopping.clone();
    let held = place.clone();
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let waits = request.headers().contains_key(http::header::EXPECT);
        let mut request: Request = request.map(|body| Leftover::of(body, !waits));
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(held.clone());
        router.clone().oneshot(request)
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME.min(state.settings.request_time))
        .max_headers(100)
        .max_buf_size(state.settings.header_bytes.max(LEAST_HEAD))
        .half_close(false);
    let stream = Moving::new(stream, STUCK_TIME.min(state.settings.request_time));
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    async move {
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut stopping) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        drop(place);
        if let Err(error) = ended {
            // A caller that goes away is no news.
            tracing::debug!(%error, "connection");
        }
    }
}

/// The connections that are open, a receiver each.
#[derive(Default)]
struct Open(watch::Sender<()>);

/// A connection's place among those that may be open at once. Whatever a connection turns into keeps it: it is free
/// when the last holder lets go.
#[derive(Clone)]
pub(crate) struct Place {
    _room: Option<Arc<OwnedSemaphorePermit>>,
    _share: Option<Arc<Share<String>>>,
    _open: watch::Receiver<()>,
}

impl Open {
    fn place(&self, room: Option<OwnedSemaphorePermit>, share: Option<Share<String>>) -> Place {
        Place { _room: room.map(Arc::new), _share: share.map(Arc::new), _open: self.0.subscribe() }
    }

    async fn drained(self) {
        self.0.closed().await;
    }
}

/// Whether only this machine can reach an address.
pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
