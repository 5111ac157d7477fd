//! axum-login with users and sessions in one SQLite file.

mod backend;

use axum_login::AuthManagerLayerBuilder;
use axum_login_app::routes;
use bench_serve::{Result, run, scratch_file};
use tower_sessions::SessionManagerLayer;
use tower_sessions_sqlx_store::{
    SqliteStore,
    sqlx::{
        SqlitePool,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};

use crate::backend::Backend;

fn main() -> Result<()> {
    run(async {
        // The settings that one gives SQLite under a server: readers and the writer do not wait for
        // each other.
        let options = SqliteConnectOptions::new()
            .filename(scratch_file("axum-login.db")?)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal);
        let pool = SqlitePool::connect_with(options).await?;

        let store = SqliteStore::new(pool.clone());
        store.migrate().await?;
        let backend = Backend::new(pool).await?;
        let layer = AuthManagerLayerBuilder::new(backend, SessionManagerLayer::new(store)).build();
        Ok(routes::<Backend>().layer(layer))
    })
}
