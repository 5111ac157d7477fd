//! Gatekit with everything in one SQLite file.

use bench_serve::{Result, run, scratch_file};
use gatekit::{Auth, SqliteStore};

fn main() -> Result<()> {
    run(async { gatekit_app::app(Auth::new(SqliteStore::open(scratch_file("gatekit.db")?).await?)).await })
}
