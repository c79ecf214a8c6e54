//! The log: pretty on a terminal, JSON otherwise, every line redacted on its way out.

use crate::{config::LogFormat, config::settings::Log, redact::redact, telemetry::Telemetry};
use std::io::{self, IsTerminal, Write};
use tracing::Level;
use tracing_subscriber::{
    EnvFilter, Layer, filter::Targets, fmt::MakeWriter, layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// The target of spans that are made for a collector.
const SPANS: &str = "trace";

/// Begins to log to stderr and, if configured, to a collector of traces.
pub(crate) fn begin(log: &Log, telemetry: Option<&Telemetry>) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| {
        anyhow::anyhow!(
            "log.level is not understood: {error}\n  write it like `info` or `info,sqlx=warn`"
        )
    })?;
    // PostgreSQL's notices are answers to what we do on purpose, such as making what may be there already.
    let filter = if log.level.contains("sqlx") {
        filter
    } else {
        filter.add_directive("sqlx::postgres::notice=warn".parse()?)
    };
    let pretty = match log.format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let lines = if pretty {
        tracing_subscriber::fmt::layer().with_writer(Redacted).with_target(false).compact().boxed()
    } else {
        tracing_subscriber::fmt::layer().with_writer(Redacted).json().flatten_event(true).boxed()
    };
    let traces = telemetry.map(Telemetry::layer);
    // Spans for the collector are not lines for the log, and the log's level is not theirs.
    let filter = filter.add_directive(format!("{SPANS}=off").parse()?);
    let traces =
        traces.map(|layer| layer.with_filter(Targets::new().with_target(SPANS, Level::INFO)));
    tracing_subscriber::registry().with(traces).with(lines.with_filter(filter)).try_init()?;
    Ok(())
}

/// Writes to stderr, without secrets.
struct Redacted;

impl<'a> MakeWriter<'a> for Redacted {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(Vec::new())
    }
}

/// One event: the whole of it is seen at once, so no secret is split between two writes.
struct Line(Vec<u8>);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.0);
        let _ = io::stderr().lock().write_all(redact(&text).as_bytes());
    }
}
