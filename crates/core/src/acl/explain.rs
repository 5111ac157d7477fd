//! Why an access is allowed or denied, for people.

use std::fmt;

use serde::Serialize;

use super::{AccessType, AclRow, Method, Permission};
use crate::UserId;

/// The answer to an [`AccessRequest`](super::AccessRequest).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[must_use = "nothing is refused unless the answer is looked at"]
pub enum Decision {
    /// The caller may.
    Allowed,
    /// The caller may not.
    Denied,
    /// The caller's token is for something else; the list was not looked at.
    InsufficientScope,
}

impl Decision {
    /// Whether the caller may.
    #[must_use]
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "ALLOWED",
            Self::Denied => "DENIED",
            Self::InsufficientScope => "INSUFFICIENT_SCOPE",
        }
    }
}

impl From<Permission> for Decision {
    /// `DEFAULT` says nothing without its list, and so allows nothing.
    fn from(permission: Permission) -> Self {
        match permission {
            Permission::Default | Permission::Deny => Self::Denied,
            Permission::Allow | Permission::Alarm | Permission::Audit => Self::Allowed,
        }
    }
}

/// How an [`Acl`](super::Acl) comes to its answer. Its `Display` is a table:
///
/// ```text
/// DENIED: findById (READ) of user 2, called by user 1
///
///   score permission principal methods                                         access matches
///   8016  ALLOW      $owner    deleteById,findById,patchAttributes,replaceById *      no
/// > 7495  DENY       $everyone *                                               *      yes
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Explanation {
    /// The answer.
    pub decision: Decision,
    /// The method.
    pub method: Method,
    /// What it does.
    #[serde(rename = "accessType")]
    pub access: AccessType,
    /// Who calls; `None` for nobody.
    pub caller: Option<UserId>,
    /// Whom it is about, as the path names it.
    pub target: Option<String>,
    /// All rows that are about the method, the most specific first.
    pub rows: Vec<ExplainedRow>,
    /// The permission that holds if no row matches.
    pub default_permission: Permission,
}

/// A row that is about the method.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ExplainedRow {
    /// The row.
    #[serde(flatten)]
    pub row: AclRow,
    /// [`AclRow::score`].
    pub score: u32,
    /// Whether its principal is the caller's, or one of the caller's roles.
    pub matches: bool,
    /// Whether it is the one that decided. None does if the default permission did, or the token's
    /// scope.
    pub decides: bool,
}

impl Explanation {
    /// Whether the caller may.
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.decision.is_allowed()
    }

    /// The row that decided; `None` if the default permission did, or the token's scope.
    #[must_use]
    pub fn decided_by(&self) -> Option<&AclRow> {
        self.rows.iter().find(|row| row.decides).map(|row| &row.row)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.decision.as_str(), self.method.name, self.access)?;
        if let Some(target) = &self.target {
            // It is whatever stands in a path.
            write!(f, " of user {}", target.escape_debug())?;
        }
        match &self.caller {
            Some(caller) => writeln!(f, ", called by user {caller}")?,
            None => writeln!(f, ", called by nobody")?,
        }
        if self.decision == Decision::InsufficientScope {
            writeln!(f, "The token is for something else; no row was asked.")?;
        } else if self.decided_by().is_none() {
            writeln!(f, "No row matches: the default permission is {}.", self.default_permission)?;
        }
        if self.rows.is_empty() {
            return Ok(());
        }
        let head = ["score", "permission", "principal", "methods", "access", "matches"].map(String::from);
        let cells = |row: &ExplainedRow| {
            [
                row.score.to_string(),
                row.row.permission.to_string(),
                row.row.principal.to_string(),
                row.row.method_names(),
                row.row.access.map_or("*", AccessType::as_str).to_owned(),
                if row.matches { "yes" } else { "no" }.to_owned(),
            ]
        };
        let table: Vec<_> =
            std::iter::once((false, head)).chain(self.rows.iter().map(|row| (row.decides, cells(row)))).collect();
        let mut widths = [0; 6];
        for (_, cells) in &table {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for (decides, cells) in &table {
            let mut line = String::from(if *decides { "\n>" } else { "\n " });
            for (cell, width) in cells.iter().zip(widths) {
                line.push(' ');
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - cell.chars().count()));
            }
            f.write_str(line.trim_end_matches(' '))?;
        }
        writeln!(f)
    }
}
