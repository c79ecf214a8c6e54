//! Between a gateway and its database: passes everything on, and breaks connections when it is told to.

use crate::chance::Chance;
use anyhow::Context;
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

/// Stops listening, and breaks everything, when it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    listening: AbortHandle,
}

#[derive(Default)]
struct State {
    is_down: AtomicBool,
    passing: Mutex<Vec<AbortHandle>>,
}

impl Proxy {
    pub(crate) async fn to(upstream: String) -> anyhow::Result<Proxy> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, state) = (listener.local_addr()?, Arc::<State>::default());
        let shared = state.clone();
        let listening = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                // Whoever comes meanwhile finds a connection that ends at once.
                if shared.is_down.load(Ordering::SeqCst) {
                    continue;
                }
                let passing = tokio::spawn(pass(near, upstream.clone())).abort_handle();
                let mut all = shared.passing.lock().unwrap_or_else(PoisonError::into_inner);
                all.retain(|it| !it.is_finished());
                all.push(passing);
            }
        });
        Ok(Proxy { address, state, listening: listening.abort_handle() })
    }

    /// Breaks some of the connections, at least one if there is one.
    pub(crate) fn cut(&self, chance: &mut Chance) {
        let all = self.state.passing.lock().unwrap_or_else(PoisonError::into_inner);
        for (n, passing) in all.iter().filter(|it| !it.is_finished()).enumerate() {
            if n == 0 || chance.percent(50) {
                passing.abort();
            }
        }
    }

    /// Lets nobody through, or again.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.state.is_down.store(is_down, Ordering::SeqCst);
        if is_down {
            let all = self.state.passing.lock().unwrap_or_else(PoisonError::into_inner);
            all.iter().for_each(AbortHandle::abort);
        }
    }

    /// The same address of a database, through here.
    pub(crate) fn instead_of(&self, url: &str) -> anyhow::Result<String> {
        let upstream = upstream(url)?;
        Ok(url.replacen(&upstream, &self.address.to_string(), 1))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.set_down(true);
    }
}

async fn pass(mut near: TcpStream, upstream: String) {
    if let Ok(mut far) = TcpStream::connect(&upstream).await {
        let _ = (near.set_nodelay(true), far.set_nodelay(true));
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    }
}

/// The host and port in a URL of PostgreSQL.
pub(crate) fn upstream(url: &str) -> anyhow::Result<String> {
    let rest = url.split_once("://").map(|(_, rest)| rest);
    let rest = rest.context("the address of the database has no `://`")?;
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    anyhow::ensure!(
        host.rsplit_once(':')
            .is_some_and(|(name, port)| !name.is_empty() && port.parse::<u16>().is_ok()),
        "name host and port of PostgreSQL, as in postgres://user@127.0.0.1:5432/postgres"
    );
    Ok(host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::upstream;

    #[test]
    fn the_address_is_found_in_a_url() {
        let of = |url| upstream(url).ok();
        assert_eq!(of("postgres://a:b@127.0.0.1:5432/x?y=z"), Some("127.0.0.1:5432".to_owned()));
        assert_eq!(of("postgres://127.0.0.1:1/x"), Some("127.0.0.1:1".to_owned()));
        assert_eq!(of("postgres:///x?host=%2Ftmp"), None);
        assert_eq!(of("nothing"), None);
    }
}
