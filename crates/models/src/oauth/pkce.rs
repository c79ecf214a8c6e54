//! Logging in with a browser: the authorization code flow with PKCE. Beginning is pure; finishing sends the code once.

use crate::{
    Error, Key, Result,
    oauth::{
        ask::OAuthServer,
        refusal::Refusal,
        secret,
        settings::{OAuthSettings, ServerUrl},
        tokens::{self, Tokens},
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mosaic_protocol::{Time, provider::FailureClass};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;
use url::Url;
use zeroize::Zeroizing;

/// The longest query that a browser brings back.
const QUERY_BYTES: usize = 32 * 1024;

/// A login that has begun: where to send the browser, and what to keep until it comes back.
pub struct Departure {
    /// The page to open. It holds no secret but the state, which the browser is to bring back.
    pub url: String,
    /// What to keep, sealed, and to delete when it is used.
    pub flow: Flow,
}

/// What is kept of a login until the browser comes back. Finishing takes it, so no code is sent twice.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    #[serde(serialize_with = "secret::write", deserialize_with = "secret::read")]
    verifier: Key,
    #[serde(serialize_with = "secret::write", deserialize_with = "secret::read")]
    state: Key,
    redirect_uri: ServerUrl,
}

/// What the browser brought back. `***` in `Debug`.
#[derive(Default)]
pub struct Returned {
    /// What tokens are given for.
    pub code: Option<Key>,
    /// What it was sent away with.
    pub state: Option<Key>,
    /// The server's code for a refusal.
    pub error: Option<String>,
}

/// Begins a login. `ours`: where the browser is to come back, unless the settings say. `random`: 32 bytes that nobody
/// can guess, and 32 others.
pub fn begin(
    settings: &OAuthSettings,
    ours: &ServerUrl,
    random: [[u8; 32]; 2],
) -> Result<Departure> {
    let page = settings.authorize_url.as_ref().ok_or_else(|| {
        Error::new(FailureClass::BadRequest, "this provider has no login by browser")
    })?;
    let random = Zeroizing::new(random);
    let [verifier, state] = [&random[0], &random[1]].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let redirect_uri = settings.redirect_uri.as_ref().unwrap_or(ours).clone();
    let mut url: Url = page.url().clone();
    {
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", settings.client_id.as_str())
            .append_pair("redirect_uri", redirect_uri.as_str())
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if let Some(scopes) = settings.scopes.joined() {
            query.append_pair("scope", &scopes);
        }
        query.extend_pairs(settings.extra.iter());
    }
    let flow = Flow { verifier: Key::new(verifier), state: Key::new(state), redirect_uri };
    Ok(Departure { url: url.into(), flow })
}

/// Finishes a login: checks that it is the one that began, and sends the code for tokens, once. What did not come
/// back as it left is refused before anything is sent.
pub async fn finish(
    server: &OAuthServer<'_>,
    flow: Flow,
    returned: Returned,
    now: Time,
) -> Result<Tokens> {
    let state = returned.state.as_ref().map_or("", Key::expose);
    if !bool::from(flow.state.expose().as_bytes().ct_eq(state.as_bytes())) {
        let message = "the login did not come back as it left; begin again";
        return Err(Error::new(FailureClass::BadRequest, message));
    }
    if let Some(code) = &returned.error {
        return Err(Refusal::of(code).error(None));
    }
    let code = returned.code.filter(|code| secret::is_sound(code.expose())).ok_or_else(|| {
        Error::new(FailureClass::BadRequest, "the login came back without its code; begin again")
    })?;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("redirect_uri", flow.redirect_uri.as_str()),
        ("code_verifier", flow.verifier.expose()),
    ];
    tokens::grant(server, &form, &server.settings.scopes, now).await
}

impl Flow {
    /// As JSON, for sealing.
    pub fn to_json(&self) -> Zeroizing<String> {
        secret::to_json(self)
    }

    /// From JSON that was sealed.
    pub fn from_json(text: &str) -> Result<Self> {
        secret::from_json(text, "the login that began")
    }
}

impl Returned {
    /// From the query of the address that the browser came back to. What stands there twice counts as missing: two
    /// readers could take different ones.
    pub fn read(query: &str) -> Self {
        if query.len() > QUERY_BYTES {
            return Self::default();
        }
        let one = |wanted: &str| {
            let mut found =
                url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted);
            let (_, value) = found.next()?;
            found.next().is_none().then(|| value.into_owned())
        };
        Self {
            code: one("code").map(Key::new),
            state: one("state").map(Key::new),
            error: one("error"),
        }
    }
}

impl fmt::Debug for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Departure").field("url", &"***").field("flow", &self.flow).finish()
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow")
            .field("verifier", &self.verifier)
            .field("state", &self.state)
            .field("redirect_uri", &self.redirect_uri.as_str())
            .finish()
    }
}

impl fmt::Debug for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Returned(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    fn departure() -> Departure {
        let settings: OAuthSettings = serde_json::from_value(json!({
            "client_id": "mo saic",
            "authorize_url": "https://login.example.org/authorize?tenant=a",
            "token_url": "https://login.example.org/token",
            "scopes": ["chat", "offline_access"],
            "extra": { "audience": "https://api.example.org" },
        }))
        .unwrap();
        let ours = ServerUrl::try_from("http://127.0.0.1:1455/back?x=1".to_owned()).unwrap();
        begin(&settings, &ours, [[1; 32], [2; 32]]).unwrap()
    }

    #[test]
    fn a_login_leaves_with_a_challenge_and_keeps_its_verifier() {
        let Departure { url, flow } = departure();
        expect![[r#"
            https://login.example.org/authorize?tenant=a
            &response_type=code
            &client_id=mo+saic
            &redirect_uri=http%3A%2F%2F127.0.0.1%3A1455%2Fback%3Fx%3D1
            &state=AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI
            &code_challenge=VtX6czP210fbQsI5QH5dpMMvTHnzXQkrE0_TWkAtnFw
            &code_challenge_method=S256
            &scope=chat+offline_access
            &audience=https%3A%2F%2Fapi.example.org"#]]
        .assert_eq(&url.replace('&', "\n&"));
        expect![[r#"{"verifier":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE","state":"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI","redirect_uri":"http://127.0.0.1:1455/back?x=1"}"#]].assert_eq(&flow.to_json());
        assert!(!url.contains(flow.verifier.expose()));
        let again = Flow::from_json(&flow.to_json()).unwrap();
        assert_eq!(*again.to_json(), *flow.to_json());
        assert!(Flow::from_json("{}").is_err());
    }

    #[test]
    fn the_challenge_is_the_one_of_the_specification() {
        // RFC 7636, appendix B.
        let bytes = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212,
            37, 77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let settings: OAuthSettings = serde_json::from_value(json!({
            "client_id": "a",
            "authorize_url": "https://login.example.org/",
            "token_url": "https://login.example.org/token",
            "redirect_uri": "https://fixed.example.org/back",
        }))
        .unwrap();
        let ours = ServerUrl::try_from("http://127.0.0.1:1455/back".to_owned()).unwrap();
        let Departure { url, flow } = begin(&settings, &ours, [bytes, [0; 32]]).unwrap();
        assert_eq!(flow.verifier.expose(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert!(
            url.contains("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            "{url}"
        );
        // An address that the settings insist on wins.
        assert!(url.contains("redirect_uri=https%3A%2F%2Ffixed.example.org%2Fback"), "{url}");
    }

    #[test]
    fn nothing_of_a_login_is_shown() {
        let departure = departure();
        let shown = format!("{departure:?} {:?}", Returned::read("code=abc&state=def"));
        for hidden in
            [departure.flow.verifier.expose(), departure.flow.state.expose(), "abc", "def"]
        {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }

    #[test]
    fn what_comes_back_twice_did_not_come_back() {
        let read = |query: &str| {
            let Returned { code, state, error } = Returned::read(query);
            let text = |key: Option<Key>| key.map(|key| key.expose().to_owned());
            (text(code), text(state), error)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read("code=a%2Bb&state=s&more=1"), (some("a+b"), some("s"), None));
        assert_eq!(read("error=access_denied&state=s"), (None, some("s"), some("access_denied")));
        assert_eq!(read("code=a&state=s&code=b"), (None, some("s"), None));
        assert_eq!(read("state=s&code=a&state=s"), (some("a"), None, None));
        assert_eq!(read(""), (None, None, None));
        assert_eq!(read(&format!("state=s&code={}", "a".repeat(QUERY_BYTES))), (None, None, None));
    }
}
