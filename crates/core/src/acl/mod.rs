//! Who may do what: LoopBack's access control lists.
//!
//! # How a list decides
//!
//! 1. Of all rows those are looked at that are about the method: by its name or by all names, for
//!    its kind of access or for all kinds. A row for [`AccessType::Execute`] is about every kind.
//! 2. The most specific one whose principal the caller is decides. See [`AclRow::score`] for what
//!    is more specific; of two that are equally so the one that denies wins over one that is
//!    logged, and that over one that allows.
//! 3. If there is none, [`Acl::default_permission`] decides.
//!
//! A row's score does not depend on the request, so a list keeps its rows in the order of their
//! scores: the first one that is about the method and matches the caller is the one. Who the caller
//! is need not be known further than that.

mod explain;
mod json;
mod method;
mod role_names;
mod row;

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Account, Authenticated, StoreError};

pub use explain::{Decision, ExplainedRow, Explanation};
pub use json::InvalidAclRow;
pub use method::{AccessType, Method};
pub(crate) use role_names::{AUTHENTICATED, EVERYONE, OWNER, RELATED, UNAUTHENTICATED, is_built_in};
pub use row::{AclRow, Permission, Principal};

/// The rows that guard a kind of user, and what holds where no row applies.
///
/// ```
/// use gatekit_core::{Acl, AclRow};
///
/// // LoopBack's rows for its User; administrators see all users; nobody signs up alone.
/// let acl = Acl::user()
///     .row(AclRow::allow("admin").methods(["find", "count", "findById", "create"]))
///     .deny("$everyone", "create");
/// ```
///
/// An app that keeps rows in a table builds a new list when the table changes, and calls
/// [`Auth::replace_acl`](crate::Auth::replace_acl).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a list guards nothing before it is given to `Builder::acl` or `Auth::replace_acl`"]
pub struct Acl {
    /// From the highest score to the lowest.
    rows: Vec<AclRow>,
    default_permission: Permission,
}

impl Acl {
    /// No rows: everything is allowed to everybody, unless
    /// [`default_permission`](Self::default_permission) says otherwise.
    pub fn empty() -> Self {
        Self { rows: Vec::new(), default_permission: Permission::Allow }
    }

    /// The rows of LoopBack's built-in User. Whatever no row opens is denied to everybody,
    /// administrators too.
    ///
    /// | principal | permission | methods |
    /// | --- | --- | --- |
    /// | `$everyone` | DENY | all |
    /// | `$everyone` | ALLOW | `create`, `login`, `logout`, `confirm` |
    /// | `$everyone` | ALLOW (EXECUTE) | `verify`, `resetPassword` |
    /// | `$owner` | ALLOW | `deleteById`, `findById`, `patchAttributes`, `replaceById` |
    /// | `$authenticated` | ALLOW (EXECUTE) | `changePassword`, `setPassword` |
    pub fn user() -> Self {
        Self::empty()
            .row(AclRow::deny(EVERYONE))
            .row(AclRow::allow(EVERYONE).methods(["create", "login", "logout", "confirm"]))
            .row(AclRow::allow(EVERYONE).methods(["verify", "resetPassword"]).access(AccessType::Execute))
            .row(AclRow::allow(OWNER).methods(["deleteById", "findById", "patchAttributes", "replaceById"]))
            .row(AclRow::allow(AUTHENTICATED).methods(["changePassword", "setPassword"]).access(AccessType::Execute))
    }

    /// With a row that allows a method, or all of them (`*`).
    pub fn allow(self, principal: impl Into<Principal>, method: impl Into<Cow<'static, str>>) -> Self {
        self.row(AclRow::allow(principal).methods([method]))
    }

    /// With a row that denies a method, or all of them (`*`).
    ///
    /// A row that names the kind of access too is more specific than this one, as some of
    /// [`Acl::user`] are. What those allow is denied by a row of their kind, and a denial that they
    /// overrule is logged as a warning:
    ///
    /// ```
    /// use gatekit_core::{AccessType, Acl, AclRow, Method};
    ///
    /// let acl = Acl::user().deny("$everyone", "verify");
    /// assert!(acl.is_open(Method::VERIFY));
    ///
    /// let acl = Acl::user().row(AclRow::deny("$everyone").methods(["verify"]).access(AccessType::Execute));
    /// assert!(!acl.is_open(Method::VERIFY));
    /// ```
    pub fn deny(self, principal: impl Into<Principal>, method: impl Into<Cow<'static, str>>) -> Self {
        self.row(AclRow::deny(principal).methods([method]))
    }

    /// With one more row. Where it is added matters only among rows with the same
    /// [`score`](AclRow::score).
    pub fn row(mut self, row: AclRow) -> Self {
        let row = row.normalized();
        let at = self.rows.partition_point(|other| other.score() >= row.score());
        self.rows.insert(at, row);
        self
    }

    /// With this row in place of those for the same principal, methods and access, as entries in
    /// LoopBack's `model-config.json` replace those of the model.
    pub fn replace(mut self, row: AclRow) -> Self {
        let row = row.normalized();
        self.rows.retain(|other| !other.has_same_subject(&row));
        self.row(row)
    }

    /// What holds where no row applies. LoopBack's `defaultPermission`: `ALLOW` unless set.
    pub fn default_permission(mut self, permission: Permission) -> Self {
        self.default_permission = permission;
        self
    }

    /// The rows, the most specific first, which is the order they are looked at.
    #[must_use]
    pub fn rows(&self) -> &[AclRow] {
        &self.rows
    }

    /// Whether this list allows a method to everybody, so that nothing need be known of the caller:
    /// no token is looked for and no store is asked.
    ///
    /// A method whose use is to be logged is never open, because the log is to name the caller.
    ///
    /// ```
    /// use gatekit_core::{Acl, Method};
    ///
    /// assert!(Acl::user().is_open(Method::LOGIN));
    /// assert!(!Acl::user().is_open(Method::FIND_BY_ID));
    /// ```
    #[must_use]
    pub fn is_open(&self, method: Method) -> bool {
        for row in self.candidates(method) {
            match (&row.principal, self.settled(row.permission)) {
                (Principal::Role(role), permission) if role == EVERYONE => return permission == Permission::Allow,
                // Whom it is about is let in; whether the others are, the next row says.
                (_, Permission::Allow) => {}
                _ => return false,
            }
        }
        self.fallback() == Permission::Allow
    }

    /// The rows that are about a method, the most specific first.
    pub(crate) fn candidates(&self, method: Method) -> impl Iterator<Item = &AclRow> {
        self.rows.iter().filter(move |row| row.is_about(method))
    }

    /// What holds where no row applies. A `DEFAULT` that refers to itself allows, as in LoopBack.
    pub(crate) fn fallback(&self) -> Permission {
        match self.default_permission {
            Permission::Default => Permission::Allow,
            other => other,
        }
    }

    /// What a row with this permission comes to.
    pub(crate) fn settled(&self, permission: Permission) -> Permission {
        match permission {
            Permission::Default => self.fallback(),
            other => other,
        }
    }

    /// Logs what this list says and nobody will hear: its author believes that it guards something.
    pub(crate) fn warn_of_mistakes(&self) {
        for (denial, stronger) in self.overruled() {
            tracing::warn!(%denial, %stronger, "a row of an access control list denies nothing: a more specific one allows it");
        }
        for name in self.rows.iter().flat_map(|row| row.methods.iter().flatten()) {
            if let Some(primary) = method::primary_name(name) {
                tracing::warn!(%name, primary, "an access control list names a method by an alias, which matches nothing");
            }
        }
    }

    /// The rows that deny a method by its name to callers whom a more specific row allows it, all
    /// of them, with that row.
    fn overruled(&self) -> Vec<(&AclRow, &AclRow)> {
        let mut overruled = Vec::new();
        for (at, denial) in
            self.rows.iter().enumerate().filter(|(_, row)| self.settled(row.permission) == Permission::Deny)
        {
            let stronger = self.rows.iter().take(at).filter(|row| self.settled(row.permission) != Permission::Deny);
            overruled.extend(stronger.filter(|row| row.covers(denial)).map(|row| (denial, row)));
        }
        overruled
    }
}

/// An access that is about to happen.
#[derive(Debug)]
pub struct AccessRequest<'a, U> {
    /// The method.
    pub method: Method,
    /// Who calls; `None` for nobody.
    pub caller: Option<&'a Authenticated<U>>,
    /// The id of the user it is about, as it stands in the path. Never from a query or a body: who
    /// writes those could name himself, and in LoopBack `GET /users?id=1` passed for the owner's.
    pub target: Option<&'a str>,
}

impl<U> Clone for AccessRequest<'_, U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<U> Copy for AccessRequest<'_, U> {}

/// Tells whether a caller is in a role that the app computes.
///
/// ```
/// use gatekit_core::{AccessRequest, Auth, MemoryStore, RoleResolver, StoreError, User, async_trait};
///
/// struct OfTheHouse;
///
/// #[async_trait]
/// impl RoleResolver<User> for OfTheHouse {
///     async fn is_in_role(&self, _: &str, access: &AccessRequest<'_, User>) -> Result<bool, StoreError> {
///         // Everybody can sign up with an address that is not theirs: only a verified one says anything.
///         let user = access.caller.map(|caller| &caller.principal).filter(|user| user.email_verified == Some(true));
///         Ok(user.and_then(|user| user.email.as_deref()).is_some_and(|email| email.ends_with("@example.com")))
///     }
/// }
///
/// let store = MemoryStore::new();
/// let auth: Auth = Auth::builder(store).role_resolver("staff", OfTheHouse).build()?;
/// # Ok::<_, gatekit_core::ConfigError>(())
/// ```
#[async_trait]
pub trait RoleResolver<U: Account>: Send + Sync + 'static {
    /// Whether the caller of this access, who may be nobody, is in `role`. It has
    /// `policy.store.timeout` to find out.
    ///
    /// Where no method of the User API is called, as for `HasRole`, the method is [`Method::ANY`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be found out. The request fails with 503: this never means "no".
    async fn is_in_role(&self, role: &str, access: &AccessRequest<'_, U>) -> Result<bool, StoreError>;
}

/// A resolver and the name it was registered for.
pub(crate) type NamedResolver<U> = (String, Arc<dyn RoleResolver<U>>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UserId;

    #[test]
    fn rows_are_kept_with_the_most_specific_first_in_whatever_order_they_came() {
        let rows = Acl::user().rows;
        let mut backwards = Acl::empty();
        for row in rows.iter().rev() {
            backwards = backwards.row(row.clone());
        }
        let scores = |rows: &[AclRow]| rows.iter().map(AclRow::score).collect::<Vec<_>>();
        assert_eq!(scores(&rows), scores(&backwards.rows));
        assert!(rows.is_sorted_by(|a, b| a.score() >= b.score()));
    }

    #[test]
    fn a_denial_that_a_more_specific_row_overrules_is_noticed() {
        let verify = || AclRow::deny(EVERYONE).methods(["verify"]);
        let execute = AccessType::Execute;
        let overruled = [
            verify(),
            AclRow::deny(UserId::from(1)).methods(["verify"]),
            AclRow::deny("demo").methods(["create", "changePassword"]),
            AclRow::deny(OWNER).methods(["setPassword"]),
        ];
        for row in overruled {
            assert_eq!(Acl::user().row(row.clone()).overruled().len(), 1, "{row}");
        }
        let heard = [
            verify().access(execute),
            AclRow::deny("demo").methods(["changePassword"]).access(execute),
            AclRow::deny(OWNER).methods(["deleteById"]),
            AclRow::deny(EVERYONE).methods(["create", "login"]),
            // For a caller that is not known it holds, and who is may be meant to.
            AclRow::deny(EVERYONE).methods(["changePassword"]),
            AclRow::deny(UNAUTHENTICATED).methods(["changePassword"]),
            AclRow::deny("demo"),
        ];
        for row in heard {
            assert_eq!(Acl::user().row(row.clone()).overruled(), [], "{row}");
        }
        assert_eq!(Acl::user().overruled(), []);
    }

    #[test]
    fn a_star_among_the_methods_is_all_of_them_and_no_methods_are_none() {
        assert_eq!(AclRow::deny(EVERYONE).methods(["find", "*"]).methods, None);
        let mut row = AclRow::deny(EVERYONE);
        row.methods = Some(vec!["*".into()]);
        assert_eq!(Acl::empty().row(row).rows, [AclRow::deny(EVERYONE)]);
        assert!(!AclRow::allow(EVERYONE).methods(Vec::<String>::new()).is_about(Method::FIND));
    }

    #[test]
    fn a_row_replaces_those_with_the_same_subject_and_no_others() {
        let mut replaced = AclRow::deny(EVERYONE).methods(["logout", "confirm", "create", "login"]);
        let acl = Acl::user().replace(replaced.clone());
        assert_eq!(acl.rows.len(), Acl::user().rows.len());
        assert!(acl.rows.contains(&replaced));
        replaced.access = Some(AccessType::Write);
        for other in [
            replaced,
            AclRow::deny(EVERYONE).methods(["create"]),
            AclRow::deny(AUTHENTICATED).methods(["create", "login", "logout", "confirm"]),
            AclRow::deny(OWNER),
        ] {
            assert_eq!(Acl::user().replace(other).rows.len(), Acl::user().rows.len() + 1);
        }
    }
}
