//! axum-login with users in a map and sessions in its MemoryStore.

use std::{collections::HashMap, io, sync::Arc};

use axum_login::{AuthManagerLayerBuilder, AuthnBackend};
use axum_login_app::{Account, routes};
use bench_serve::{Login, PASSWORD, Result, Secret, User, run, verify_on_blocking_pool};
use tower_sessions::{MemoryStore, SessionManagerLayer};

#[derive(Clone)]
struct Backend {
    users: Arc<HashMap<i64, Account>>,
}

impl AuthnBackend for Backend {
    type User = Account;
    type Credentials = Login;
    type Error = io::Error;

    async fn authenticate(&self, login: Login) -> Result<Option<Account>, io::Error> {
        let Some(account) = self.users.values().find(|account| account.user.email == login.email) else {
            return Ok(None);
        };
        let right = verify_on_blocking_pool(account.secret.clone(), login.password).await.map_err(io::Error::other)?;
        Ok(right.then(|| account.clone()))
    }

    async fn get_user(&self, id: &i64) -> Result<Option<Account>, io::Error> {
        Ok(self.users.get(id).cloned())
    }
}

fn main() -> Result<()> {
    run(async {
        let account = Account { user: User::bench(), secret: Secret::new(PASSWORD)? };
        let backend = Backend { users: Arc::new(HashMap::from([(account.user.id, account)])) };
        let sessions = SessionManagerLayer::new(MemoryStore::default());
        Ok(routes::<Backend>().layer(AuthManagerLayerBuilder::new(backend, sessions).build()))
    })
}
