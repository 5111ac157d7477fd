//! The state that the endpoints share: the members, the clients of the site, the keys of visitors.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use gatekit_core::Auth;
use gatekit_web::client;

use super::settings::Clients;
use super::visitor::VisitorKeys;
use crate::{MemberUser, WixMembers};

/// The state that all endpoints share. A handler that takes it as an argument gets it for the
/// client that sent the request.
#[derive(Clone)]
pub(crate) struct IamContext {
    pub(crate) members: WixMembers,
    shared: Arc<Shared>,
}

/// The part that is the same for every request.
pub(crate) struct Shared {
    pub(crate) clients: Clients,
    pub(crate) visitors: VisitorKeys,
}

impl std::ops::Deref for IamContext {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl FromRequestParts<IamContext> for IamContext {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, iam: &IamContext) -> Result<Self, Infallible> {
        let client = client(iam.auth(), parts);
        Ok(Self { members: iam.members.for_client(client), shared: Arc::clone(&iam.shared) })
    }
}

impl IamContext {
    pub(crate) fn new(members: WixMembers, clients: Clients, visitors: VisitorKeys) -> Self {
        Self { members, shared: Arc::new(Shared { clients, visitors }) }
    }

    pub(crate) fn auth(&self) -> &Auth<MemberUser> {
        self.members.auth()
    }
}
