//! Tokens: what a login gives, how long it lasts, and how it is renewed.

use crate::{
    Error, Key, Result,
    oauth::{
        ask::{Answered, OAuthServer},
        secret,
        settings::Scopes,
    },
};
use mosaic_protocol::{Time, provider::FailureClass};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use zeroize::Zeroizing;

/// A token that is said to last longer than this is believed for this long; then it is renewed.
const LONGEST_SECONDS: i64 = 10 * 366 * 86_400;

/// What a login gives. `***` in `Debug`, wiped when dropped.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// What is sent with every call.
    #[serde(serialize_with = "secret::write", deserialize_with = "secret::read")]
    pub access: Key,
    /// What the next one is got with, if the server gave any.
    #[serde(
        default,
        serialize_with = "secret::write_maybe",
        deserialize_with = "secret::read_maybe"
    )]
    pub refresh: Option<Key>,
    /// When the access token ends; `None`: the server did not say.
    pub expires_at: Option<Time>,
    /// What it is good for.
    pub scopes: Scopes,
    /// How it is shown to the provider.
    pub kind: TokenKind,
}

/// How an access token is shown to the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// As it is, in the `Authorization` header.
    Bearer,
}

/// What a server gives, as far as it is read.
#[derive(Deserialize)]
pub(super) struct Granted {
    #[serde(deserialize_with = "secret::read")]
    access_token: Key,
    #[serde(default)]
    token_type: Option<String>,
    #[serde(default)]
    expires_in: Option<Value>,
    #[serde(default, deserialize_with = "secret::read_maybe")]
    refresh_token: Option<Key>,
    #[serde(default)]
    scope: Option<String>,
}

impl Tokens {
    /// As JSON, for sealing.
    pub fn to_json(&self) -> Zeroizing<String> {
        secret::to_json(self)
    }

    /// From JSON that was sealed.
    pub fn from_json(text: &str) -> Result<Self> {
        secret::from_json(text, "the login")
    }

    /// Whether the access token has ended, or will within `leeway`.
    pub fn needs_refresh(&self, now: Time, leeway: Duration) -> bool {
        let leeway = i64::try_from(leeway.as_millis()).unwrap_or(i64::MAX);
        self.expires_at.is_some_and(|at| now.plus_ms(leeway) >= at)
    }

    /// Asks for new ones. Where the server gives no new refresh token, the old one stays. `Auth`: a person must log in
    /// again. A [`Refresher`](crate::oauth::Refresher) sees to it that no refresh token is used by two at once.
    pub async fn refresh(&self, server: &OAuthServer<'_>, now: Time) -> Result<Tokens> {
        let Some(refresh) = &self.refresh else {
            let message = "the login has ended and cannot be renewed; log in again";
            return Err(Error::new(FailureClass::Auth, message));
        };
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
        let mut tokens = grant(server, &form, &self.scopes, now).await?;
        if tokens.refresh.is_none() {
            tokens.refresh = Some(refresh.clone());
        }
        Ok(tokens)
    }
}

/// Asks for tokens, by a grant that is not waited for.
pub(super) async fn grant(
    server: &OAuthServer<'_>,
    form: &[(&str, &str)],
    scopes: &Scopes,
    now: Time,
) -> Result<Tokens> {
    match server.ask::<Granted>(&server.settings.token_url, form).await? {
        Answered::Given(granted) => granted.tokens(scopes, now),
        Answered::Refused(refusal, head) => Err(refusal.error(Some(head))),
    }
}

impl Granted {
    /// As tokens. `asked`: the scopes, if the answer does not say that they are others. `now`: from before it was
    /// asked, so that nothing is believed to last longer than it does.
    pub(super) fn tokens(self, asked: &Scopes, now: Time) -> Result<Tokens> {
        let odd =
            |what: &str| Error::new(FailureClass::Malformed, format!("the login server {what}"));
        // The type must be said, and some servers do not.
        if self.token_type.is_some_and(|it| !it.eq_ignore_ascii_case("bearer")) {
            return Err(odd("gives a kind of token that is not known here"));
        }
        let expires_at = match self.expires_in {
            None | Some(Value::Null) => None,
            Some(said) => {
                let seconds = seconds(&said)
                    .ok_or_else(|| odd("does not say clearly how long a token lasts"))?;
                Some(now.plus_ms(seconds.clamp(0, LONGEST_SECONDS) * 1000))
            }
        };
        let scopes = match self.scope.filter(|scope| !scope.is_empty()) {
            None => asked.clone(),
            Some(scope) => Scopes::split(&scope).map_err(|_| odd("names scopes that are none"))?,
        };
        Ok(Tokens {
            access: self.access_token,
            refresh: self.refresh_token,
            expires_at,
            scopes,
            kind: TokenKind::Bearer,
        })
    }
}

/// Seconds, as a number or, as some servers have it, as a text.
pub(super) fn seconds(said: &Value) -> Option<i64> {
    match said {
        Value::Number(number) => number
            .as_i64()
            .or_else(|| number.as_u64().map(|_| i64::MAX))
            // Floats saturate, and there is none that is no number in JSON.
            .or_else(|| number.as_f64().map(|float| float as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    const NOW: Time = Time(1_800_000_000_000);

    fn read(answer: Value) -> std::result::Result<Tokens, String> {
        let granted: Granted = serde_json::from_value(answer).map_err(|error| error.to_string())?;
        let asked = Scopes::split("a b").unwrap();
        granted.tokens(&asked, NOW).map_err(|error| error.to_string())
    }

    fn lasting(expires_in: Value) -> std::result::Result<Option<i64>, String> {
        let answer =
            json!({ "access_token": "t", "token_type": "bearer", "expires_in": expires_in });
        Ok(read(answer)?.expires_at.map(|at| (at.0 - NOW.0) / 1000))
    }

    #[test]
    fn how_long_a_token_lasts_is_read_however_it_is_said_and_within_bounds() {
        for (said, seconds) in [
            (json!(3600), Some(3600)),
            (json!("3600"), Some(3600)),
            (json!(3599.7), Some(3599)),
            (json!(null), None),
            (json!(0), Some(0)),
            (json!(-5), Some(0)),
            (json!(u64::MAX), Some(LONGEST_SECONDS)),
            (json!(1e300), Some(LONGEST_SECONDS)),
        ] {
            assert_eq!(lasting(said.clone()), Ok(seconds), "{said}");
        }
        for said in [json!("soon"), json!([]), json!({}), json!(true)] {
            assert!(lasting(said.clone()).is_err(), "{said}");
        }
    }

    #[test]
    fn what_is_no_token_is_not_taken_and_not_repeated() {
        for bad in [
            json!({}),
            json!({ "access_token": "" }),
            json!({ "access_token": null }),
            json!({ "access_token": 123_456 }),
            json!({ "access_token": "hu\r\nsh" }),
            json!({ "access_token": "s".repeat(secret::SECRET_BYTES + 1) }),
            json!({ "access_token": "t", "refresh_token": "hush\u{7f}" }),
            json!({ "access_token": "t", "refresh_token": ["hush"] }),
            json!({ "access_token": "t", "token_type": "mac" }),
            json!({ "access_token": "t", "scope": "a".repeat(300) }),
            json!({ "access_token": "t", "scope": "a ".repeat(100) }),
        ] {
            let error = read(bad.clone()).expect_err(&bad.to_string());
            assert!(!error.contains("123") && !error.contains("hu"), "{error}");
        }
        let neighbour = read(json!({ "access_token": "t", "token_type": "BEARER", "new": [1] }));
        let neighbour = neighbour.unwrap();
        assert_eq!(neighbour.scopes.iter().collect::<Vec<_>>(), ["a", "b"]);
        assert!(neighbour.refresh.is_none() && neighbour.expires_at.is_none());
        let narrower = read(json!({ "access_token": "t", "refresh_token": "", "scope": "b" }));
        let narrower = narrower.unwrap();
        assert_eq!(narrower.scopes.iter().collect::<Vec<_>>(), ["b"]);
        assert!(narrower.refresh.is_none());
    }

    #[test]
    fn tokens_are_sealed_whole_and_shown_without_themselves() {
        let answer = json!({ "access_token": "acc-ess", "refresh_token": "ref-resh", "expires_in": 60, "scope": "x" });
        let tokens = read(answer).unwrap();
        expect![[r#"Tokens { access: ***, refresh: Some(***), expires_at: Some(Time(1800000060000)), scopes: Scopes(["x"]), kind: Bearer }"#]].assert_eq(&format!("{tokens:?}"));
        expect![[r#"{"access":"acc-ess","refresh":"ref-resh","expires_at":1800000060000,"scopes":["x"],"kind":"bearer"}"#]].assert_eq(&tokens.to_json());
        let again = Tokens::from_json(&tokens.to_json()).unwrap();
        assert_eq!(*again.to_json(), *tokens.to_json());
        for broken in ["", "{}", "{\"access\":\"acc-ess\"}", "{\"access\":7}"] {
            let error = Tokens::from_json(broken).unwrap_err();
            assert_eq!(error.class, FailureClass::Auth);
            assert!(!error.to_string().contains("acc-ess"));
        }
    }

    #[test]
    fn tokens_are_renewed_a_little_early() {
        let tokens = read(json!({ "access_token": "t", "expires_in": 60 })).unwrap();
        let leeway = Duration::from_secs(10);
        assert!(!tokens.needs_refresh(NOW, leeway));
        assert!(!tokens.needs_refresh(NOW.plus_ms(49_999), leeway));
        assert!(tokens.needs_refresh(NOW.plus_ms(50_000), leeway));
        assert!(!tokens.needs_refresh(NOW.plus_ms(59_999), Duration::ZERO));
        assert!(tokens.needs_refresh(NOW.plus_ms(60_000), Duration::ZERO));
        assert!(tokens.needs_refresh(NOW, Duration::MAX));
        let lasting = read(json!({ "access_token": "t" })).unwrap();
        assert!(!lasting.needs_refresh(Time(i64::MAX), Duration::MAX));
    }
}
