//! A way to a server that can be cut: at once for all who are on it, and for as long as one likes.

use std::net::SocketAddr;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// A proxy on a port of its own.
pub(crate) struct Proxy {
    address: SocketAddr,
    /// How often it was cut, and whether it lets anybody through.
    state: watch::Sender<(u64, bool)>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn to(server: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, seen) = watch::channel((0, true));
        let accepting = tokio::spawn(async move {
            loop {
                let Ok((mut near, _)) = listener.accept().await else { continue };
                let mut seen = seen.clone();
                let (cuts, is_open) = *seen.borrow_and_update();
                if !is_open {
                    continue;
                }
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(server).await else { return };
                    let _ = near.set_nodelay(true);
                    let _ = far.set_nodelay(true);
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = seen.wait_for(|(n, _)| *n != cuts) => {}
                    }
                });
            }
        });
        Proxy { address, state, accepting }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every connection. New ones are let through.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|(n, _)| *n += 1);
    }

    /// Ends every connection, and lets nobody through.
    pub(crate) fn close(&self) {
        self.state.send_modify(|state| *state = (state.0 + 1, false));
    }

    /// Lets them through again.
    pub(crate) fn open(&self) {
        self.state.send_modify(|state| state.1 = true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}
