//! The queue in front of the hasher: bounded, fair to who waits, and free again when somebody
//! leaves.
//!
//! The runtime here has one thread for blocking work, and a plug sits on it: a hash that has its
//! permit waits until the plug is pulled. So who runs and who waits is known, without any sleeping.

use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;

use gatekit_core::{Auth, Hasher, HasherError, Login, LoginError, MemoryStore, Register, SystemRandom, Unavailable};

use crate::{EMAIL, OLD};

/// Longer than a queue of a few quick hashes takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    // A login that waits where it should be refused fails its test, and does not hang the run.
    let limited = async { tokio::time::timeout(LIMIT, test).await.unwrap() };
    runtime.block_on(limited);
}

/// Occupies the one blocking thread until it is dropped.
struct Plug(#[expect(dead_code, reason = "held to be dropped")] mpsc::Sender<()>);

impl Plug {
    fn new() -> Self {
        let (sender, receiver) = mpsc::channel();
        tokio::task::spawn_blocking(move || receiver.recv());
        Self(sender)
    }
}

fn hasher(permits: usize, queue: usize) -> Hasher {
    let builder = Hasher::builder().memory_kib(8).iterations(1).insecure_below_minimum();
    builder.permits(permits).queue(queue).build().unwrap()
}

/// Lets `future` go as far as it can now.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// LOAD-1: who finds the queue full is told at once, and told when to come back.
#[test]
fn beyond_the_queue_a_login_is_refused_at_once() {
    run(async {
        let store = MemoryStore::new();
        let auth: Auth = Auth::builder(store).hasher(hasher(1, 2)).build().unwrap();
        auth.register(Register::email(EMAIL, OLD)).await.unwrap();
        let login = || auth.login(Login::email(EMAIL, OLD));

        let plug = Plug::new();
        let (mut runs, mut waits, mut waits_too) = (pin!(login()), pin!(login()), pin!(login()));
        assert!(poll_once(runs.as_mut()).await.is_pending());
        assert!(poll_once(waits.as_mut()).await.is_pending());
        assert!(poll_once(waits_too.as_mut()).await.is_pending());
        for email in [EMAIL, "nobody@example.com"] {
            let Poll::Ready(refused) = poll_once(pin!(auth.login(Login::email(email, OLD)))).await else {
                panic!("a fourth login waits");
            };
            let Err(LoginError::Unavailable(unavailable)) = refused else { panic!("{refused:?}") };
            assert!(matches!(unavailable, Unavailable::Hasher(HasherError::Busy { .. })));
            assert!(unavailable.retry_after() >= 1);
        }

        drop(plug);
        for login in [runs.await, waits.await, waits_too.await] {
            login.unwrap();
        }
        login().await.unwrap();
    });
}

/// REL-26: who leaves the queue leaves a place.
#[test]
fn a_request_that_is_dropped_while_it_waits_leaves_its_place() {
    run(async {
        let hasher = hasher(1, 1);
        let plug = Plug::new();
        let mut runs = pin!(hasher.verify(OLD.into(), None));
        assert!(poll_once(runs.as_mut()).await.is_pending());
        for _ in 0..10 {
            let mut waits = Box::pin(hasher.verify(OLD.into(), None));
            assert!(poll_once(waits.as_mut()).await.is_pending());
            assert!(matches!(hasher.verify(OLD.into(), None).await, Err(HasherError::Busy { .. })));
            drop(waits);
        }
        drop(plug);
        runs.await.unwrap();
        hasher.hash(OLD.into(), &SystemRandom).await.unwrap();
    });
}

/// REL-26: a client that hangs up while its password is hashed neither loses the permit nor frees
/// it too early.
#[test]
fn a_request_that_is_dropped_while_it_is_hashed_gives_its_permit_back_when_the_hash_is_done() {
    run(async {
        let hasher = hasher(1, 0);
        for _ in 0..10 {
            let plug = Plug::new();
            let mut runs = Box::pin(hasher.verify(OLD.into(), None));
            assert!(poll_once(runs.as_mut()).await.is_pending());
            drop(runs);
            let busy = hasher.verify(OLD.into(), None).await;
            assert!(matches!(busy, Err(HasherError::Busy { .. })), "the hash is still to be done: {busy:?}");
            drop(plug);
            // The blocking thread works in order: when this has run, the hash has.
            tokio::task::spawn_blocking(|| ()).await.unwrap();
            hasher.verify(OLD.into(), None).await.unwrap();
        }
        assert_eq!(hasher.hashes(), 20, "what was begun is finished");
    });
}

/// LOAD-1: as many hash at a time as there are permits, and clones share them.
#[test]
fn clones_share_permits_and_queue() {
    run(async {
        let hasher = hasher(2, 0);
        let plug = Plug::new();
        let other = hasher.clone();
        let (mut one, mut two) = (pin!(hasher.verify(OLD.into(), None)), pin!(other.verify(OLD.into(), None)));
        assert!(poll_once(one.as_mut()).await.is_pending());
        assert!(poll_once(two.as_mut()).await.is_pending());
        assert!(matches!(hasher.verify(OLD.into(), None).await, Err(HasherError::Busy { .. })));
        assert!(matches!(
            other.hash(OLD.into(), &SystemRandom).await,
            Err(Unavailable::Hasher(HasherError::Busy { .. }))
        ));
        drop(plug);
        one.await.unwrap();
        two.await.unwrap();
        assert_eq!(other.hashes(), hasher.hashes());
    });
}
