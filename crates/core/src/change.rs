//! The way of a change: the commit, and what follows it, run on a task of their own.
//!
//! A web server drops the future of a handler when its client hangs up. What a flow does after its
//! commit (it ends dead tokens, tells the user, raises the event) must not depend on that, so a
//! flow hands the commit and what follows to [`Auth::change`].
//!
//! 1. The change runs on a task. Dropping the request does not stop it, and [`Auth::settled`] waits
//!    for it.
//! 2. The call that commits goes through [`Change::commit`]. A call that takes longer than
//!    [`policy.store.timeout`](crate::StorePolicy::timeout) is not given up: the request is
//!    answered 503, and the task goes on waiting, for
//!    [`policy.store.change_timeout`](crate::StorePolicy::change_timeout) at most.
//! 3. A call that fails may have committed all the same: its acknowledgement was lost.
//!    [`Change::commit_or_find`] asks the store. If the change was made, it counts as made. If the
//!    store does not answer this either, the request is answered 503, the task asks again, and what
//!    follows a change still follows this one.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::bounded::{bounded, with_deadline, within};
use crate::{Account, Auth, Policy, StoreError, Unavailable};

/// A change that is being made: see [`Auth::change`].
#[derive(Debug)]
pub struct Change {
    /// Tells the request that it need not wait any longer. `None` once it was told.
    late: Option<oneshot::Sender<StoreError>>,
    store_timeout: Duration,
    change_timeout: Duration,
}

impl Change {
    fn new(policy: &Policy, late: oneshot::Sender<StoreError>) -> Self {
        Self { late: Some(late), store_timeout: policy.store.timeout, change_timeout: policy.store.change_timeout }
    }

    /// Whether the request was answered 503 already: the commit took longer than
    /// [`policy.store.timeout`](crate::StorePolicy::timeout), or its outcome had to be found out.
    /// What is good for the client alone, such as a token that it now never gets, is taken back.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.late.is_none()
    }

    /// Awaits the call to a store that commits the change. The call is not given up when it is
    /// late: see the rules of [`Auth::change`].
    ///
    /// # Errors
    ///
    /// What the call fails with, or [`StoreError::Timeout`] if it does not end within
    /// [`policy.store.change_timeout`](crate::StorePolicy::change_timeout). Whether the change was
    /// made is not known then.
    pub async fn commit<T, E: From<StoreError>>(&mut self, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let begun = Instant::now();
        let call = pin!(call);
        let mut call = pin!(with_deadline(self.store_timeout, call));
        if let Some(done) = within(self.store_timeout, call.as_mut()).await {
            return done;
        }
        self.answer_late(StoreError::Timeout);
        let left = self.change_timeout.saturating_sub(self.store_timeout);
        if let Ok(done) = tokio::time::timeout(left, call).await {
            if done.is_ok() {
                tracing::warn!(
                    seconds = begun.elapsed().as_secs(),
                    "a change was made after its request was answered 503"
                );
            }
            return done;
        }
        Err(StoreError::Timeout.into())
    }

    /// As [`commit`](Self::commit), for a call whose effect can be looked up. If the call fails,
    /// `find` is asked whether the change was made all the same: `Some` is its outcome, `None` says
    /// that nothing was changed. If `find` fails too, the request is answered with the error of the
    /// call, and `find` is tried again, with growing pauses, for
    /// [`policy.store.change_timeout`](crate::StorePolicy::change_timeout).
    ///
    /// # Errors
    ///
    /// What the call fails with, if the change was not made or nobody can tell.
    pub async fn commit_or_find<T, F: Future<Output = Result<Option<T>, StoreError>>>(
        &mut self,
        call: impl Future<Output = Result<T, StoreError>>,
        find: impl Fn() -> F,
    ) -> Result<T, StoreError> {
        let failed = match self.commit(call).await {
            Ok(done) => return Ok(done),
            // This is an answer: the store cannot do it.
            Err(error @ StoreError::Unsupported(_)) => return Err(error),
            Err(error) => error,
        };
        let mut pause = FIRST_PAUSE;
        let mut waited = Duration::ZERO;
        loop {
            match bounded(self.store_timeout, find()).await {
                Ok(Some(done)) => {
                    tracing::warn!(error = %failed, "a store failed to say so, but a change was made");
                    return Ok(done);
                }
                Ok(None) => return Err(failed),
                Err(error) if waited >= self.change_timeout => {
                    tracing::error!(%error, "whether a change was made is not known, so nobody was told of it");
                    return Err(failed);
                }
                Err(_) => self.answer_late(failed.clone()),
            }
            tokio::time::sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Has the request answered now. The task goes on.
    fn answer_late(&mut self, error: StoreError) {
        if let Some(late) = self.late.take() {
            // Nobody listens any more if the client has hung up.
            let _ = late.send(error);
        }
    }
}

/// How long to wait before a store that failed is asked again whether it has made a change, and how
/// long at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl<U: Account> Auth<U> {
    /// Runs a change to its end: the call that commits it, and what follows. For the flows, and for
    /// crates and apps that keep something of their own beside the accounts.
    ///
    /// 1. The change runs on a task of its own. A client that hangs up does not stop it, and
    ///    [`settled`](Self::settled) waits for it.
    /// 2. A commit that takes longer than [`policy.store.timeout`](crate::StorePolicy::timeout) is
    ///    not given up. This returns [`StoreError::Timeout`] (HTTP status 503), and the task goes
    ///    on: if the store carries the change out after all, what follows follows.
    /// 3. Calls after the commit go through [`bounded`](Self::bounded). Their failure is no failure
    ///    of the change: it is logged.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, MemoryStore, StoreError, Unavailable};
    ///
    /// # async fn store_it() -> Result<u32, StoreError> { Ok(1) }
    /// # async fn tell_the_user(_: u32) {}
    /// let auth = Auth::new(MemoryStore::new());
    /// auth.change(|mut change| async move {
    ///     let stored = change.commit(store_it()).await?;
    ///     tell_the_user(stored).await;
    ///     Ok::<_, Unavailable>(())
    /// })
    /// .await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// What the change fails with; [`StoreError::Timeout`] if its commit is late;
    /// [`Unavailable::Interrupted`] if it panics or the runtime stops.
    pub async fn change<T, E, F>(&self, run: impl FnOnce(Change) -> F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Unavailable> + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let (late, mut is_late) = oneshot::channel();
        let change = run(Change::new(&self.0.policy, late));
        let mut task = self.0.under_way.spawn(change);
        let mut is_told = false;
        poll_fn(|cx| {
            if let Poll::Ready(done) = pin!(&mut task).poll(cx) {
                return Poll::Ready(done.unwrap_or_else(|error| {
                    tracing::error!(%error, "the task of a change did not end as it should");
                    Err(Unavailable::Interrupted.into())
                }));
            }
            if !is_told && let Poll::Ready(late) = pin!(&mut is_late).poll(cx) {
                is_told = true;
                if let Ok(error) = late {
                    return Poll::Ready(Err(Unavailable::Store(error).into()));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Waits until everything that was begun is done: changes, mails and what hooks do with events.
    /// Each has its limit ([`policy.store.change_timeout`](crate::StorePolicy::change_timeout),
    /// [`policy.mail.timeout`](crate::MailPolicy::timeout),
    /// [`policy.limits.hook_timeout`](crate::LimitPolicy::hook_timeout)), so this ends. They run on
    /// tasks of their own, so an app awaits this after its last request: else what those do is
    /// lost.
    ///
    /// ```
    /// # async fn run(auth: gatekit_core::Auth) {
    /// // axum::serve(listener, app).with_graceful_shutdown(shutdown()).await?;
    /// auth.settled().await;
    /// # }
    /// ```
    pub async fn settled(&self) {
        self.0.under_way.none().await;
    }
}
