//! An answer in pieces, as server-sent events: what each format must be able to tell, and who drives it.
//!
//! What breaks in the middle is told as an error of the format, and never ends like an answer that is whole. Pieces are
//! read no faster than the other end takes them.

use super::{
    bill::{Bill, Switch},
    errors::Told,
};
use crate::{refusal::Refusal, row::RECHECK};
use bytes::Bytes;
use futures_util::Stream;
use mosaic_gateway::{Answering, Error, Said};
use mosaic_models::{Event, Why};
use mosaic_protocol::{
    provider::FailureClass,
    usage::{Cost, Usage},
};
use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};
use tokio::time::{Instant, MissedTickBehavior};

/// For how long nothing is said before a sign of life: proxies close what is silent, often after a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What is there already is sent together, up to here.
const TOGETHER: usize = 16 * 1024;

/// A format's way to tell an answer in pieces.
pub(crate) trait Telling: Send + 'static {
    /// More of the answer; its end comes by `ended`.
    fn event(&mut self, event: &Event, out: &mut Vec<u8>);
    /// Another model goes on.
    fn switched(&mut self, to: &str);
    /// Nothing has been said for a while.
    fn quiet(&self, out: &mut Vec<u8>);
    /// The proper end.
    fn ended(&mut self, why: &Why, bill: &Bill, out: &mut Vec<u8>);
    /// The end of what is not whole.
    fn broken(&mut self, told: &Told, out: &mut Vec<u8>);
}

/// An answer that is coming.
pub(crate) trait Coming: Send + 'static {
    /// What is next; `None` after the proper end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Said>, Error>> + Send;
    /// What was used and what it cost, once it has ended.
    fn settled(&self) -> Option<(Usage, Cost)>;
}

impl Coming for Answering {
    fn next(&mut self) -> impl Future<Output = Result<Option<Said>, Error>> + Send {
        Answering::next(self)
    }

    fn settled(&self) -> Option<(Usage, Cost)> {
        Answering::settled(self)
    }
}

/// What is noted of an answer while it comes.
#[derive(Default)]
pub(crate) struct Noted {
    why: Option<Why>,
    bill: Bill,
}

impl Noted {
    /// Notes what is not part of the words.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::Usage(reported) => self.bill.usage = reported.usage,
            Event::Ended(why) => self.why = Some(why.clone()),
            _ => {}
        }
    }

    pub(crate) fn switched(&mut self, from: String, to: String, why: String) {
        // What was used before belongs to the model that failed; the settlement has both.
        self.why = None;
        self.bill.switches.push(Switch { from, to, why });
    }

    /// Why it ended, and the bill. An answer that says no end has none.
    pub(crate) fn end(self, settled: Option<(Usage, Cost)>) -> Result<(Why, Bill), Error> {
        let Noted { why, mut bill } = self;
        if let Some((usage, cost)) = settled {
            bill.usage = usage;
            bill.cost = Some(cost);
        }
        match why {
            Some(why) => Ok((why, bill)),
            None => Err(Error::ModelFailed(mosaic_models::Error::new(
                FailureClass::Incomplete,
                "the answer ended before it was whole",
            ))),
        }
    }
}

/// Tells an answer. `still_in`: whether whoever asked may still hear it. `told`: what went wrong, in words.
pub(crate) fn tell<C, T, F, Fut, W>(
    mut coming: C,
    mut telling: T,
    still_in: F,
    told: W,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static
where
    C: Coming,
    T: Telling,
    F: Fn() -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Error>> + Send,
    W: Fn(&Refusal) -> Told + Send + 'static,
{
    async_stream::stream! {
        let mut ticks = tokio::time::interval(RECHECK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.reset();
        let mut spoke = Instant::now();
        let mut out: Vec<u8> = vec![];
        let mut noted = Noted::default();
        let mut checked = Instant::now();
        let broken = 'telling: loop {
            let said = {
                let mut next = pin!(coming.next());
                // What is there already goes along with what was said before.
                let polled = poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx))).await;
                let mut said = match polled {
                    Poll::Ready(said) => Some(said),
                    Poll::Pending => None,
                };
                if (said.is_none() || out.len() >= TOGETHER) && !out.is_empty() {
                    spoke = Instant::now();
                    yield Ok(Bytes::from(std::mem::take(&mut out)));
                }
                loop {
                    // Asked of a model that never pauses, too.
                    if checked.elapsed() >= RECHECK {
                        checked = Instant::now();
                        // Where the database does not answer, nobody can have taken the right away, either.
                        if let Err(error @ (Error::Unauthenticated | Error::Denied(_))) =
                            still_in().await
                        {
                            break 'telling Some(error);
                        }
                    }
                    if let Some(said) = said.take() {
                        break said;
                    }
                    if spoke.elapsed() >= HEARTBEAT {
                        spoke = Instant::now();
                        telling.quiet(&mut out);
                        yield Ok(Bytes::from(std::mem::take(&mut out)));
                    }
                    tokio::select! {
                        next = &mut next => said = Some(next),
                        _ = ticks.tick() => {}
                    }
                }
            };
            match said {
                Ok(Some(Said::Event(Event::Text(text) | Event::Thinking(text)))) if text.is_empty() => {}
                Ok(Some(Said::Event(event))) => {
                    noted.note(&event);
                    telling.event(&event, &mut out);
                }
                Ok(Some(Said::Switched { from, to, why })) => {
                    telling.switched(&to);
                    comment(&mut out, "switched", &Switch { from: from.clone(), to: to.clone(), why: why.clone() });
                    noted.switched(from, to, why);
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        let ended = match broken {
            None => noted.end(coming.settled()),
            Some(error) => Err(error),
        };
        match ended {
            Ok((why, bill)) => {
                comment(&mut out, "mosaic", &bill.besides());
                telling.ended(&why, &bill, &mut out);
            }
            Err(error) => telling.broken(&told(&error.into()), &mut out),
        }
        yield Ok(Bytes::from(out));
    }
}

/// A line that programs pass over. JSON has no line breaks.
fn comment(out: &mut Vec<u8>, what: &str, value: &impl serde::Serialize) {
    out.extend_from_slice(b": ");
    out.extend_from_slice(what.as_bytes());
    out.push(b' ');
    super::bill::put(out, value);
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
pub(crate) mod tests;
