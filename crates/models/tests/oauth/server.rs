//! A small OAuth server: PKCE by S256, codes that work once, refresh tokens that change and whose second use ends the
//! login, devices that answer as they are told. It checks every request, and it can be told to misbehave.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};

pub(crate) const CLIENT_ID: &str = "mo saic:1";
pub(crate) const CLIENT_SECRET: &str = "client+secret/of ours";

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) form: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// Status, headers and body for a request.
pub(crate) type Say = dyn FnOnce(&Asked) -> (u16, String, String) + Send;

/// What it does instead of answering properly.
pub(crate) enum Fault {
    /// Answers this.
    Say(Box<Say>),
    /// Says nothing, and keeps the connection.
    Hang,
    /// Sends a head, and then a byte now and then.
    Trickle,
    /// Closes in the middle of the answer.
    Cut,
}

/// What a device is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reply {
    Refuse(&'static str),
    Grant,
}

struct Code {
    challenge: String,
    redirect_uri: String,
    family: usize,
    used: bool,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) asked: Vec<Asked>,
    pub(crate) faults: VecDeque<Fault>,
    /// Whether renewing gives a new refresh token.
    pub(crate) keeps_refresh: bool,
    /// What a login on a device is answered, question by question.
    pub(crate) device: VecDeque<Reply>,
    /// Refuses with 200, as some do.
    pub(crate) refuses_with_200: bool,
    codes: HashMap<String, Code>,
    /// Refresh tokens with their login; those that were used stay.
    refresh: HashMap<String, (usize, bool)>,
    ended: HashSet<usize>,
    n: usize,
}

pub(crate) struct Server {
    pub(crate) at: String,
    state: Arc<Mutex<State>>,
    /// A request is being hung or trickled.
    pub(crate) stuck: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = format!("http://{}", listener.local_addr().unwrap());
        let (state, stuck) = (Arc::<Mutex<State>>::default(), Arc::new(Notify::new()));
        let (shared, hung) = (state.clone(), stuck.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone(), hung.clone()));
            }
        });
        Server { at, state, stuck, task }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The next answer is this instead.
    pub(crate) fn fail(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    pub(crate) fn say(&self, status: u16, headers: &str, body: impl Into<String>) {
        let (headers, body) = (headers.to_owned(), body.into());
        self.fail(Fault::Say(Box::new(move |_| (status, headers, body))));
    }

    pub(crate) fn n_asked(&self) -> usize {
        self.state().asked.len()
    }

    pub(crate) fn last(&self) -> Asked {
        self.state().asked.last().unwrap().clone()
    }

    /// The page on which a person says yes: checks where the browser was sent, and gives the query that it brings back.
    pub(crate) fn authorize(&self, url: &str) -> String {
        let url = url::Url::parse(url).unwrap();
        assert_eq!(url.as_str().split('?').next(), Some(format!("{}/authorize", self.at).as_str()));
        let asked: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(asked.len(), url.query_pairs().count(), "a parameter twice");
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT_ID);
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(asked["code_challenge"].len(), 43);
        assert_eq!(asked["scope"], "chat offline_access");
        let mut state = self.state();
        state.n += 1;
        let (code, family) = (format!("code/{}+&=", state.n), state.n);
        let (challenge, redirect_uri) =
            (asked["code_challenge"].clone(), asked["redirect_uri"].clone());
        state.codes.insert(code.clone(), Code { challenge, redirect_uri, family, used: false });
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &code)
            .append_pair("state", &asked["state"])
            .finish()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>, stuck: Arc<Notify>) {
    let Some(asked) = read(&mut stream).await else { return };
    let fault = {
        let mut state = state.lock().unwrap();
        state.asked.push(asked.clone());
        state.faults.pop_front()
    };
    let (status, headers, body) = match fault {
        None => {
            let mut state = state.lock().unwrap();
            let (status, body) = match answer(&mut state, &asked) {
                Ok(body) => (200, body),
                Err(code) if state.refuses_with_200 => (200, json!({ "error": code })),
                Err("invalid_client") => (401, json!({ "error": "invalid_client" })),
                Err(code) => (400, json!({ "error": code, "error_description": "no" })),
            };
            (status, "content-type: application/json\r\n".to_owned(), body.to_string())
        }
        Some(Fault::Say(say)) => say(&asked),
        Some(Fault::Hang) => {
            stuck.notify_one();
            // Until the other side gives up.
            let _ = stream.read(&mut [0]).await;
            return;
        }
        Some(Fault::Trickle) => {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
            let _ = stream.write_all(head.as_bytes()).await;
            stuck.notify_one();
            let mut ticks = tokio::time::interval(std::time::Duration::from_secs(3));
            while stream.write_all(b" ").await.is_ok() {
                ticks.tick().await;
            }
            return;
        }
        Some(Fault::Cut) => {
            let cut = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"access_token\":\"x\"";
            let _ = stream.write_all(cut.as_bytes()).await;
            return;
        }
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body.as_bytes()).await;
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = vec![];
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let path = lines.next()?.split(' ').nth(1)?.to_owned();
            let headers: BTreeMap<String, String> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            let length = headers.get("content-length").map_or(0, |it| it.parse().unwrap());
            if body.len() >= length {
                let pairs: Vec<(String, String)> =
                    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
                let form: BTreeMap<_, _> = pairs.iter().cloned().collect();
                assert_eq!(form.len(), pairs.len(), "a parameter twice: {body}");
                return Some(Asked { path, headers, form, body: body.to_owned() });
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&piece[..n]),
        }
    }
}

fn answer(state: &mut State, asked: &Asked) -> Result<Value, &'static str> {
    assert_eq!(asked.headers["accept"], "application/json");
    assert_eq!(asked.headers["content-type"], "application/x-www-form-urlencoded");
    assert!(!asked.path.contains('?'), "nothing is sent in an address: {}", asked.path);
    client(asked)?;
    let form = |name: &str| asked.form.get(name).map(String::as_str).ok_or("invalid_request");
    if asked.path == "/device" {
        assert_eq!(form("scope")?, "chat offline_access");
        return Ok(json!({
            "device_code": "device/code+1", "user_code": "WDJB-MJHT", "interval": 5, "expires_in": 300,
            "verification_uri": "https://login.example.org/device",
        }));
    }
    assert_eq!(asked.path, "/token");
    match form("grant_type")? {
        "authorization_code" => {
            let code = state.codes.get_mut(form("code")?).ok_or("invalid_grant")?;
            let family = code.family;
            let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(form("code_verifier")?.as_bytes()));
            if hash != code.challenge || form("redirect_uri")? != code.redirect_uri {
                return Err("invalid_grant");
            }
            if std::mem::replace(&mut code.used, true) {
                // Somebody else has it: what it gave is void, too.
                state.ended.insert(family);
                return Err("invalid_grant");
            }
            Ok(grant(state, family))
        }
        "refresh_token" => {
            let keeps = state.keeps_refresh;
            let (family, used) =
                state.refresh.get_mut(form("refresh_token")?).ok_or("invalid_grant")?;
            let family = *family;
            if std::mem::replace(used, !keeps) {
                state.ended.insert(family);
            }
            if state.ended.contains(&family) {
                return Err("invalid_grant");
            }
            let mut given = grant(state, family);
            if keeps {
                given.as_object_mut().unwrap().remove("refresh_token");
            }
            Ok(given)
        }
        "urn:ietf:params:oauth:grant-type:device_code" => {
            if form("device_code")? != "device/code+1" {
                return Err("invalid_grant");
            }
            match state.device.pop_front().expect("a question too many") {
                Reply::Refuse(code) => Err(code),
                Reply::Grant => Ok(grant(state, 0)),
            }
        }
        _ => Err("unsupported_grant_type"),
    }
}

/// Who asks: by the header or by the form, and never by both.
fn client(asked: &Asked) -> Result<(), &'static str> {
    let form = |name: &str| asked.form.get(name).map(String::as_str);
    let id = form("client_id");
    let Some(header) = asked.headers.get("authorization") else {
        let secret = form("client_secret");
        return match id == Some(CLIENT_ID) && secret.is_none_or(|it| it == CLIENT_SECRET) {
            true => Ok(()),
            false => Err("invalid_client"),
        };
    };
    assert_eq!((id, form("client_secret")), (None, None), "proven twice");
    let coded = header.strip_prefix("Basic ").ok_or("invalid_client")?;
    let text = String::from_utf8(STANDARD.decode(coded).map_err(|_| "invalid_client")?).unwrap();
    let (id, secret) = text.split_once(':').ok_or("invalid_client")?;
    // Both are written as in a form.
    let plain = |text: &str| {
        let pair = format!("x={text}");
        let (_, value) = url::form_urlencoded::parse(pair.as_bytes()).next().unwrap();
        value.into_owned()
    };
    match plain(id) == CLIENT_ID && plain(secret) == CLIENT_SECRET {
        true => Ok(()),
        false => Err("invalid_client"),
    }
}

fn grant(state: &mut State, family: usize) -> Value {
    state.n += 1;
    let refresh = format!("refresh/token+{}", state.n);
    state.refresh.insert(refresh.clone(), (family, false));
    json!({
        "access_token": format!("access/token+{}", state.n),
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": refresh,
        "scope": "chat offline_access",
    })
}
