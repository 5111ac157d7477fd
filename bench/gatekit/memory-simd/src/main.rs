//! Gatekit with everything in memory and the feature `argon2-simd`.

use bench_serve::{Result, run};
use gatekit::{Auth, MemoryStore};

fn main() -> Result<()> {
    run(async { gatekit_app::app(Auth::new(MemoryStore::new())).await })
}
