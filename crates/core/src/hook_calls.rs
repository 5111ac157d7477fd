//! How an app's hooks are called, so that none of them takes a request, or the connection of its
//! client, down with it.
//!
//! 1. A hook that is asked (`before_register`, `before_verify`, `before_login`) has
//!    [`policy.limits.hook_timeout`](crate::LimitPolicy::hook_timeout). One that takes longer or
//!    panics has not agreed: the request fails.
//! 2. A hook that is told of an event (`on_event`) delays nobody. It is begun at once; what it does
//!    not finish at once goes on on a task, for the same time. A panic is a log line.
//! 3. At most [`policy.limits.max_pending_events`](crate::LimitPolicy::max_pending_events) of those
//!    tasks exist. Beyond that an event is dropped for the hook that is behind, and counted by
//!    [`Auth::dropped_events`].

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use crate::bounded::within;
use crate::{Account, Auth, Event, EventContext, HookError, HookVeto, PasswordAttempt, TokenClient, Unavailable};

type HookFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<U: Account> Auth<U> {
    /// Asks a hook, which has not agreed unless it says so in time.
    pub(crate) async fn ask_hook<E>(&self, hook: HookFuture<'_, Result<(), HookVeto>>) -> Result<(), E>
    where
        E: From<HookVeto> + From<Unavailable>,
    {
        let answer = within(self.0.policy.limits.hook_timeout, pin!(unwound(hook))).await;
        match answer.unwrap_or(Err(HookError::TimedOut)) {
            Ok(answer) => answer.map_err(E::from),
            Err(error) => Err(Unavailable::Hook(error).into()),
        }
    }

    /// Asks all hooks whether a password may be tried.
    pub(crate) async fn ask_before_verify<E>(&self, attempt: &PasswordAttempt) -> Result<(), E>
    where
        E: From<HookVeto> + From<Unavailable>,
    {
        for hooks in &self.0.hooks {
            self.ask_hook::<E>(hooks.before_verify(attempt)).await?;
        }
        Ok(())
    }

    /// Writes an event's log line and tells all hooks of it. Nobody waits for what they do with it.
    #[expect(clippy::unused_async, reason = "flows await it like any other step")]
    pub(crate) async fn emit(&self, event: Event<U>) {
        self.raise(event);
    }

    /// [`emit`](Self::emit), where nothing can be awaited.
    pub(crate) fn raise(&self, event: Event<U>) {
        let client = self.1.as_deref();
        let client = client.and_then(|client| TokenClient::new(client.user_agent.as_deref(), client.ip));
        let context = EventContext { at: self.now(), client: client.unwrap_or_default() };
        event.log(&context);
        let told = Arc::new((event, context));
        for hooks in &self.0.hooks {
            let (hooks, told) = (Arc::clone(hooks), Arc::clone(&told));
            self.tell_hook(Box::pin(async move { hooks.on_event(&told.0, &told.1).await }));
        }
    }

    /// How many times an event did not reach a hook, or was not finished by it: the hook panicked,
    /// took longer than `policy.limits.hook_timeout`, or was more than
    /// `policy.limits.max_pending_events` behind. Counted since this `Auth` was built, for metrics
    /// (REL-23).
    #[must_use]
    pub fn dropped_events(&self) -> u64 {
        self.0.events.dropped.load(Ordering::Relaxed)
    }

    fn tell_hook(&self, told: HookFuture<'static, ()>) {
        let (counters, limit) = (&self.0.events, self.0.policy.limits.hook_timeout);
        if counters.pending.load(Ordering::Relaxed) >= self.0.policy.limits.max_pending_events {
            counters.drop_one();
            tracing::error!("an event was dropped: hooks are too far behind with earlier ones");
            return;
        }
        let mut told = Box::pin(unwound(told));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        match told.as_mut().poll(&mut cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => counters.drop_one(),
            Poll::Pending => {
                counters.pending.fetch_add(1, Ordering::Relaxed);
                let pending = Pending(self.clone());
                self.0.under_way.spawn(async move {
                    if !matches!(tokio::time::timeout(limit, told).await, Ok(Ok(()))) {
                        pending.0.0.events.drop_one();
                        tracing::error!("a hook did not finish with an event: it panicked, or took too long");
                    }
                });
            }
        }
    }
}

/// An event that a hook has not finished with, counted until this is dropped.
struct Pending<U: Account>(Auth<U>);

impl<U: Account> Drop for Pending<U> {
    fn drop(&mut self) {
        self.0.0.events.pending.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A future whose panic is an error, with a line in the log.
async fn unwound<T>(mut hook: HookFuture<'_, T>) -> Result<T, HookError> {
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| hook.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
        Err(panic) => {
            tracing::error!(panic = message_of(&*panic), "a hook of the app panicked");
            Poll::Ready(Err(HookError::Panicked))
        }
    })
    .await
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("not a text")
}
