//! What a refused request is answered with. The codes are a closed, stable set: programs may match on them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The stable name of what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is not understood: wrong JSON, a bad value, an unknown field.
    Invalid,
    /// No valid session or token came with the request.
    Unauthenticated,
    /// Name and password do not belong together.
    WrongLogin,
    /// The code is wrong, used or expired.
    BadCode,
    /// The actor may see this, but not do it.
    Forbidden,
    /// The token lacks the scope that this needs.
    MissingScope,
    /// The Host or Origin of the request is not ours.
    WrongOrigin,
    /// There is no such thing, or the actor may not know of it.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The state of things does not allow this now.
    Conflict,
    /// The name is taken.
    NameTaken,
    /// Too large.
    TooLarge,
    /// The body is not of a type that this takes.
    UnsupportedType,
    /// The workspace's disk quota is used up.
    QuotaExceeded,
    /// The disk that the gateway stores on is full.
    DiskFull,
    /// Too many requests; wait.
    Throttled,
    /// The request took too long.
    Timeout,
    /// The login provider could not be used.
    ProviderFailed,
    /// Nobody has a model of that name.
    NoSuchModel,
    /// There are models, and none of them can do this now.
    NoModelCan,
    /// A budget does not allow the call.
    OverBudget,
    /// A model was called, and failed.
    ModelFailed,
    /// Something we depend on does not answer.
    Unavailable,
    /// A fault of ours. The log has the details under the request's id.
    Internal,
}

/// The body of every refused request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: Problem,
}

/// What went wrong and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Stable, for programs.
    pub code: ErrorCode,
    /// One sentence, for people.
    pub message: String,
    /// What to do next.
    pub next: String,
    /// Finds the request in the log.
    pub request_id: String,
}
