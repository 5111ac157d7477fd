//! May this caller do that? The access control list, asked about one access.

use crate::acl::{self, NamedResolver};
use crate::audit::shown_target;
use crate::{
    AccessRequest, Account, Acl, Auth, Decision, Event, ExplainedRow, Explanation, Method, OtherOwner, Permission,
    Principal, RoleResolver, StoreError, TokenRecord, Unavailable, UserId,
};

impl<U: Account> Auth<U> {
    /// Decides an access by the [list in force](Self::acl).
    ///
    /// 1. A token that is confined to scopes is refused, also where everybody is let in:
    ///    [`authorize_in_scope`](Self::authorize_in_scope) admits it.
    /// 2. Of the rows about the method, from the most specific on, the first one that matches the
    ///    caller decides. Nothing is found out that this does not need: who opens a method to
    ///    `$everyone` pays no query for roles.
    /// 3. If none matches, the default permission does.
    ///
    /// `AUDIT` and `ALARM` allow, and are logged. So is every access that is denied; where the
    /// caller is known, it raises [`Event::AccessDenied`] (ASVS 16.3.2).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{AccessRequest, Auth, Authenticated, MemoryStore, Method, NoProfile, User};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let ada = Authenticated::new(User::new(1.into(), NoProfile {}));
    ///
    /// let own = AccessRequest { method: Method::FIND_BY_ID, caller: Some(&ada), target: Some("1") };
    /// assert!(auth.authorize(&own).await?.is_allowed());
    ///
    /// let others = AccessRequest { target: Some("2"), ..own };
    /// assert!(!auth.authorize(&others).await?.is_allowed());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if a row that could decide names a role and it cannot be found out who is in
    /// it. That is neither yes nor no.
    pub async fn authorize(&self, access: &AccessRequest<'_, U>) -> Result<Decision, Unavailable> {
        self.authorize_in_scope(TokenRecord::DEFAULT_SCOPE, access).await
    }

    /// As [`authorize`](Self::authorize), for what only tokens with this scope may be used for.
    ///
    /// # Errors
    ///
    /// [`Unavailable`], as there.
    pub async fn authorize_in_scope(
        &self,
        scope: &str,
        access: &AccessRequest<'_, U>,
    ) -> Result<Decision, Unavailable> {
        self.decide(scope, Membership::new(self, access)).await
    }

    /// As [`authorize_in_scope`](Self::authorize_in_scope), for a caller of another model that owns
    /// the user with the id `target`, by [`find_other_owner`](Self::find_other_owner). It is in the
    /// roles `$everyone`, `$authenticated` and `$owner`, and in no other: roles are assigned within
    /// a model.
    ///
    /// # Errors
    ///
    /// [`Unavailable`], as there.
    pub async fn authorize_other_owner(
        &self,
        scope: &str,
        method: Method,
        owner: &OtherOwner,
        target: &str,
    ) -> Result<Decision, Unavailable> {
        let access = AccessRequest { method, caller: None, target: Some(target) };
        let mut membership = Membership::new(self, &access);
        membership.other_owner = Some(owner);
        self.decide(scope, membership).await
    }

    async fn decide(&self, scope: &str, mut membership: Membership<'_, U>) -> Result<Decision, Unavailable> {
        let (access, other) = (membership.access, membership.other_owner);
        if !in_scope(access, other, scope) {
            self.denied(access, other, format!("scope {scope}"));
            return Ok(Decision::InsufficientScope);
        }
        let acl = self.acl();
        for row in acl.candidates(access.method) {
            if membership.includes(&row.principal).await? {
                return Ok(self.decided(access, other, Some(&row.principal), acl.settled(row.permission)));
            }
        }
        Ok(self.decided(access, other, None, acl.fallback()))
    }

    /// What a row decides, or the default permission: told to the log and to hooks.
    fn decided(
        &self,
        access: &AccessRequest<'_, U>,
        other: Option<&OtherOwner>,
        row: Option<&Principal>,
        permission: Permission,
    ) -> Decision {
        let decision = Decision::from(permission);
        if decision.is_allowed() {
            log_audited(access, other, row, permission);
        } else {
            tracing::debug!(
                method = access.method.name,
                row = row.map(tracing::field::display),
                "the list denies an access"
            );
            self.denied(access, other, format!("method {}", access.method.name));
        }
        decision
    }

    /// An event for a caller that is known. That a caller has no good token is no event: anybody
    /// could raise as many as they like.
    fn denied(&self, access: &AccessRequest<'_, U>, other: Option<&OtherOwner>, required: String) {
        let target = access.target.map(shown_target);
        if access.caller.is_none() && other.is_none() {
            tracing::info!(required, ?target, "an access is denied to an anonymous caller");
            return;
        }
        let user_id = access.caller.map(|caller| caller.principal.id());
        if let Some(other) = other {
            tracing::info!(required, caller = ?other.id, caller_model = other.model, "the denied caller is of another model");
        }
        self.raise(Event::AccessDenied { user_id, required, target });
    }

    /// Says how the list comes to its answer, with all rows about the method. For people who wonder
    /// why; it asks about each row's principal, so it costs more than
    /// [`authorize`](Self::authorize), and it logs nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{AccessRequest, Auth, MemoryStore, Method};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let why = auth.explain(&AccessRequest { method: Method::FIND, caller: None, target: None }).await?;
    /// assert!(!why.allowed());
    /// println!("{why}");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if it cannot be found out who is in a role that a row names.
    pub async fn explain(&self, access: &AccessRequest<'_, U>) -> Result<Explanation, Unavailable> {
        let acl = self.acl();
        let mut membership = Membership::new(self, access);
        let mut rows = Vec::new();
        for row in acl.candidates(access.method) {
            let matches = membership.includes(&row.principal).await?;
            rows.push(ExplainedRow { row: row.clone(), score: row.score(), matches, decides: false });
        }
        let decision = if in_scope(access, None, TokenRecord::DEFAULT_SCOPE) {
            match rows.iter_mut().find(|row| row.matches) {
                Some(row) => {
                    row.decides = true;
                    acl.settled(row.row.permission).into()
                }
                None => acl.fallback().into(),
            }
        } else {
            Decision::InsufficientScope
        };
        Ok(Explanation {
            decision,
            method: access.method,
            access: access.method.access,
            caller: access.caller.map(|caller| caller.principal.id()),
            target: access.target.map(str::to_owned),
            rows,
            default_permission: acl.fallback(),
        })
    }

    /// Whether the [list in force](Self::acl) allows a method to everybody: see [`Acl::is_open`].
    #[must_use]
    pub fn is_open(&self, method: Method) -> bool {
        Acl::is_open(&self.acl(), method)
    }

    /// Whether the caller of an access is in a role.
    ///
    /// | role | who is in it |
    /// | --- | --- |
    /// | `$everyone` | whoever calls, also nobody |
    /// | `$authenticated`, `$unauthenticated` | whoever is known; whoever is not |
    /// | `$owner` | the user whose id stands in the path, compared by text; nobody where there is none. In the routes of the User API also a user of another model to whom that user [belongs](crate::Builder::belongs_to) |
    /// | `$related` | nobody: a name of LoopBack's with nothing behind it |
    /// | with a [`role_resolver`](crate::Builder::role_resolver) | whom the resolver says |
    /// | any other with `$` | nobody |
    /// | any other | who was [assigned](Self::assign_role) to it, or has it in [`Authenticated::roles`](crate::Authenticated::roles) |
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be found out. This never means "no".
    pub async fn is_in_role(&self, role: &str, access: &AccessRequest<'_, U>) -> Result<bool, StoreError> {
        Membership::new(self, access).includes_role(role).await
    }

    /// Of several resolvers for one name the last one, as in LoopBack.
    fn resolver(&self, role: &str) -> Option<&dyn RoleResolver<U>> {
        let named = |(name, _): &&NamedResolver<U>| name == role;
        self.0.role_resolvers.iter().rev().find(named).map(|(_, resolver)| &**resolver)
    }
}

/// The scopes of a token come before any row, as in LoopBack. Nobody has no token, so none that is
/// confined.
fn in_scope<U>(access: &AccessRequest<'_, U>, other: Option<&OtherOwner>, scope: &str) -> bool {
    access.caller.is_none_or(|caller| caller.has_scope(scope)) && other.is_none_or(|other| other.token.has_scope(scope))
}

/// What the caller of one access is. Each thing is found out when a row asks, and once.
struct Membership<'a, U: Account> {
    auth: &'a Auth<U>,
    access: &'a AccessRequest<'a, U>,
    /// A caller of another model that owns the user in the path; then the access has no caller.
    other_owner: Option<&'a OtherOwner>,
    /// What [`RoleStore::roles_of`](crate::RoleStore::roles_of) said, if it was asked.
    assigned: Option<Vec<String>>,
    /// What resolvers said, by role.
    resolved: Vec<(String, bool)>,
}

impl<'a, U: Account> Membership<'a, U> {
    fn new(auth: &'a Auth<U>, access: &'a AccessRequest<'a, U>) -> Self {
        Self { auth, access, other_owner: None, assigned: None, resolved: Vec::new() }
    }

    fn is_known(&self) -> bool {
        self.access.caller.is_some() || self.other_owner.is_some()
    }

    async fn includes(&mut self, principal: &Principal) -> Result<bool, StoreError> {
        match principal {
            Principal::Role(role) => self.includes_role(role).await,
            Principal::User(id) => Ok(self.access.caller.is_some_and(|caller| is_same(&caller.principal.id(), id))),
        }
    }

    async fn includes_role(&mut self, role: &str) -> Result<bool, StoreError> {
        match role {
            acl::EVERYONE => Ok(true),
            acl::AUTHENTICATED => Ok(self.is_known()),
            acl::UNAUTHENTICATED => Ok(!self.is_known()),
            acl::OWNER => Ok(self.is_owner()),
            acl::RELATED => Ok(false),
            // Roles are assigned, and resolved, within a model.
            _ if self.other_owner.is_some() => Ok(false),
            _ => match self.auth.resolver(role) {
                Some(resolver) => self.is_resolved(role, resolver).await,
                None => self.is_assigned(role).await,
            },
        }
    }

    /// Only the id in the path counts.
    fn is_owner(&self) -> bool {
        if self.other_owner.is_some() {
            return true;
        }
        let AccessRequest { caller, target, .. } = self.access;
        caller.zip(*target).is_some_and(|(caller, target)| caller.principal.id().is_named(target))
    }

    async fn is_resolved(&mut self, role: &str, resolver: &dyn RoleResolver<U>) -> Result<bool, StoreError> {
        if let Some((_, known)) = self.resolved.iter().find(|(name, _)| name == role) {
            return Ok(*known);
        }
        let is = self.auth.bounded(resolver.is_in_role(role, self.access)).await?;
        self.resolved.push((role.to_owned(), is));
        Ok(is)
    }

    async fn is_assigned(&mut self, role: &str) -> Result<bool, StoreError> {
        // Nobody is assigned to a name with `$`: those are for roles that are computed.
        let Some(caller) = self.access.caller.filter(|_| !role.starts_with('$')) else { return Ok(false) };
        let within = |roles: &[String]| roles.iter().any(|name| name == role);
        if let Some(roles) = caller.roles.as_ref().or(self.assigned.as_ref()) {
            return Ok(within(roles));
        }
        let id = caller.principal.id();
        let roles = self.auth.bounded::<_, StoreError>(self.auth.roles()?.roles_of(U::model_name(), &id)).await?;
        Ok(within(self.assigned.insert(roles)))
    }
}

/// Whether a row's id is the caller's. By text, as in LoopBack, since a table of rows may hold
/// numbers as texts; and a row that denies must not fail to because of that.
fn is_same(caller: &UserId, row: &UserId) -> bool {
    caller == row || caller.is_named(&row.to_string())
}

/// Tells the log of what a row allows and wants logged.
fn log_audited<U: Account>(
    access: &AccessRequest<'_, U>,
    other: Option<&OtherOwner>,
    row: Option<&Principal>,
    permission: Permission,
) {
    let AccessRequest { method: Method { name: method, .. }, caller, target } = access;
    let caller = caller.map(|caller| caller.principal.id()).or_else(|| other.map(|other| other.id.clone()));
    let caller_model = other.map_or_else(U::model_name, |other| other.model);
    let target = target.map(shown_target);
    let row = row.map(tracing::field::display);
    match permission {
        Permission::Alarm => {
            tracing::warn!(method, caller_model, ?caller, ?target, row, "an access that raises an alarm is allowed")
        }
        Permission::Audit => {
            tracing::info!(method, caller_model, ?caller, ?target, row, "an audited access is allowed")
        }
        _ => {}
    }
}
