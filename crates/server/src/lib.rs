//! HTTP: sockets, login cookies, the API and the page, over the operations of `gateway`. Thin.
//!
//! Every route is a row of the table in `routes.rs`: method, path, what it needs, and a function whose types say what
//! comes in and what goes out. The router, the OpenAPI document, the docs page and the isolation tests are all made
//! from that table.

mod answer;
mod assets;
mod caller;
mod compatible;
mod cookie;
mod docs;
mod door;
mod error;
mod events;
mod housekeeping;
mod input;
mod leftover;
mod lifeline;
mod listen;
mod metrics;
mod moving;
mod openapi;
mod origin;
mod outgoing;
mod refusal;
mod routes;
mod row;
mod settings;
mod shares;
mod socket;
mod state;
mod throttle;
mod typescript;

pub use compatible::read_any;
pub use docs::page as docs_page;
pub use listen::{Bound, Server, bind, is_loopback};
pub use openapi::document as openapi;
pub use routes::table;
pub use row::{Kind, Row, SchemaOf};
pub use settings::{Settings, Throttles};
pub use state::in_process;
pub use typescript::types as typescript;
