//! Which call to a store goes wrong, and how.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatekit_core::StoreError;

use crate::hold::{Gathering, Held};

/// How long [`Fault::Hang`] hangs.
const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// How a call to a store goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, and an error is reported.
    Fail,
    /// Nothing is done, and no answer comes for a day (of `tokio::time`). Then the call fails, so
    /// that a test of a flow without a time limit fails too and does not hang.
    Hang,
    /// It is done, but the answer comes only after this time (of `tokio::time`, so that paused time
    /// runs ahead).
    Late(Duration),
    /// It is done, but an error is reported: a commit whose acknowledgement was lost.
    FailAfter,
    /// It is done and answered, and others run before and after: a caller that is dropped at an
    /// await point can be dropped at this one, also over a store that answers at once.
    Yield,
}

/// The plan of what goes wrong in a [`FaultyStore`](crate::FaultyStore), and the list of calls made
/// to it. Clones are the same plan.
///
/// Calls go by the names of the methods of the store traits: `"find_user"`, `"insert_token"`, and
/// so on. The newest rule that applies to a call decides.
///
/// ```
/// use gatekit_core::{Auth, MemoryStore, Register, RegisterError};
/// use gatekit_testkit::{Fault, Faults, FaultyStore};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = FaultyStore::new(MemoryStore::new());
/// let faults = store.faults();
/// let auth = Auth::new(store);
///
/// faults.every_call_of("create_user", Fault::Fail);
/// let answer = auth.register(Register::email("ada@example.com", "correct horse battery")).await;
/// assert!(matches!(answer, Err(RegisterError::Unavailable(_))));
/// // The third call finds out whether the user was stored all the same.
/// assert_eq!(faults.calls(), ["find_user_by", "create_user", "find_user_by"]);
///
/// faults.reset();
/// auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    calls: Vec<&'static str>,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    /// `None` for any.
    method: Option<&'static str>,
    /// How many calls that it applies to are still let through; `None` for a rule that holds
    /// always.
    nth: Option<usize>,
    effect: Effect,
}

/// What a rule does to a call.
#[derive(Clone, Debug)]
enum Effect {
    GoesWrong(Fault),
    IsHeld(Held),
    Gathers(Gathering),
}

impl Faults {
    /// Nothing goes wrong.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every call goes wrong.
    pub fn every(&self, fault: Fault) {
        self.add(None, None, fault);
    }

    /// Every call of one method goes wrong.
    pub fn every_call_of(&self, method: &'static str, fault: Fault) {
        self.add(Some(method), None, fault);
    }

    /// The `n`-th call from now on goes wrong, whatever it is; 1 is the next.
    pub fn nth(&self, n: usize, fault: Fault) {
        self.add(None, Some(n), fault);
    }

    /// The `n`-th call of one method from now on goes wrong; 1 is the next.
    pub fn nth_call_of(&self, method: &'static str, n: usize, fault: Fault) {
        self.add(Some(method), Some(n), fault);
    }

    /// The `n`-th call of one method from now on is made, and its answer is held back until the
    /// test releases it; 1 is the next.
    ///
    /// This forces the order of a race: another request runs to its end between two steps of the
    /// one that is held. A hold that a test forgets ends by itself after [`Held::LIMIT`], as a
    /// failed call.
    ///
    /// ```
    /// use gatekit_core::{Auth, LogoutError, MemoryStore, Register};
    /// use gatekit_testkit::{FaultyStore, login_as};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = FaultyStore::new(MemoryStore::new());
    /// let faults = store.faults();
    /// let auth = Auth::new(store);
    /// let ada = auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    /// let token = login_as(&auth, &ada).await.record.digest;
    ///
    /// let held = faults.hold_nth_call_of("find_token", 1);
    /// let first = tokio::spawn({ let auth = auth.clone(); async move { auth.logout(&token).await } });
    /// held.reached().await;
    /// auth.logout(&token).await?;
    /// held.release();
    /// assert!(matches!(first.await?, Err(LogoutError::TokenNotFound)));
    /// # Ok(()) }
    /// ```
    pub fn hold_nth_call_of(&self, method: &'static str, n: usize) -> Held {
        let held = Held::new();
        self.plan().rules.push(Rule { method: Some(method), nth: Some(n), effect: Effect::IsHeld(held.clone()) });
        held
    }

    /// The next `n` calls of one method are made, and their answers are held back until all of them
    /// were made. So each of `n` parallel requests has read the same state before any of them goes
    /// on, whatever the scheduler does. If fewer come within [`Held::LIMIT`], those that wait fail.
    pub fn gather(&self, method: &'static str, n: usize) {
        self.plan().rules.push(Rule { method: Some(method), nth: None, effect: Effect::Gathers(Gathering::of(n)) });
    }

    /// The calls since the last reset, in order, also those that went wrong.
    #[must_use]
    pub fn calls(&self) -> Vec<&'static str> {
        self.plan().calls.clone()
    }

    /// Forgets all calls and rules. Calls that hang go on hanging.
    pub fn reset(&self) {
        *self.plan() = Plan::default();
    }

    /// Makes a call, with what the plan has for it. For wrappers of other things than stores.
    ///
    /// # Errors
    ///
    /// What the call fails with, or [`StoreError::Failed`] where the plan says so.
    pub async fn call<T, E: From<StoreError>>(
        &self,
        method: &'static str,
        call: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        let Some(effect) = self.next(method) else { return call.await };
        match effect {
            Effect::GoesWrong(Fault::Fail) => Err(StoreError::failed("a fault that the test asked for").into()),
            Effect::GoesWrong(Fault::Hang) => {
                tokio::time::sleep(A_DAY).await;
                Err(StoreError::failed("a call hung for a day, and nobody gave it up").into())
            }
            Effect::GoesWrong(Fault::Late(after)) => {
                let done = call.await;
                tokio::time::sleep(after).await;
                done
            }
            Effect::GoesWrong(Fault::FailAfter) => {
                call.await?;
                Err(StoreError::failed("a fault that the test asked for, after the work was done").into())
            }
            Effect::GoesWrong(Fault::Yield) => {
                tokio::task::yield_now().await;
                let done = call.await;
                tokio::task::yield_now().await;
                done
            }
            Effect::IsHeld(held) => {
                let done = call.await;
                held.hold().await?;
                done
            }
            Effect::Gathers(gathering) => {
                let done = call.await;
                gathering.arrive().await?;
                done
            }
        }
    }

    fn add(&self, method: Option<&'static str>, nth: Option<usize>, fault: Fault) {
        self.plan().rules.push(Rule { method, nth, effect: Effect::GoesWrong(fault) });
    }

    /// Notes a call and finds what happens to it. Every rule counts every call it applies to, so
    /// that rules do not depend on each other.
    fn next(&self, method: &'static str) -> Option<Effect> {
        let mut plan = self.plan();
        plan.calls.push(method);
        let mut decided = None;
        for rule in plan.rules.iter_mut().filter(|rule| rule.method.is_none_or(|named| named == method)) {
            match &mut rule.nth {
                None => decided = Some(rule.effect.clone()),
                Some(0) => {}
                Some(left) => {
                    *left -= 1;
                    if *left == 0 {
                        decided = Some(rule.effect.clone());
                    }
                }
            }
        }
        decided
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn call(faults: &Faults, method: &'static str) -> Result<u8, StoreError> {
        faults.call(method, async { Ok(1) }).await
    }

    #[tokio::test]
    async fn the_nth_call_is_counted_from_now_and_among_the_calls_it_names() {
        let faults = Faults::new();
        call(&faults, "a").await.unwrap();
        faults.nth(2, Fault::Fail);
        faults.nth_call_of("b", 2, Fault::FailAfter);
        let mut went_wrong = Vec::new();
        for method in ["b", "a", "b", "b", "a"] {
            went_wrong.push(call(&faults, method).await.is_err());
        }
        assert_eq!(went_wrong, [false, true, true, false, false]);
        assert_eq!(faults.calls(), ["a", "b", "a", "b", "b", "a"]);
        faults.reset();
        assert!(faults.calls().is_empty());
    }

    #[tokio::test]
    async fn the_newest_rule_decides_and_reset_ends_all() {
        let faults = Faults::new();
        faults.every(Fault::Hang);
        faults.every_call_of("a", Fault::Fail);
        assert!(call(&faults, "a").await.is_err());
        faults.reset();
        assert!(call(&faults, "a").await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn late_is_done_at_once_and_answered_later_and_hang_is_neither() {
        let faults = Faults::new();
        let done = std::sync::atomic::AtomicBool::new(false);
        let work = || async {
            done.store(true, std::sync::atomic::Ordering::SeqCst);
            Ok::<_, StoreError>(())
        };
        faults.every(Fault::Hang);
        let hour = Duration::from_secs(3600);
        assert!(tokio::time::timeout(hour, faults.call("a", work())).await.is_err());
        assert!(!done.load(std::sync::atomic::Ordering::SeqCst));

        faults.every(Fault::Late(Duration::from_secs(10)));
        assert!(tokio::time::timeout(Duration::from_secs(9), faults.call("a", work())).await.is_err());
        assert!(done.load(std::sync::atomic::Ordering::SeqCst));
        assert!(tokio::time::timeout(Duration::from_secs(11), faults.call("a", work())).await.unwrap().is_ok());
    }
}
