//! A load client on a thread of its own, which keeps its connections between the rounds that it is told to do.
//!
//! One thread, because it shares the processor with the server it measures and must not be scheduled like one.

use anyhow::Context;
use std::{future::Future, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// Told to do a round for so long, and to answer what came of it.
pub(crate) type Orders<R> = mpsc::Receiver<(Duration, oneshot::Sender<anyhow::Result<R>>)>;

/// Dropped, it hangs up.
pub(crate) struct Crew<R> {
    orders: mpsc::Sender<(Duration, oneshot::Sender<anyhow::Result<R>>)>,
}

impl<R: Send + 'static> Crew<R> {
    /// Opens the connections with `open`, then does rounds with `work` until it is dropped.
    pub(crate) async fn open<S, O, W, F>(open: O, work: W) -> anyhow::Result<Crew<R>>
    where
        O: Future<Output = anyhow::Result<S>> + Send + 'static,
        W: FnOnce(S, Orders<R>) -> F + Send + 'static,
        F: Future<Output = ()>,
    {
        let (orders, taken) = mpsc::channel(1);
        let (ready, opened) = oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(error.into()))),
            };
            runtime.block_on(async {
                match open.await {
                    Err(error) => drop(ready.send(Err(error))),
                    Ok(opened) => {
                        let _ = ready.send(Ok(()));
                        work(opened, taken).await;
                    }
                }
            });
        });
        opened.await.context("a load client ended")??;
        Ok(Crew { orders })
    }

    /// Does a round.
    pub(crate) async fn round(&self, time: Duration) -> anyhow::Result<R> {
        let (answer, answered) = oneshot::channel();
        let gone = "a load client ended";
        self.orders.send((time, answer)).await.ok().context(gone)?;
        answered.await.context(gone)?
    }
}
