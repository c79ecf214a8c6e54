//! Fills conversations: what is to be said, said by many at once, because each waits until it is kept.

use crate::talk::Talk;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::task::JoinSet;

/// As many as share one commit.
const AT_ONCE: usize = 256;

/// Says everything: where, and what.
pub(crate) async fn fill<I>(address: SocketAddr, token: &str, said: I) -> anyhow::Result<()>
where
    I: Iterator<Item = (Arc<str>, String)> + Send + 'static,
{
    let said = Arc::new(Mutex::new(said));
    let mut saying = JoinSet::new();
    for _ in 0..AT_ONCE {
        let mut talk = Talk::open(address, token, &[]).await?;
        let said = said.clone();
        saying.spawn(async move {
            let next = || said.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some((log, text)) = next() {
                talk.send(&log, &text).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = saying.join_next().await {
        done??;
    }
    Ok(())
}
