//! A client that hangs up: a web server drops the future of its request, wherever it waits at that
//! moment.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Polls a request until it is answered, or drops it after this many polls, as a server does when
/// the client hangs up. `None` if it was dropped.
pub async fn hang_up_after<T>(polls: usize, request: impl Future<Output = T>) -> Option<T> {
    let (mut request, mut left) = (pin!(request), polls);
    let answered = poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match request.as_mut().poll(cx) {
            Poll::Pending if left == 0 => Poll::Ready(None),
            answer => answer.map(Some),
        }
    });
    answered.await
}

/// Sends a request again and again, and hangs up one await point later each time, until it is
/// answered. Each time either nothing has happened, or all that happens when the client waits for
/// the answer: `outcome` tells what has happened in a world so far, when everything is settled.
///
/// # Panics
///
/// If something is done by halves, or the request does nothing at all.
pub async fn whole_or_nothing<W, T>(
    flow: &str,
    world: impl AsyncFn() -> W,
    request: impl AsyncFn(&W) -> T,
    outcome: impl AsyncFn(&W) -> String,
) {
    let patient = world().await;
    let nothing = outcome(&patient).await;
    request(&patient).await;
    let whole = outcome(&patient).await;
    assert_ne!(nothing, whole, "{flow} does something");

    let mut current = world().await;
    // The last one has had all it takes; more polls than this no request needs.
    for polls in 0..500 {
        let answered = hang_up_after(polls, request(&current)).await.is_some();
        let found = outcome(&current).await;
        if found == whole {
            if answered {
                return;
            }
            current = world().await;
        } else {
            assert_eq!(found, nothing, "{flow}, hung up after {polls} polls: done by halves, and whole is\n{whole}");
            assert!(!answered, "{flow} was answered, and nothing has happened");
        }
    }
    panic!("{flow} is never answered");
}
