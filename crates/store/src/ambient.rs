//! Where time, randomness and ids come from: passed in, so that tests can set them.

use mosaic_protocol::Time;
use sha2::{Digest, Sha256};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Time;
}

/// Gives bytes that nobody can guess.
pub trait Random: Send + Sync {
    /// Fills all of `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the system for the time"
    )]
    fn now(&self) -> Time {
        let since =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

struct SystemRandom;

impl Random for SystemRandom {
    #[expect(
        clippy::expect_used,
        reason = "a machine that cannot give randomness cannot keep a secret: stop"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives randomness");
    }
}

/// A clock that stands where a test put it.
#[derive(Debug)]
pub struct SetClock(AtomicI64);

impl SetClock {
    /// Stands at this moment.
    pub fn at(time: Time) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(time.0)))
    }

    /// Puts it forward.
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}

/// The clock and the randomness of one gateway.
#[derive(Clone)]
pub struct Ambient {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// A secret that is handed out once, and the digest that is kept of it.
pub struct Minted {
    /// 32 random bytes in URL-safe base64.
    pub secret: String,
    /// What is stored.
    pub digest: Vec<u8>,
}

impl Ambient {
    /// The machine's own.
    pub fn real() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) }
    }

    /// The machine's randomness under another clock.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..Self::real() }
    }

    /// The time now.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// So many random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }

    /// A new id: `ambient.id(UserId::new)`.
    pub fn id<T>(&self, new: impl FnOnce(Uuid) -> T) -> T {
        let ms = u64::try_from(self.now().0).unwrap_or(0);
        new(uuid::Builder::from_unix_timestamp_millis(ms, &self.bytes()).into_uuid())
    }

    /// A new secret for a session, token or link, with a prefix that tells people and scanners what it is.
    pub fn mint(&self, prefix: &str) -> Minted {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let secret = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(self.bytes::<32>()));
        let digest = digest(&secret);
        Minted { secret, digest }
    }
}

/// What is stored of a secret with 256 random bits. (Passwords, which have fewer, go through argon2id instead.)
pub fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
