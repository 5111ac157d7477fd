//! LOAD-1: the memory of hashing is that of the permits, however many logins there are. Alone in
//! its process, which it measures.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at the first surprise")]

use gatekit_core::Hasher;

const KIB: u64 = 19_456;
const PERMITS: u64 = 2;

/// A field of `/proc/self/status`, in KiB.
fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn sixty_four_logins_in_flight_need_the_memory_of_two_and_keep_it_for_the_next() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    let hasher = Hasher::builder().permits(usize::try_from(PERMITS).unwrap()).build().unwrap();
    let round = |logins: usize| {
        runtime.block_on(async {
            let tasks: Vec<_> = (0..logins)
                .map(|_| {
                    let hasher = hasher.clone();
                    tokio::spawn(async move { hasher.verify("correct horse".into(), None).await })
                })
                .collect();
            for task in tasks {
                task.await.unwrap().unwrap();
            }
        });
    };

    let before = status("VmRSS:");
    round(64);
    let peak = status("VmHWM:") - before;
    assert!(peak < PERMITS * KIB * 11 / 10 + 8 * 1024, "{peak} KiB");

    let kept = status("VmRSS:");
    assert!(kept - before > KIB, "the memory is kept: {} KiB", kept - before);
    round(64);
    assert!(status("VmHWM:") - before < PERMITS * KIB * 11 / 10 + 8 * 1024, "and used again");
    assert_eq!(hasher.hashes(), 128);
}
