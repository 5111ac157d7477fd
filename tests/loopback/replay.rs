//! Every exchange with a LoopBack server that was recorded, run against Gatekit.
//!
//! 1. `transcripts/` has the recordings, as they were made.
//! 2. [`scenes`] and [`steps`] put the database into the state that each exchange began with.
//! 3. The answers are compared: status, headers that matter, body ([`compare`]).
//! 4. `deviations.toml` lists each exchange that differs on purpose, with its reason and what is
//!    answered instead. One that is listed and does not differ, or not so, fails as one does that
//!    differs and is not listed.

mod app;
mod compare;
mod customer;
mod deviations;
mod names;
mod scenes;
mod stage;
mod steps;
mod transcript;

use std::collections::BTreeMap;
use std::fmt::Write;

use gatekit_tests::{Answer, Store, on_every_store};

use deviations::Deviations;
use stage::Stage;
use transcript::{Body, Exchange, Recorded, Request, Step, Transcript};

/// The recordings.
const TRANSCRIPTS: [(&str, &str); 8] = [
    ("01-login", include_str!("transcripts/01-login.txt")),
    ("02-token", include_str!("transcripts/02-token.txt")),
    ("03-crud", include_str!("transcripts/03-crud.txt")),
    ("04-password", include_str!("transcripts/04-password.txt")),
    ("05-verify-realm", include_str!("transcripts/05-verify-realm.txt")),
    ("06-acl", include_str!("transcripts/06-acl.txt")),
    ("07-misc", include_str!("transcripts/07-misc.txt")),
    ("08-order", include_str!("transcripts/08-order.txt")),
];

/// Of the exchanges that were run, how many must be equal, in percent. Left out of the reckoning is
/// where LoopBack crashes, answers 5xx or lets somebody do what nobody should (the contract's §11):
/// there to be equal would be wrong.
const LEAST_EQUAL: f64 = 95.0;

/// The reasons that are no such defect: what Gatekit does otherwise because it likes it better.
const CHOICES: [&str; 10] = [
    "an-empty-name-is-none",
    "bearer-as-in-rfc-6750",
    "messages-are-english",
    "no-token-in-a-body",
    "no-xml-of-users",
    "open-pages-ask-nobody",
    "own-error-page",
    "stored-addresses-are-not-judged-again",
    "tokens-of-a-missing-user-are-dead",
    "what-is-removed-is-absent",
];

on_every_store! {
    async fn every_recorded_exchange_is_answered_as_loopback_did_or_otherwise_on_purpose(store) {
        let deviations = Deviations::parse(include_str!("deviations.toml")).unwrap();
        let mut counts = Counts::default();
        let mut failures = Vec::new();
        let mut report = String::new();
        for (file, text) in TRANSCRIPTS {
            let transcript = Transcript::parse(file, text).unwrap();
            let of_file = replay(store, &transcript, &deviations, &mut failures).await;
            let _ = writeln!(report, "{file}: {}", of_file.line());
            counts.add(of_file);
        }
        report.push_str(&counts.report());
        // Straight to the terminal: the counts are to be seen when the test passes, too.
        let told = format!("replay on {store:?}\n{report}\n");
        let _ = std::io::Write::write_all(&mut std::io::stderr().lock(), told.as_bytes());
        for entry in &deviations.entries {
            if !counts.deviating_at.contains(&(entry.file.clone(), entry.number)) {
                failures.push(format!("{} [{}]: no longer deviates, or is not run", entry.file, entry.number));
            }
        }
        assert!(failures.is_empty(), "{} failures:\n\n{}", failures.len(), failures.join("\n\n"));
        let equal = counts.percent_equal_of_sound();
        assert!(equal >= LEAST_EQUAL, "only {equal:.1} % are equal");
    }
}

/// What became of the exchanges.
#[derive(Debug, Default)]
struct Counts {
    equal: u32,
    /// By reason.
    deviating: BTreeMap<String, u32>,
    deviating_at: Vec<(String, u32)>,
    /// By reason.
    skipped: BTreeMap<&'static str, u32>,
    failed: u32,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.equal += other.equal;
        self.failed += other.failed;
        self.deviating_at.extend(other.deviating_at);
        for (reason, count) in other.deviating {
            *self.deviating.entry(reason).or_default() += count;
        }
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
    }

    fn line(&self) -> String {
        let (deviating, skipped): (u32, u32) = (self.deviating.values().sum(), self.skipped.values().sum());
        let all = self.equal + deviating + skipped + self.failed;
        let failed = if self.failed > 0 { format!(", {} FAILED", self.failed) } else { String::new() };
        format!("{all} exchanges: {} equal, {deviating} deviating, {skipped} skipped{failed}", self.equal)
    }

    fn report(&self) -> String {
        let mut text = format!(
            "all: {} ({:.1} % of those run are equal, {:.1} % where LoopBack has no defect that is refused)",
            self.line(),
            self.percent_equal(),
            self.percent_equal_of_sound()
        );
        for (reason, count) in &self.deviating {
            let _ = write!(text, "\n  {count:3} deviate: {reason}");
        }
        for (reason, count) in &self.skipped {
            let _ = write!(text, "\n  {count:3} skipped: {reason}");
        }
        text
    }

    /// Of all that were run.
    fn percent_equal(&self) -> f64 {
        self.percent_of(self.deviating.values().sum())
    }

    /// Of those in which LoopBack does nothing that is refused on purpose.
    fn percent_equal_of_sound(&self) -> f64 {
        self.percent_of(
            self.deviating.iter().filter(|(reason, _)| CHOICES.contains(&reason.as_str())).map(|(_, n)| n).sum(),
        )
    }

    fn percent_of(&self, deviating: u32) -> f64 {
        f64::from(self.equal) * 100.0 / f64::from((self.equal + deviating + self.failed).max(1))
    }
}

async fn replay(store: Store, transcript: &Transcript, deviations: &Deviations, failures: &mut Vec<String>) -> Counts {
    let file = transcript.file;
    let (mut stage, mut counts) = (Stage::new(store), Counts::default());
    if !matches!(transcript.steps.first(), Some(Step::Section(_))) {
        scenes::enter(&mut stage, file, "").await;
    }
    let mut last = 0;
    for step in &transcript.steps {
        match step {
            Step::Section(section) => scenes::enter(&mut stage, file, section).await,
            Step::Restart => scenes::restart(&mut stage, file).await,
            Step::Note(note) => {
                if let Err(error) = steps::note(&mut stage, note).await {
                    failures.push(format!("{file}, after [{last}]: {error}"));
                }
            }
            Step::Exchange(exchange) => {
                last = exchange.number;
                run(&mut stage, file, exchange, deviations, &mut counts, failures).await;
            }
        }
    }
    counts
}

async fn run(
    stage: &mut Stage,
    file: &str,
    exchange: &Exchange,
    deviations: &Deviations,
    counts: &mut Counts,
    failures: &mut Vec<String>,
) {
    let number = exchange.number;
    let Some(request) = &exchange.request else {
        *counts.skipped.entry("lost by the recorder").or_default() += 1;
        return;
    };
    if let Some(reason) = not_run(request) {
        *counts.skipped.entry(reason).or_default() += 1;
        if let Err(error) = steps::of_the_recorder(stage, file, exchange, request).await {
            failures.push(format!("{file} [{number}] {}: {error}", exchange.title));
        }
        return;
    }
    steps::before(stage, file, exchange, request).await;
    let answer = stage.send(request).await;
    let difference = stage.difference(exchange.answer.as_ref(), &answer);
    let failure = match (difference, deviations.find(file, number)) {
        (None, None) => {
            counts.equal += 1;
            None
        }
        (None, Some(_)) => Some("no longer deviates".to_owned()),
        (Some(difference), None) => Some(difference),
        (Some(_), Some(deviation)) => {
            counts.deviating_at.push((file.to_owned(), number));
            let failure = deviation.difference(&answer, &stage.names);
            if failure.is_none() {
                *counts.deviating.entry(deviation.reason.clone()).or_default() += 1;
            }
            failure
        }
    };
    if let Some(failure) = failure {
        counts.failed += 1;
        failures.push(format!(
            "{file} [{number}] {}: {failure}\n{}",
            exchange.title,
            shown(request, exchange, &answer)
        ));
    }
    steps::after(stage, file, number, &answer).await;
}

fn shown(request: &Request, exchange: &Exchange, answer: &Answer) -> String {
    let Request { method, path, headers, body } = request;
    let headers: String = headers.iter().map(|(name, value)| format!("\n  > {name}: {value:.100}")).collect();
    let recorded = match &exchange.answer {
        Some(Recorded { status, headers, body: Body::Whole(body) | Body::BeginsWith(body) }) => {
            let kept: Vec<_> = headers.iter().filter(|(name, _)| compare::HEADERS.contains(&name.as_str())).collect();
            format!("{status} {kept:?} {body}")
        }
        None => "the process died".into(),
    };
    let kept: Vec<_> = compare::HEADERS
        .iter()
        .map(|name| (name, answer.header(name)))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    format!(
        "  > {method} {path}{headers}\n  > {:.300}\n  recorded {recorded}\n  answered {} {kept:?} {}",
        body.as_deref().unwrap_or_default(),
        answer.status.as_u16(),
        answer.body,
    )
}

/// Why an exchange is not run: it does not concern Gatekit.
fn not_run(request: &Request) -> Option<&'static str> {
    if request.path.starts_with(steps::OF_THE_RECORDER) {
        Some("the recorder's own, done and looked at otherwise")
    } else if request.path == "/" {
        Some("a route of the project")
    } else if request.method == "OPTIONS" {
        Some("answered by the project's middleware for CORS")
    } else {
        None
    }
}
