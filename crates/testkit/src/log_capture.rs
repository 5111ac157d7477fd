//! Every log line a test causes, to search it for secrets.

use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Records everything that `tracing` is told, from `TRACE` up, with all fields, and every span as
/// it opens and closes. Clones are the same record.
///
/// What runs on the test's own thread (`#[tokio::test]` without a flavor) is recorded while a
/// [guard](Self::start) lives:
///
/// ```
/// use gatekit_testkit::LogCapture;
///
/// let logs = LogCapture::new();
/// let _guard = logs.start();
/// tracing::debug!(user = 7, "logged in");
/// logs.assert_contains("user=7");
/// logs.assert_free_of(&["correct horse battery"]);
/// ```
///
/// With a multi-thread runtime, or work on the blocking pool, use [`LogCapture::of_the_process`].
#[derive(Clone, Debug, Default)]
pub struct LogCapture(Arc<Mutex<Vec<u8>>>);

impl LogCapture {
    /// An empty one. It records once it is [started](Self::start).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records this thread until the guard is dropped.
    #[must_use = "recording ends when the guard is dropped"]
    pub fn start(&self) -> DefaultGuard {
        dispatcher::set_default(&self.dispatch())
    }

    /// Records all threads from now until the process ends. Every call returns the same record, so
    /// tests that share a process look for secrets of their own.
    ///
    /// # Panics
    ///
    /// If somebody else has installed a global subscriber.
    #[must_use]
    pub fn of_the_process() -> Self {
        static GLOBAL: OnceLock<LogCapture> = OnceLock::new();
        let capture = GLOBAL.get_or_init(|| {
            let capture = Self::new();
            if dispatcher::set_global_default(capture.dispatch()).is_err() {
                panic!("another global tracing subscriber is installed already, so nothing can be recorded");
            }
            capture
        });
        capture.clone()
    }

    /// The subscriber, for what else can be given one: `future.with_subscriber(..)`, a runtime's
    /// `on_thread_start`.
    #[must_use]
    pub fn dispatch(&self) -> Dispatch {
        keep_another_alive();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_span_events(FmtSpan::FULL)
            .with_writer(self.clone())
            .finish();
        Dispatch::new(subscriber)
    }

    /// What was recorded so far.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Panics if one of the secrets is in the record, and shows the line.
    ///
    /// # Panics
    ///
    /// So it does. Also if nothing was recorded at all, or a secret is empty: then the test does
    /// not test anything.
    #[track_caller]
    pub fn assert_free_of<S: AsRef<str>>(&self, secrets: &[S]) {
        let text = self.text();
        assert!(!text.is_empty(), "nothing was logged at all; was the capture started on this thread?");
        for secret in secrets {
            let secret = secret.as_ref();
            assert!(!secret.is_empty(), "an empty secret is in every line");
            if let Some(line) = text.lines().find(|line| line.contains(secret)) {
                panic!("a log line holds a secret: {line}");
            }
        }
    }

    /// Panics unless some line contains `part`.
    ///
    /// # Panics
    ///
    /// So it does.
    #[track_caller]
    pub fn assert_contains(&self, part: &str) {
        let text = self.text();
        assert!(text.contains(part), "no log line contains {part:?}:\n{text}");
    }
}

/// While there is only one subscriber, `tracing` asks the thread that reaches a log line first
/// whether anybody wants it, and remembers the answer for all threads: a test without a capture
/// could silence the line for the test beside it that has one. With two it asks all of them.
fn keep_another_alive() {
    static OTHER: LazyLock<Dispatch> = LazyLock::new(|| {
        Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).with_max_level(LevelFilter::TRACE).finish())
    });
    LazyLock::force(&OTHER);
}

impl<'a> MakeWriter<'a> for LogCapture {
    type Writer = LogCapture;

    fn make_writer(&'a self) -> LogCapture {
        self.clone()
    }
}

impl Write for LogCapture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_events_and_spans_are_recorded_at_every_level() {
        let logs = LogCapture::new();
        let guard = logs.start();
        tracing::trace!(secret = "in-an-event", "hello");
        let span = tracing::trace_span!("work", secret = "in-a-span", later = tracing::field::Empty);
        span.record("later", "recorded-later");
        drop(span);
        drop(guard);
        tracing::error!("after the end");
        for part in ["in-an-event", "hello", "in-a-span", "recorded-later"] {
            logs.assert_contains(part);
        }
        assert!(!logs.text().contains("after the end"));
    }

    #[test]
    #[should_panic(expected = "a log line holds a secret")]
    fn a_secret_in_a_line_is_found() {
        let logs = LogCapture::new();
        let _guard = logs.start();
        tracing::info!(password = "hunter22");
        logs.assert_free_of(&["hunter22"]);
    }

    #[test]
    #[should_panic(expected = "nothing was logged at all")]
    fn a_record_that_is_empty_proves_nothing() {
        LogCapture::new().assert_free_of(&["hunter22"]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn all_threads_are_recorded() {
        let logs = LogCapture::of_the_process();
        tokio::spawn(async { tracing::trace!("from a worker") }).await.unwrap();
        tokio::task::spawn_blocking(|| tracing::trace!("from the blocking pool")).await.unwrap();
        LogCapture::of_the_process().assert_contains("from a worker");
        logs.assert_contains("from the blocking pool");
    }
}
