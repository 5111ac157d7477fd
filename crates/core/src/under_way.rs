//! The tasks that an app which stops must wait for: changes, mails, and hooks that are told of
//! events.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::Instrument;
use tracing::instrument::WithSubscriber;

/// The tasks that an app which stops must wait for.
#[derive(Clone, Debug)]
pub(crate) struct UnderWay(Arc<watch::Sender<usize>>);

impl Default for UnderWay {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl UnderWay {
    /// Runs `work` on a task that is waited for, in the span and with the subscriber of the caller.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        let one = self.one_more();
        let work = async move {
            let _one = one;
            work.await
        };
        tokio::spawn(work.in_current_span().with_current_subscriber())
    }

    /// Counts one until the value is dropped, by whatever ends its task.
    fn one_more(&self) -> OneUnderWay {
        self.0.send_modify(|count| *count += 1);
        OneUnderWay(self.clone())
    }

    /// Waits until there is none.
    pub(crate) async fn none(&self) {
        // The sender lives as long as this.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

/// One of them.
struct OneUnderWay(UnderWay);

impl Drop for OneUnderWay {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}
