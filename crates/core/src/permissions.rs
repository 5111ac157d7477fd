//! Who may read and write below which path?
//!
//! [`Permissions`] are entries such as "read below `/reports`" or "never write `/reports/2019`",
//! kept for a user, for a role or for whoever is not logged in.
//! [`PermissionStore`](crate::PermissionStore) keeps them, and [`PermissionSet::decide`] tells
//! whether a request may pass.

mod path;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::UserId;

/// Whether an entry lets in or keeps out. `+` and `-` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PermissionSign {
    /// It lets in.
    #[serde(rename = "+")]
    Allow,
    /// It keeps out, whatever else lets in.
    #[serde(rename = "-")]
    Deny,
}

/// What is to be done at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PathLevel {
    /// To look at what is there.
    Read,
    /// To change it.
    Write,
}

/// For which levels an entry counts. In JSON a text of the letters `r` and `w`: `"r"`, `"w"`,
/// `"rw"`, or `""` for an entry that counts for nothing. Any other letter is an error.
///
/// ```
/// use gatekit_core::{PathLevel, PathLevels};
///
/// assert!(PathLevels::READ_WRITE.has(PathLevel::Write));
/// assert!(!"r".parse::<PathLevels>()?.has(PathLevel::Write));
/// assert!("rx".parse::<PathLevels>().is_err());
/// # Ok::<(), gatekit_core::InvalidPermissions>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PathLevels {
    read: bool,
    write: bool,
}

impl PathLevels {
    /// None at all.
    pub const NONE: Self = Self { read: false, write: false };
    /// Reading only.
    pub const READ: Self = Self { read: true, write: false };
    /// Writing only.
    pub const WRITE: Self = Self { read: false, write: true };
    /// Both.
    pub const READ_WRITE: Self = Self { read: true, write: true };

    /// Whether this level is one of them.
    #[must_use]
    pub fn has(self, level: PathLevel) -> bool {
        match level {
            PathLevel::Read => self.read,
            PathLevel::Write => self.write,
        }
    }

    /// The letters: `r` before `w`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match (self.read, self.write) {
            (false, false) => "",
            (true, false) => "r",
            (false, true) => "w",
            (true, true) => "rw",
        }
    }
}

impl std::str::FromStr for PathLevels {
    type Err = InvalidPermissions;

    /// The letters may come in any order.
    fn from_str(text: &str) -> Result<Self, InvalidPermissions> {
        let mut levels = Self::NONE;
        for letter in text.chars() {
            match letter {
                'r' => levels.read = true,
                'w' => levels.write = true,
                _ => return Err(InvalidPermissions::Levels),
            }
        }
        Ok(levels)
    }
}

impl Serialize for PathLevels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PathLevels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One entry: for a path, or for all below it too, it lets in or keeps out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PathPermission {
    /// The path, as text and not percent-encoded: `/reports`. A slash at its end means nothing.
    /// What it must not be, [`Permissions::check`] tells.
    pub id: String,
    /// Whether it lets in or keeps out.
    pub sign: PermissionSign,
    /// Whether it counts for everything below the path too, and not for the path alone. In JSON
    /// `false` where it is left out.
    #[serde(default)]
    pub recursive: bool,
    /// For which levels it counts.
    pub permissions: PathLevels,
}

impl PathPermission {
    /// An entry that lets in, for the path alone.
    ///
    /// ```
    /// use gatekit_core::{PathLevels, PathPermission};
    ///
    /// let entry = PathPermission::allow("/reports", PathLevels::READ).recursive(true);
    /// let json = r#"{"id":"/reports","sign":"+","recursive":true,"permissions":"r"}"#;
    /// assert_eq!(serde_json::to_string(&entry)?, json);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn allow(path: impl Into<String>, levels: PathLevels) -> Self {
        Self { id: path.into(), sign: PermissionSign::Allow, recursive: false, permissions: levels }
    }

    /// An entry that keeps out, for the path alone.
    #[must_use]
    pub fn deny(path: impl Into<String>, levels: PathLevels) -> Self {
        Self { id: path.into(), sign: PermissionSign::Deny, recursive: false, permissions: levels }
    }

    /// Whether it counts for everything below the path too.
    #[must_use]
    pub fn recursive(mut self, recursive: bool) -> Self {
        self.recursive = recursive;
        self
    }
}

/// All that one holder has: entries for paths, and names of operations such as `Admin`, which mean
/// what the app makes of them.
///
/// Members that JSON has besides are ignored, and one that is missing is an empty list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permissions {
    /// The entries. Their order means nothing.
    #[serde(default)]
    pub paths: Vec<PathPermission>,
    /// The operations.
    #[serde(default)]
    pub operations: Vec<String>,
}

impl Permissions {
    /// With these entries and no operations.
    #[must_use]
    pub fn paths(paths: impl IntoIterator<Item = PathPermission>) -> Self {
        Self { paths: paths.into_iter().collect(), operations: Vec::new() }
    }

    /// And with this operation.
    #[must_use]
    pub fn operation(mut self, name: impl Into<String>) -> Self {
        self.operations.push(name.into());
        self
    }

    /// Whether every entry names a path that a request can have. Worth asking before entries are
    /// stored: one that does not pass lets nobody in, and if it keeps out, it keeps out everywhere
    /// ([`PermissionSet::decide`]).
    ///
    /// ```
    /// use gatekit_core::{PathLevels, PathPermission, Permissions};
    ///
    /// let check = |path: &str| Permissions::paths([PathPermission::deny(path, PathLevels::READ)]).check();
    /// assert!(check("/caf\u{e9}/menu/").is_ok());
    /// for wrong in ["", "reports", "//reports", "/reports/../users", "/caf%C3%A9"] {
    ///     assert!(check(wrong).is_err());
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidPermissions::Path`] names the first path that does not begin with a slash, has an
    /// empty segment or one that is `.` or `..`, a backslash or a control character, or is
    /// percent-encoded.
    pub fn check(&self) -> Result<(), InvalidPermissions> {
        match self.paths.iter().find(|entry| path::of_entry(&entry.id).is_none()) {
            Some(entry) => Err(InvalidPermissions::Path(entry.id.clone())),
            None => Ok(()),
        }
    }
}

/// Why permissions cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPermissions {
    /// No request has this path.
    #[error(
        "`{0}` is no path: it must begin with a slash and hold no empty segment, `.`, `..`, backslash or percent-encoding"
    )]
    Path(String),
    /// There are other letters than `r` and `w`.
    #[error("permissions are the letters `r` and `w`")]
    Levels,
}

/// Whose permissions they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PermissionHolder {
    /// Those of one user.
    User(UserId),
    /// Those of everybody in a role ([`RoleStore`](crate::RoleStore)).
    Role(String),
    /// Those of whoever is not logged in. A user does not have them too.
    Anonymous,
}

impl fmt::Display for PermissionHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user {id}"),
            Self::Role(name) => write!(f, "role {name}"),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

/// All that counts for one caller: what
/// [`PermissionStore::permissions_of`](crate::PermissionStore::permissions_of) has found.
///
/// ```
/// use gatekit_core::{PathLevel, PathLevels, PathPermission, PermissionHolder, PermissionSet, Permissions};
///
/// let editors = Permissions::paths([PathPermission::allow("/reports", PathLevels::READ_WRITE).recursive(true)]);
/// let ada = Permissions::paths([PathPermission::deny("/reports/2019", PathLevels::WRITE).recursive(true)]);
/// let set = PermissionSet(vec![
///     (PermissionHolder::User(7.into()), ada),
///     (PermissionHolder::Role("editor".into()), editors),
/// ]);
///
/// assert!(set.decide("/reports/2019/may", PathLevel::Read).allowed);
/// assert!(!set.decide("/reports/2019/may", PathLevel::Write).allowed, "an entry that keeps out wins");
/// assert!(!set.decide("/reports-of-others", PathLevel::Read).allowed, "it is not below `/reports`");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet(pub Vec<(PermissionHolder, Permissions)>);

/// Whether a request may pass, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathDecision {
    /// Whether it may.
    pub allowed: bool,
    /// The entry that decided it, and whose it is. `None` if it was refused because no entry
    /// counts, or because of what the path looks like.
    pub by: Option<(PermissionHolder, PathPermission)>,
}

impl PermissionSet {
    /// Whether something may be done at a path.
    ///
    /// An entry counts if it is for this level, and for this path or, if it is recursive, for one
    /// above. If one that keeps out counts, the answer is no, whoever holds it. Otherwise it is yes
    /// if at least one that lets in counts. (CM-Well lets a role in where the user's own entry
    /// keeps out; here it does not.)
    ///
    /// `path` is that of a request's URI, without its query and percent-encoded as the client sent
    /// it. It is decoded once and compared byte for byte, segment by segment; a slash at its end
    /// means nothing. A path that could be read in two ways is refused, because this decision and
    /// whatever answers the request might read it differently: one that does not begin with a
    /// slash; with an empty segment, `.` or `..`, encoded or not; with a slash that is encoded, a
    /// backslash, a control character, or an escape that is none or gives no UTF-8.
    ///
    /// What a router does to a path before it looks (ignoring case, cutting off a prefix) is to be
    /// done before this is asked too.
    ///
    /// An entry that does not pass [`Permissions::check`] lets nobody in; if it keeps out, it
    /// counts everywhere: better seen than lost.
    #[must_use]
    pub fn decide(&self, path: &str, level: PathLevel) -> PathDecision {
        let mut decision = PathDecision { allowed: false, by: None };
        let Some(path) = path::of_request(path) else { return decision };
        for (holder, permissions) in &self.0 {
            for entry in permissions.paths.iter().filter(|entry| entry.permissions.has(level)) {
                let counts = match path::of_entry(&entry.id) {
                    Some(id) => path::is_at(&path, id) || (entry.recursive && path::is_below(&path, id)),
                    None => entry.sign == PermissionSign::Deny,
                };
                match entry.sign {
                    PermissionSign::Deny if counts => {
                        return PathDecision { allowed: false, by: Some((holder.clone(), entry.clone())) };
                    }
                    PermissionSign::Allow if counts && !decision.allowed => {
                        decision = PathDecision { allowed: true, by: Some((holder.clone(), entry.clone())) };
                    }
                    _ => {}
                }
            }
        }
        decision
    }

    /// Whether one of the holders has this operation, by its name byte for byte.
    #[must_use]
    pub fn has_operation(&self, name: &str) -> bool {
        self.0.iter().any(|(_, permissions)| permissions.operations.iter().any(|operation| operation == name))
    }
}
