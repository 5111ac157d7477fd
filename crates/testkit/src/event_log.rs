//! What an app was told.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use gatekit_core::{Account, Event, EventContext, Hooks, User};

/// Hooks that write down every event. Clones write to the same place.
///
/// ```
/// use gatekit_core::{Auth, Event, MemoryStore, Register};
/// use gatekit_testkit::EventLog;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (store, events) = (MemoryStore::new(), EventLog::new());
/// let auth: Auth = Auth::builder(store).hooks(events.clone()).build()?;
/// auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
/// assert!(matches!(&events.take()[..], [Event::Registered { .. }]));
/// # Ok(()) }
/// ```
pub struct EventLog<U = User>(Arc<Mutex<Vec<Raised<U>>>>);

/// An event, and what is known of its time and its client.
type Raised<U> = (Event<U>, EventContext);

impl<U> EventLog<U> {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// The events so far, oldest first, and forgets them.
    #[must_use]
    pub fn take(&self) -> Vec<Event<U>> {
        self.take_with_context().into_iter().map(|(event, _)| event).collect()
    }

    /// [`take`](Self::take), with what each event says of its time and its client.
    #[must_use]
    pub fn take_with_context(&self) -> Vec<(Event<U>, EventContext)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<U: Clone> EventLog<U> {
    /// The events so far, oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<Event<U>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(event, _)| event.clone()).collect()
    }
}

impl<U> Default for EventLog<U> {
    fn default() -> Self {
        Self::new()
    }
}

impl<U> Clone for EventLog<U> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<U> fmt::Debug for EventLog<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventLog")
    }
}

#[async_trait]
impl<U: Account> Hooks<U> for EventLog<U> {
    async fn on_event(&self, event: &Event<U>, context: &EventContext) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((event.clone(), context.clone()));
    }
}
