//! A text that must not be printed by accident. Leaves out: encryption and wiping memory.

use std::fmt;

/// A secret value. `Debug` prints `***`, there is no `Display`, and no comparison: comparing a secret is the
/// caller's decision, and usually has to take constant time.
#[derive(Clone, Default)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself. Searching for this word finds every place that handles a plain secret.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
