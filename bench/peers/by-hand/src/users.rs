//! Users and their tokens in maps, and the extractor that finds who calls.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
};
use bench_serve::{EMAIL, PASSWORD, Result, Secret, Token, User};
use sha2::{Digest, Sha256};

use crate::App;

#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) user: User,
    pub(crate) secret: Secret,
}

pub(crate) struct Users {
    by_email: HashMap<String, Account>,
    /// By the SHA-256 of the token: whoever reads the map cannot use what it holds.
    by_token: RwLock<HashMap<[u8; 32], User>>,
}

impl Users {
    pub(crate) fn new() -> Result<Self> {
        let account = Account { user: User::bench(), secret: Secret::new(PASSWORD)? };
        Ok(Self { by_email: HashMap::from([(EMAIL.to_owned(), account)]), by_token: RwLock::default() })
    }

    pub(crate) fn find(&self, email: &str) -> Option<Account> {
        self.by_email.get(email).cloned()
    }

    pub(crate) fn log_in(&self, user: User) -> Result<Token> {
        let token = Token::random(user.id)?;
        self.by_token
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(Sha256::digest(token.id.as_bytes()).into(), user);
        Ok(token)
    }

    fn authenticate(&self, token: &[u8]) -> Option<User> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        self.by_token.read().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned()
    }
}

pub(crate) struct CurrentUser(pub(crate) User);

impl FromRequestParts<Arc<App>> for CurrentUser {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, StatusCode> {
        let token = parts.headers.get(AUTHORIZATION).ok_or(StatusCode::UNAUTHORIZED)?;
        app.users.authenticate(token.as_bytes()).map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}
