//! Logging in to a provider without handing over a key: OAuth 2 with PKCE (RFC 7636), the device flow (RFC 8628), and
//! renewing what they gave. It knows no provider by name.
//!
//! Leaves out where tokens are kept, who may use them, and the pages and commands around a login. Nothing here repeats
//! what a server says: its words may hold the very secrets that it was sent.

mod ask;
pub mod device;
pub mod pkce;
mod refresher;
mod refusal;
mod secret;
mod settings;
mod tokens;

pub use ask::OAuthServer;
pub use refresher::Refresher;
pub use settings::{BadSettings, ClientAuth, ClientId, Extra, OAuthSettings, Scopes, ServerUrl};
pub use tokens::{TokenKind, Tokens};
