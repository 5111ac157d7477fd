//! Why a mail did not get out, and whether trying again could help and cannot hurt.

use std::error::Error as _;
use std::{fmt, io};

use lettre::transport::smtp::Error;

/// What went wrong, and when.
#[derive(Debug)]
pub(super) struct Failure {
    stage: Stage,
    cause: Cause,
}

/// How far it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing of the mail was sent.
    Connecting,
    /// The mail may have been taken, unless the server said no.
    Sending,
}

#[derive(Debug)]
enum Cause {
    Smtp(Error),
    Timeout,
}

impl Failure {
    pub(super) fn smtp(stage: Stage, error: Error) -> Self {
        Self { stage, cause: Cause::Smtp(error) }
    }

    pub(super) fn timeout(stage: Stage) -> Self {
        Self { stage, cause: Cause::Timeout }
    }

    pub(super) fn is_worth_another_try(&self) -> bool {
        match (&self.cause, self.stage) {
            (Cause::Timeout, stage) => stage == Stage::Connecting,
            (Cause::Smtp(error), Stage::Sending) => error.is_transient(),
            (Cause::Smtp(error), Stage::Connecting) => {
                !(error.is_permanent() || error.is_client() || error.is_tls() || is_certificate(error))
            }
        }
    }
}

/// rustls reports what is wrong with a certificate as an input/output error with invalid data.
fn is_certificate(error: &Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::InvalidData) {
            return true;
        }
        source = cause.source();
    }
    false
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.stage {
            Stage::Connecting => "the mail server could not be reached",
            Stage::Sending => "the mail server did not take the mail",
        };
        match &self.cause {
            Cause::Timeout => write!(f, "{what}: no answer in time"),
            Cause::Smtp(error) => write!(f, "{what}: {}", fit_for_a_log(&error.to_string())),
        }
    }
}

impl std::error::Error for Failure {}

/// What the server said, on one line of bounded length, without anything that could be a secret it
/// repeats: ours are 64 letters and digits.
fn fit_for_a_log(text: &str) -> String {
    const LONGEST_WORD: usize = 31;
    const LONGEST_TEXT: usize = 300;
    let mut fit = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        if end == 0 {
            fit.push(if first.is_control() { ' ' } else { first });
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        } else {
            let (word, after) = rest.split_at(end);
            fit.push_str(if word.len() > LONGEST_WORD { "[redacted]" } else { word });
            rest = after;
        }
        if fit.len() > LONGEST_TEXT {
            fit.push('…');
            break;
        }
    }
    fit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_one_short_line_without_secrets() {
        let secret = "GOkZRwgZ61q0XXVxvxlB8TS1D6lrG7Vb9V8YwRDfy3YGAN7TM7EnxWHqdbIZfheZ";
        assert_eq!(
            fit_for_a_log(&format!("554 listed: https://x.example/#access_token={secret}\r\nsee\tü")),
            "554 listed: https://x.example/#access_token=[redacted]  see ü"
        );
        assert!(fit_for_a_log(&"no ".repeat(1000)).len() < 400);
    }
}
