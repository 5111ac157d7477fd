//! One row of an access control list: whom it is about, what it says, and how specific it is.

use std::borrow::Cow;
use std::fmt;

use super::method::{AccessType, Method};
use super::role_names::{ALL, AUTHENTICATED, EVERYONE, OWNER, RELATED, UNAUTHENTICATED};
use crate::UserId;

/// What a row of an [`Acl`](super::Acl) says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// What holds where no row applies: the list's
    /// [`default_permission`](super::Acl::default_permission).
    Default,
    /// Yes.
    Allow,
    /// Yes, and it is logged as a warning.
    Alarm,
    /// Yes, and it is logged.
    Audit,
    /// No.
    Deny,
}

impl Permission {
    /// LoopBack's word: `DEFAULT`, `ALLOW`, `ALARM`, `AUDIT` or `DENY`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "DEFAULT",
            Self::Allow => "ALLOW",
            Self::Alarm => "ALARM",
            Self::Audit => "AUDIT",
            Self::Deny => "DENY",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whom a row of an [`Acl`](super::Acl) is about. A text is a role, a [`UserId`] is a user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Principal {
    /// Everybody in a role: `$everyone`, `$authenticated`, `$unauthenticated`, `$owner`, or one of
    /// the app's.
    Role(Cow<'static, str>),
    /// One user.
    User(UserId),
}

impl From<&'static str> for Principal {
    fn from(role: &'static str) -> Self {
        Self::Role(role.into())
    }
}

impl From<String> for Principal {
    fn from(role: String) -> Self {
        Self::Role(role.into())
    }
}

impl From<UserId> for Principal {
    fn from(id: UserId) -> Self {
        Self::User(id)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => f.write_str(role),
            Self::User(id) => write!(f, "user {id}"),
        }
    }
}

/// One row: a permission for a principal on some methods.
///
/// ```
/// use gatekit_core::{AccessType, AclRow, UserId};
///
/// let row = AclRow::allow("editor").methods(["find", "count"]);
/// let row = AclRow::deny("$everyone").access(AccessType::Write);
/// let row = AclRow::audit(UserId::from(7));
/// ```
///
/// With serde it is an entry of `acls` in a LoopBack model definition:
///
/// ```
/// use gatekit_core::AclRow;
///
/// let row: AclRow = serde_json::from_str(
///     r#"{"principalType":"ROLE","principalId":"editor","permission":"ALLOW","property":["find","count"],"accessType":"*"}"#,
/// )?;
/// assert_eq!(row, AclRow::allow("editor").methods(["find", "count"]));
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AclRow {
    /// Whom it is about.
    pub principal: Principal,
    /// What it says.
    pub permission: Permission,
    /// The methods by LoopBack's primary names, such as `findById`; `None` means every method
    /// (LoopBack's `*`), an empty list none. Aliases such as `updateAttributes` match nothing, as
    /// in LoopBack.
    pub methods: Option<Vec<Cow<'static, str>>>,
    /// The kind of access; `None` means each (LoopBack's `*`).
    pub access: Option<AccessType>,
}

impl AclRow {
    /// A row about all methods and each kind of access, to be narrowed by
    /// [`methods`](Self::methods) and [`access`](Self::access).
    #[must_use]
    pub fn new(permission: Permission, principal: impl Into<Principal>) -> Self {
        Self { principal: principal.into(), permission, methods: None, access: None }
    }

    /// Yes.
    #[must_use]
    pub fn allow(principal: impl Into<Principal>) -> Self {
        Self::new(Permission::Allow, principal)
    }

    /// No.
    #[must_use]
    pub fn deny(principal: impl Into<Principal>) -> Self {
        Self::new(Permission::Deny, principal)
    }

    /// Yes, and it is logged.
    #[must_use]
    pub fn audit(principal: impl Into<Principal>) -> Self {
        Self::new(Permission::Audit, principal)
    }

    /// Yes, and it is logged as a warning.
    #[must_use]
    pub fn alarm(principal: impl Into<Principal>) -> Self {
        Self::new(Permission::Alarm, principal)
    }

    /// About these methods only, by LoopBack's primary names; `*` is all of them.
    #[must_use]
    pub fn methods<M: Into<Cow<'static, str>>>(mut self, methods: impl IntoIterator<Item = M>) -> Self {
        self.methods = Some(methods.into_iter().map(Into::into).collect());
        self.normalized()
    }

    /// About this kind of access only. [`AccessType::Execute`] is every kind, only more specific
    /// than none named.
    #[must_use]
    pub fn access(mut self, access: AccessType) -> Self {
        self.access = Some(access);
        self
    }

    /// How specific the row is. Of the rows that match, the one with the highest score decides.
    ///
    /// LoopBack's formula: `((((m·4 + p)·4 + a)·4 + t)·8 + r)·4 + permission`, where `m`, `p` and
    /// `a` are 3 if model, method and kind of access are named and 2 if they are `*` (the model
    /// always is the one that is guarded); `t` is 4 for a user and 2 for a role; `r` is 5 for a
    /// role of the app's, 4 for `$owner`, 3 for `$related`, 2 for `$authenticated` and
    /// `$unauthenticated`, 1 for `$everyone`; and the permission is -1 for `DEFAULT`, 0 for
    /// `ALLOW`, 1 for `ALARM`, 2 for `AUDIT`, 3 for `DENY`. Two rows with one score are looked at
    /// in the order in which they were added.
    ///
    /// ```
    /// use gatekit_core::AclRow;
    ///
    /// let owners = AclRow::allow("$owner");
    /// assert!(AclRow::allow("$owner").methods(["findById"]).score() > owners.score());
    /// assert!(AclRow::deny("$owner").score() > owners.score());
    /// assert!(AclRow::deny("$everyone").score() < owners.score());
    /// ```
    #[must_use]
    pub fn score(&self) -> u32 {
        let named = |is: bool| if is { 3 } else { 2 };
        let (kind, role) = match &self.principal {
            Principal::User(_) => (4, 0),
            Principal::Role(role) => (2, rank(role)),
        };
        let score = named(true) * 4 + named(self.methods.is_some());
        let score = score * 4 + named(self.access.is_some());
        let score = (score * 4 + kind) * 8 + role;
        // `DEFAULT` comes first and counts as one less than none.
        score * 4 + self.permission as u32 - 1
    }

    /// Whether the row is about this method, whoever calls it.
    #[must_use]
    pub fn is_about(&self, method: Method) -> bool {
        let named = self.methods.as_ref().is_none_or(|methods| methods.iter().any(|name| name == method.name));
        let kind = self.access.is_none_or(|access| access == method.access || access == AccessType::Execute);
        named && kind
    }

    /// The same row; `*` among its methods is all of them, however it got there.
    pub(super) fn normalized(mut self) -> Self {
        if self.methods.as_ref().is_some_and(|methods| methods.iter().any(|name| name == ALL)) {
            self.methods = None;
        }
        self
    }

    /// Whether a row differs from this one at most in what it says.
    pub(super) fn has_same_subject(&self, other: &Self) -> bool {
        let within = |some: &[Cow<'static, str>], all: &[Cow<'static, str>]| some.iter().all(|name| all.contains(name));
        let same_methods = match (&self.methods, &other.methods) {
            (None, None) => true,
            (Some(mine), Some(others)) => within(mine, others) && within(others, mine),
            _ => false,
        };
        same_methods && self.access == other.access && self.principal == other.principal
    }
}

fn rank(role: &str) -> u32 {
    match role {
        EVERYONE => 1,
        AUTHENTICATED | UNAUTHENTICATED => 2,
        RELATED => 3,
        OWNER => 4,
        _ => 5,
    }
}

impl fmt::Display for AclRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = self.access.map_or(ALL, AccessType::as_str);
        write!(f, "{} {} {} {access}", self.permission, self.principal, self.method_names())
    }
}

impl AclRow {
    /// Whether this row is about all callers and kinds of access that the other is about, on a
    /// method that both name.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let callers = self.principal == other.principal
            || match (&self.principal, &other.principal) {
                (Principal::Role(all), _) if all == EVERYONE => true,
                (Principal::Role(known), Principal::Role(role)) if known == AUTHENTICATED => {
                    role != EVERYONE && role != UNAUTHENTICATED
                }
                (Principal::Role(known), Principal::User(_)) => known == AUTHENTICATED,
                _ => false,
            };
        let access = matches!(self.access, None | Some(AccessType::Execute)) || self.access == other.access;
        let names = |row: &Self, name: &str| row.methods.iter().flatten().any(|named| named == name);
        callers && access && self.methods.iter().flatten().any(|name| names(other, name))
    }

    pub(super) fn method_names(&self) -> String {
        match &self.methods {
            None => ALL.to_owned(),
            Some(names) if names.is_empty() => "(none)".to_owned(),
            Some(names) => names.join(","),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contract's formula, by hand for some rows.
    #[test]
    fn the_score_is_loopbacks() {
        for (row, score) in [
            (AclRow::deny(EVERYONE), (((3 * 4 + 2) * 4 + 2) * 4 + 2) * 8 + 1),
            (AclRow::allow(OWNER).methods(["find"]), (((3 * 4 + 3) * 4 + 2) * 4 + 2) * 8 + 4),
            (AclRow::audit(RELATED).access(AccessType::Read), (((3 * 4 + 2) * 4 + 3) * 4 + 2) * 8 + 3),
            (AclRow::alarm("admin").access(AccessType::Execute), (((3 * 4 + 2) * 4 + 3) * 4 + 2) * 8 + 5),
            (AclRow::allow(UserId::from(1)), (((3 * 4 + 2) * 4 + 2) * 4 + 4) * 8),
            (AclRow::allow(UNAUTHENTICATED), (((3 * 4 + 2) * 4 + 2) * 4 + 2) * 8 + 2),
            (AclRow::new(Permission::Default, EVERYONE), (((3 * 4 + 2) * 4 + 2) * 4 + 2) * 8 + 1),
        ] {
            let permission: i32 = match row.permission {
                Permission::Default => -1,
                Permission::Allow => 0,
                Permission::Alarm => 1,
                Permission::Audit => 2,
                Permission::Deny => 3,
            };
            assert_eq!(i64::from(row.score()), i64::from(score * 4 + permission), "{row}");
        }
    }
}
