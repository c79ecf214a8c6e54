//! What is printed: the report on stdout, progress and complaints on stderr. The only place that does.

use std::io::Write;

/// A line of the report. A reader that went away is no failure.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// What is being measured now.
pub(crate) fn progress(text: &str) {
    let _ = writeln!(std::io::stderr(), "… {text}");
}

/// Why nothing could be measured.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "mosaic-bench: {text}");
}
