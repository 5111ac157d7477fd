//! A server to be killed: accounts in the SQLite file that is its argument.
#![expect(clippy::print_stdout, reason = "it tells the test where it listens")]

use std::error::Error;

use axum::Router;
use gatekit::{Auth, AuthLayer, SqliteStore};
use gatekit_testkit::fast_hasher;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1).ok_or("the database's path is missing")?;
    let store = SqliteStore::open(file).await?;
    let auth: Auth = Auth::builder(store).hasher(fast_hasher()).build()?;
    let app: Router = gatekit_tests::routes_of("/api/users", &auth).layer(AuthLayer::new(auth));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("READY {}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
