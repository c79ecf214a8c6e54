//! Logging in on another device: a short code is shown, a person types it there, and we ask now and then whether they
//! have. When it is asked is decided here; who waits is the caller, or [`wait_for`].

use crate::{
    Error, Key, Result,
    oauth::{
        ask::{Answered, OAuthServer},
        refusal::Refusal,
        secret, settings,
        tokens::{Granted, Tokens, seconds},
    },
};
use mosaic_protocol::{Time, provider::FailureClass};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fmt, time::Duration};
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

/// How many seconds lie between two questions: at least, unless the server says, at most when it begins, and at most
/// when it has said again and again that it is too often.
const SHORTEST: i64 = 1;
const USUAL: i64 = 5;
const LONGEST_AT_FIRST: i64 = 60;
const LONGEST: i64 = 300;
/// How much longer after each "slow down".
const SLOWER: i64 = 5;
/// A person has at most this long.
const LONGEST_LOGIN: i64 = 3600;
/// What a person can be asked to type.
const USER_CODE_CHARS: usize = 64;

/// A login that has begun. `***` in `Debug` for what only we may know.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Started {
    /// What the person types.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same address with the code in it, if the server has one.
    pub verification_uri_complete: Option<String>,
    /// When it is too late.
    pub expires_at: Time,
    /// How many seconds lie between two questions. It grows when the server wants that.
    pub interval_seconds: i64,
    /// Before this it is not asked again.
    next_at: Time,
    #[serde(serialize_with = "secret::write", deserialize_with = "secret::read")]
    device_code: Key,
}

/// What came of a question.
#[derive(Debug)]
pub enum Polled {
    /// Not yet; ask again after this.
    Pending {
        /// How long.
        wait: Duration,
    },
    /// The person said yes.
    Done(Tokens),
    /// The person said no.
    Denied,
    /// It is too late.
    Expired,
}

/// What a server says when a login begins.
#[derive(Deserialize)]
struct Offered {
    #[serde(deserialize_with = "secret::read")]
    device_code: Key,
    user_code: String,
    // The older name is still in use.
    #[serde(alias = "verification_url")]
    verification_uri: String,
    #[serde(default, alias = "verification_url_complete")]
    verification_uri_complete: Option<String>,
    expires_in: Value,
    #[serde(default)]
    interval: Option<Value>,
}

/// Begins a login.
pub async fn begin(server: &OAuthServer<'_>, now: Time) -> Result<Started> {
    let settings = server.settings;
    let url = settings.device_url.as_ref().ok_or_else(|| {
        Error::new(FailureClass::BadRequest, "this provider has no login on another device")
    })?;
    let scopes = settings.scopes.joined();
    let mut form: Vec<(&str, &str)> = settings.extra.iter().collect();
    form.extend(scopes.as_deref().map(|scopes| ("scope", scopes)));
    match server.ask::<Offered>(url, &form).await? {
        Answered::Given(offered) => offered.started(now),
        Answered::Refused(refusal, head) => Err(refusal.error(Some(head))),
    }
}

/// Asks once, if it is time; otherwise says how long to wait. What may pass is an error like any other, and asking
/// again is right; it is then asked less often.
pub async fn poll(server: &OAuthServer<'_>, started: &mut Started, now: Time) -> Result<Polled> {
    if let Some(early) = started.before(now) {
        return Ok(early);
    }
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", started.device_code.expose()),
    ];
    let answered = server.ask::<Granted>(&server.settings.token_url, &form).await;
    let answered = match answered {
        Ok(Answered::Given(granted)) => granted.tokens(&server.settings.scopes, now).map(Ok),
        Ok(Answered::Refused(refusal, head)) => match refusal {
            Refusal::Pending | Refusal::SlowDown | Refusal::Denied | Refusal::Expired => {
                Ok(Err(refusal))
            }
            _ => Err(refusal.error(Some(head))),
        },
        Err(error) => Err(error),
    };
    started.after(now, answered)
}

/// Asks until the person has answered or it is too late. A failure that may pass does not end it. `now`: the time as
/// it begins.
pub async fn wait_for(server: &OAuthServer<'_>, mut started: Started, now: Time) -> Result<Tokens> {
    let begun = Instant::now();
    loop {
        let passed = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let now = now.plus_ms(passed);
        let polled = poll(server, &mut started, now).await;
        match next(polled, &started, now) {
            Next::Wait(wait) => sleep(wait).await,
            Next::Over(result) => return result,
        }
    }
}

enum Next {
    Wait(Duration),
    Over(Result<Tokens>),
}

fn next(polled: Result<Polled>, started: &Started, now: Time) -> Next {
    match polled {
        Ok(Polled::Pending { wait }) => Next::Wait(wait),
        Ok(Polled::Done(tokens)) => Next::Over(Ok(tokens)),
        Ok(Polled::Denied) => Next::Over(Err(Refusal::Denied.error(None))),
        Ok(Polled::Expired) => Next::Over(Err(Refusal::Expired.error(None))),
        Err(error) if error.class.passes() => Next::Wait(started.wait(now)),
        Err(error) => Next::Over(Err(error)),
    }
}

impl Offered {
    fn started(self, now: Time) -> Result<Started> {
        let odd = |what| Error::new(FailureClass::Malformed, format!("the login server {what}"));
        let shown = |c: char| !c.is_control() && (c.is_ascii() || c.is_alphanumeric());
        if !(1..=USER_CODE_CHARS).contains(&self.user_code.chars().count())
            || !self.user_code.chars().all(shown)
        {
            return Err(odd("gives a code that nobody can type"));
        }
        let page = settings::page(&self.verification_uri)
            .map_err(|_| odd("names a page that may not be opened"))?;
        let lasts = seconds(&self.expires_in)
            .ok_or_else(|| odd("does not say clearly how long a login lasts"))?;
        let interval = self.interval.as_ref().and_then(seconds).unwrap_or(USUAL);
        let interval_seconds = interval.clamp(SHORTEST, LONGEST_AT_FIRST);
        // The person can do without the longer address.
        let complete = self.verification_uri_complete.and_then(|it| settings::page(&it).ok());
        Ok(Started {
            user_code: self.user_code,
            verification_uri: page.into(),
            verification_uri_complete: complete.map(String::from),
            expires_at: now.plus_ms(lasts.clamp(1, LONGEST_LOGIN) * 1000),
            interval_seconds,
            next_at: now.plus_ms(interval_seconds * 1000),
            device_code: self.device_code,
        })
    }
}

impl Started {
    /// As JSON, for sealing.
    pub fn to_json(&self) -> Zeroizing<String> {
        secret::to_json(self)
    }

    /// From JSON that was sealed.
    pub fn from_json(text: &str) -> Result<Self> {
        secret::from_json(text, "the login that began")
    }

    /// How long to wait before the next question; no longer than the login lasts.
    pub fn wait(&self, now: Time) -> Duration {
        let ms = self.next_at.min(self.expires_at).0.saturating_sub(now.0);
        Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }

    /// What is known without asking. `None`: ask; that is noted, so that an answer that never comes counts, too.
    fn before(&mut self, now: Time) -> Option<Polled> {
        if now >= self.expires_at {
            return Some(Polled::Expired);
        }
        if now < self.next_at {
            return Some(Polled::Pending { wait: self.wait(now) });
        }
        self.later(now, 0);
        None
    }

    /// What an answer comes to.
    fn after(
        &mut self,
        now: Time,
        answered: Result<std::result::Result<Tokens, Refusal>>,
    ) -> Result<Polled> {
        match answered {
            Ok(Ok(tokens)) => return Ok(Polled::Done(tokens)),
            Ok(Err(Refusal::Denied)) => return Ok(Polled::Denied),
            Ok(Err(Refusal::Expired)) => return Ok(Polled::Expired),
            Ok(Err(Refusal::SlowDown)) => self.later(now, SLOWER),
            Ok(Err(_)) => {}
            Err(error) => {
                // Whoever cannot answer is not asked as often as whoever can.
                self.later(now, self.interval_seconds);
                let asked =
                    error.retry_after.map_or(0, |it| i64::try_from(it.as_secs()).unwrap_or(0));
                self.next_at = self.next_at.max(now.plus_ms(asked * 1000));
                return Err(error);
            }
        }
        Ok(Polled::Pending { wait: self.wait(now) })
    }

    fn later(&mut self, now: Time, more: i64) {
        self.interval_seconds = (self.interval_seconds + more).clamp(SHORTEST, LONGEST);
        self.next_at = now.plus_ms(self.interval_seconds * 1000);
    }
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Who knows the user's code can take the login over, as long as nobody has typed it.
        f.debug_struct("Started")
            .field("user_code", &"***")
            .field("verification_uri", &self.verification_uri)
            .field("expires_at", &self.expires_at)
            .field("interval_seconds", &self.interval_seconds)
            .field("device_code", &self.device_code)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
