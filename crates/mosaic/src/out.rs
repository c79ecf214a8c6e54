//! What the command line prints: answers on stdout, complaints and progress on stderr. The only place that does.

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

/// Prints a line. A reader that went away is no failure.
pub(crate) fn say(line: &str) -> anyhow::Result<ExitCode> {
    heard(line).map(|_| ExitCode::SUCCESS)
}

/// Prints a line, and answers whether anybody still reads.
pub(crate) fn heard(line: &str) -> anyhow::Result<bool> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Prints what went wrong.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "mosaic: {text}");
}

/// Prints how far something is.
pub(crate) fn progress(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = if stderr.is_terminal() {
        write!(stderr, "\r{text}\x1b[K")
    } else {
        writeln!(stderr, "{text}")
    };
    let _ = stderr.flush();
}

/// Ends the line that `progress` kept rewriting.
pub(crate) fn progress_done() {
    let mut stderr = std::io::stderr().lock();
    if stderr.is_terminal() {
        let _ = writeln!(stderr);
    }
}

/// Asks for a word that shows that somebody means it. Without a terminal the answer is no.
pub(crate) fn confirm(question: &str, word: &str) -> anyhow::Result<()> {
    if !std::io::stdin().is_terminal() {
        anyhow::bail!("{question}\n  give --yes if you mean it");
    }
    let _ = write!(std::io::stderr().lock(), "{question}\nType {word} to go on: ");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    if line.trim() == word { Ok(()) } else { anyhow::bail!("nothing was changed") }
}

/// Asks for something that nobody is to read over a shoulder: what is typed is not shown. Takes a terminal.
pub(crate) fn ask_hidden(question: &str) -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    let _ = write!(std::io::stderr().lock(), "{question}");
    let shown = tcgetattr(&stdin)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Now, &hidden)?;
    let mut line = String::new();
    let read = stdin.read_line(&mut line);
    tcsetattr(&stdin, OptionalActions::Now, &shown)?;
    let _ = writeln!(std::io::stderr().lock());
    read?;
    Ok(line)
}

/// Lines up columns.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|it| it.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
