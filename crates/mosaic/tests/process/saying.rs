//! What a command must and must not say.

use crate::support::{Output, Place, command};
use std::process::{Command, Stdio};

/// Runs it to its end.
pub(crate) fn run(mut command: Command) -> Output {
    let output = command.output().unwrap();
    Output {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The program, told nothing, not even where it lives.
pub(crate) fn free_command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mosaic"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command of a place, with something changed about how it is started.
pub(crate) fn run_with(
    place: &Place,
    arguments: &[&str],
    change: impl FnOnce(&mut Command),
) -> Output {
    let mut command = command(place);
    command.args(arguments);
    change(&mut command);
    run(command)
}

impl Place {
    /// Runs a command that must succeed, and answers what it printed.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        self.mosaic(arguments).ok()
    }
}

impl Output {
    /// What a command printed that must have succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout.trim_end().to_owned()
    }

    /// A refusal in due form: this exit code, these words in it, a next step below it, nothing on stdout, no panic.
    #[track_caller]
    pub(crate) fn refused(self, code: i32, words: &[&str]) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}` in {self:?}");
        }
        for word in ["panicked", "RUST_BACKTRACE", "unwrap", "src/"] {
            assert!(!self.stderr.contains(word), "`{word}` in {self:?}");
        }
        assert!(self.stdout.is_empty(), "{self:?}");
        self.stderr
    }

    /// The same, and the line below the first says what to do next.
    #[track_caller]
    pub(crate) fn refused_with_next_step(self, code: i32, words: &[&str]) -> String {
        let text = self.refused(code, words);
        let complaint = text.split("mosaic: ").last().unwrap_or_default();
        let next = complaint.lines().nth(1).unwrap_or_default();
        assert!(next.starts_with("  ") && next.trim().len() > 10, "no next step in {text}");
        text
    }
}

/// A text without what differs from run to run: ids, codes, digests, ports, dates, sizes and the place itself.
pub(crate) fn plain(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let words = text.split_inclusive(|c: char| !is_part(c));
    let mut shown = String::new();
    let mut inside_date = 0;
    for word in words {
        let (bare, mark) = match word.chars().next_back() {
            Some(c) if !is_part(c) => word.split_at(word.len() - c.len_utf8()),
            _ => (word, ""),
        };
        // `Sat, 21 Nov 2026 12:04:54 GMT`: nothing up to and with GMT.
        if ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&bare) {
            inside_date = 9;
        }
        if inside_date > 0 {
            inside_date = if bare == "GMT" { 0 } else { inside_date - 1 };
            continue;
        }
        let last = bare.rsplit('-').next().unwrap_or_default();
        let is_hex = last.len() >= 16 && last.bytes().all(|b| b.is_ascii_hexdigit());
        let is_number = bare.len() > 3 && bare.bytes().all(|b| b.is_ascii_digit());
        let is_place = bare.starts_with("tmp");
        let differs = is_hex || is_number || is_place || bare.len() >= 30;
        shown.push_str(if differs { "…" } else { bare });
        shown.push_str(mark);
    }
    shown
}

#[test]
fn what_differs_is_taken_out() {
    let id = "01a1fdfe-c438-740f-8935-d01a47c9d7a7";
    let text = format!(
        "1  Sat, 21 Nov 2026 12:04:54 GMT  user:{id}  http://127.0.0.1:32925/#a=mosaic_l_lCwp8V0iVhc00swABaXHEhicKHTzPvHA\nbob"
    );
    assert_eq!(plain(&text), "1   user:…  http://127.0.0.1:…/#a=…\nbob");
}
