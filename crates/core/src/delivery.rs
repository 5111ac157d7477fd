//! How often a mail is offered to the mailer, and for how long.
//!
//! 1. A mailer that fails for good ("no such mailbox", a wrong password) is asked once.
//! 2. A mailer that fails for now ([`MailError::temporary`]: greylisting, a throttled relay, no
//!    connection) is asked again until `policy.mail.timeout`.
//! 3. The first pause is `policy.mail.backoff`. Each pause is twice the last one, up to a quarter
//!    of `policy.mail.timeout` and a minute at most.
//! 4. A pause varies by a quarter, at random, so that mails that failed together do not come back
//!    together.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::{Mail, MailError, Mailer, Policy, Random};

const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Offers a mail until it is taken, refused for good, or out of time.
pub(crate) async fn deliver(
    mailer: &Arc<dyn Mailer>,
    mail: Mail,
    policy: &Policy,
    random: &dyn Random,
) -> Result<(), MailError> {
    let deadline = Instant::now() + policy.mail.timeout;
    let longest = LONGEST_PAUSE.min(policy.mail.timeout / 4);
    let mut pause = policy.mail.backoff;
    loop {
        let error = match timeout_at(deadline, mailer.send(mail.clone())).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => return Err(MailError::new("the mailer did not finish in time")),
        };
        let wait = varied(pause.min(longest), random);
        if !error.is_temporary() || Instant::now() + wait >= deadline {
            return Err(error);
        }
        tracing::debug!(kind = ?mail.kind, %error, "mail not sent yet; it is tried again");
        sleep(wait).await;
        pause = pause.saturating_mul(2);
    }
}

/// From three quarters of the pause to five.
fn varied(pause: Duration, random: &dyn Random) -> Duration {
    let mut byte = [128];
    // Without randomness the pause is what it is.
    let _ = random.fill(&mut byte);
    pause * 3 / 4 + pause * u32::from(byte[0]) / 512
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::{MailKind, Unavailable};

    /// When it was asked, and how often it says "not now" before it takes a mail.
    struct Busy {
        asked: Mutex<Vec<Instant>>,
        refusals: usize,
        temporary: bool,
    }

    #[async_trait]
    impl Mailer for Arc<Busy> {
        async fn send(&self, _: Mail) -> Result<(), MailError> {
            let mut asked = self.asked.lock().unwrap();
            asked.push(Instant::now());
            match (asked.len() > self.refusals, self.temporary) {
                (true, _) => Ok(()),
                (false, true) => Err(MailError::temporary("451 not now")),
                (false, false) => Err(MailError::new("550 no")),
            }
        }
    }

    struct Always(u8);

    impl Random for Always {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    /// The outcome, and the seconds at which the mailer was asked.
    async fn deliver_to(refusals: usize, temporary: bool, byte: u8) -> (Result<(), MailError>, Vec<f32>) {
        let busy = Arc::new(Busy { asked: Mutex::default(), refusals, temporary });
        let (begun, mailer): (_, Arc<dyn Mailer>) = (Instant::now(), Arc::new(Arc::clone(&busy)));
        let mail = Mail::new(MailKind::ResetPassword, "ada@example.com", "Hello", "text");
        let outcome = deliver(&mailer, mail, &Policy::default(), &Always(byte)).await;
        let asked = busy.asked.lock().unwrap();
        (outcome, asked.iter().map(|at| at.duration_since(begun).as_secs_f32()).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn not_now_is_tried_again_with_growing_pauses_until_the_mail_is_taken() {
        let (outcome, asked) = deliver_to(4, true, 128).await;
        assert!(outcome.is_ok());
        assert_eq!(asked.iter().map(|at| at.round() as u32).collect::<Vec<_>>(), [0, 1, 3, 7, 15]);
    }

    /// 451 for the whole time: the last try is near its end, and nothing is tried later.
    #[tokio::test(start_paused = true)]
    async fn not_now_to_the_end_is_an_error_within_the_time_of_a_mail() {
        for byte in [0, 128, 255] {
            let (outcome, asked) = deliver_to(usize::MAX, true, byte).await;
            assert!(outcome.unwrap_err().to_string().contains("451"));
            let last = *asked.last().unwrap();
            assert!((35.0..60.0).contains(&last) && asked.len() < 10, "{asked:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_no_for_good_is_not_tried_again() {
        let (outcome, asked) = deliver_to(usize::MAX, false, 0).await;
        assert!(outcome.is_err());
        assert_eq!(asked.len(), 1);
    }

    #[test]
    fn a_pause_varies_by_a_quarter() {
        let second = Duration::from_secs(1);
        assert_eq!(varied(second, &Always(0)), Duration::from_millis(750));
        assert_eq!(varied(second, &Always(128)), second);
        assert!(varied(second, &Always(255)) < Duration::from_millis(1250));
    }
}
