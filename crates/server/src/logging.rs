//! The server's own log: where lines go, how they look, and how much is said.
//!
//! Owns the subscriber of `tracing`. Whoever logs names what happened and gives the rest as fields;
//! a secret or a whole request is never one. Must not know what is logged.

use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::config::{LogFormat, LogLevel};

/// The crates that log by the rule above. Of others no more than errors is taken: at lower levels
/// libraries write down headers and bodies, and with them session tokens and plaintexts; and what
/// they warn of, such as a client's broken frames, is the client's affair, who could fill the log.
const OWN: [&str; 12] = [
    "attestation",
    "audit",
    "crypto",
    "iam",
    "keystores",
    "kms",
    "policy",
    "seals",
    "server",
    "service",
    "storage",
    "strongroom",
];

/// A log that has been started; its level can be changed.
pub struct Logging {
    level: reload::Handle<Targets, Registry>,
}

/// The process has a log already.
#[derive(Debug)]
pub struct AlreadyStarted;

impl std::fmt::Display for AlreadyStarted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the process has a log already")
    }
}

impl std::error::Error for AlreadyStarted {}

impl Logging {
    /// Logs to the standard error output from now on, panics included.
    ///
    /// # Errors
    /// [`AlreadyStarted`].
    pub fn start(level: LogLevel, format: LogFormat) -> Result<Self, AlreadyStarted> {
        let colours = std::io::stderr().is_terminal();
        let (subscriber, logging) = subscriber(level, format, colours, std::io::stderr);
        tracing::subscriber::set_global_default(subscriber).map_err(|_| AlreadyStarted)?;
        std::panic::set_hook(Box::new(panicked));
        Ok(logging)
    }

    /// Logs as much as that from now on.
    pub fn set_level(&self, level: LogLevel) {
        // It fails only if the subscriber is gone, and nothing is logged then.
        let _ = self.level.reload(targets(level));
    }
}

fn subscriber<W>(
    level: LogLevel,
    format: LogFormat,
    colours: bool,
    writer: W,
) -> (impl Subscriber + Send + Sync, Logging)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (filter, level) = reload::Layer::new(targets(level));
    let subscriber =
        tracing_subscriber::registry().with(filter).with(lines(format, colours, writer));
    (subscriber, Logging { level })
}

fn lines<S, W>(format: LogFormat, colours: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // A line that can't be written is lost: complaining of it on the same output, as the layer does
    // by itself, panics.
    let layer = fmt::layer().with_writer(writer).log_internal_errors(false);
    match format {
        LogFormat::Json => {
            layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
        LogFormat::Text => layer.with_ansi(colours).boxed(),
    }
}

fn targets(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // `LevelFilter` orders by how much passes.
    let others = level.min(LevelFilter::ERROR);
    Targets::new().with_default(others).with_targets(OWN.map(|name| (name, level)))
}

/// Logs a panic: its message and place, and no frame of the stack, whose values might be shown.
fn panicked(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("without a message");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or_default();
    tracing::error!(place, thread, "panic: {message}");
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().clone()).unwrap()
        }
    }

    fn log(format: LogFormat, lines: &Lines) -> (impl Subscriber + Send + Sync, Logging) {
        let lines = lines.clone();
        subscriber(LogLevel::Info, format, false, move || lines.clone())
    }

    #[test]
    fn a_json_line_has_fields_and_no_line_break() {
        let lines = Lines::default();
        let (subscriber, _logging) = log(LogFormat::Json, &lines);
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(request = "r-1", count = 3, "two\nlines \u{1b}[31m");
        });
        let line: serde_json::Value = serde_json::from_str(&lines.text()).unwrap();
        assert_eq!(lines.text().lines().count(), 1);
        assert_eq!((&line["level"], &line["request"]), (&"WARN".into(), &"r-1".into()));
        assert_eq!(
            (&line["count"], &line["message"]),
            (&3.into(), &"two\nlines \u{1b}[31m".into())
        );
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn a_text_line_says_the_same() {
        let lines = Lines::default();
        let (subscriber, _logging) = log(LogFormat::Text, &lines);
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(request = "r-1", "what happened");
        });
        assert!(
            lines.text().contains("WARN server::logging::tests: what happened request=\"r-1\"")
        );
    }

    #[test]
    fn the_level_changes_while_the_log_runs() {
        let lines = Lines::default();
        let (subscriber, logging) = log(LogFormat::Text, &lines);
        tracing::subscriber::with_default(subscriber, || {
            let all = || {
                tracing::debug!("quiet");
                tracing::info!("loud");
            };
            all();
            logging.set_level(LogLevel::Debug);
            all();
            logging.set_level(LogLevel::Error);
            all();
        });
        assert_eq!(lines.text().matches("quiet").count(), 1);
        assert_eq!(lines.text().matches("loud").count(), 2);
    }

    #[test]
    fn libraries_say_no_more_than_errors_whatever_the_level() {
        let lines = Lines::default();
        let (subscriber, logging) = log(LogFormat::Text, &lines);
        logging.set_level(LogLevel::Trace);
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!(target: "h2::codec", "authorization: secret");
            tracing::info!(target: "aws_smithy_runtime", "body: secret");
            tracing::warn!(target: "h2::codec", "broken frame: secret");
            tracing::error!(target: "rustls", "broken");
            tracing::trace!(target: "server::listen", "ours");
        });
        let text = lines.text();
        assert!(!text.contains("secret") && text.contains("broken") && text.contains("ours"));
    }

    #[test]
    fn a_panic_is_a_line_with_its_place_and_no_stack() {
        let lines = Lines::default();
        let (subscriber, _logging) = log(LogFormat::Json, &lines);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(panicked));
        tracing::subscriber::with_default(subscriber, || {
            std::panic::catch_unwind(|| panic!("at {}", "the disco")).unwrap_err();
        });
        std::panic::set_hook(before);
        let line: serde_json::Value = serde_json::from_str(&lines.text()).unwrap();
        assert_eq!(
            (&line["level"], &line["message"]),
            (&"ERROR".into(), &"panic: at the disco".into())
        );
        assert!(line["place"].as_str().unwrap().starts_with("crates/server/src/logging.rs:"));
        assert_eq!(lines.text().lines().count(), 1);
    }
}
