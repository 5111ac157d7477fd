//! Who was put into which role: LoopBack's Role and RoleMapping.

use crate::flow_error::flow_error;
use crate::{Account, Auth, Event, StoreError, Unavailable, UserId};

/// Longer names are a mistake, and not what a database has to keep an index for. In bytes.
const MAX_BYTES: usize = 128;

flow_error! {
    /// Why a user was not put into a role.
    pub enum AssignRoleError {
        /// No role may have this name.
        #[error("a role's name must not {0}")]
        InvalidName(&'static str) = Invalid "INVALID_ROLE",
        /// There is no such user. What is granted to an id that nobody has, somebody may have
        /// tomorrow.
        #[error("User {0} not found")]
        UserNotFound(UserId) = NotFound "USER_NOT_FOUND",
    }
}

impl<U: Account> Auth<U> {
    /// Puts a user into a role, from the user's next request on (ASVS 8.3.2). Returns whether the
    /// user was not in it before.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, MemoryStore, Register};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let ada = auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    ///
    /// assert!(auth.assign_role(&ada.id, "admin").await?);
    /// assert_eq!(auth.roles_of(&ada.id).await?, ["admin"]);
    /// assert_eq!(auth.users_in_role("admin").await?, [ada.id.clone()]);
    /// assert!(auth.unassign_role(&ada.id, "admin").await?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`AssignRoleError`]. A name is 1 to 128 bytes long, has no control characters, no blanks at
    /// its ends and no `$` in front: those are the names of roles that are computed. For the same
    /// reason a role with a [`role_resolver`](crate::Builder::role_resolver) is not assigned to
    /// anybody.
    pub async fn assign_role(&self, user: &UserId, role: &str) -> Result<bool, AssignRoleError> {
        check_name(role).map_err(AssignRoleError::InvalidName)?;
        if self.0.role_resolvers.iter().any(|(name, _)| name == role) {
            return Err(AssignRoleError::InvalidName(
                "be that of a role which is computed: its resolver alone decides",
            ));
        }
        if self.bounded(self.0.users.find_user(user)).await?.is_none() {
            return Err(AssignRoleError::UserNotFound(user.clone()));
        }
        let (auth, user, role) = (self.clone(), user.clone(), role.to_owned());
        self.change(|mut change| async move {
            let new = change.commit::<_, StoreError>(auth.roles()?.assign_role(U::model_name(), &user, &role)).await?;
            if new {
                auth.emit(Event::RoleAssigned { user_id: user, role }).await;
            }
            Ok(new)
        })
        .await
    }

    /// Takes a user out of a role, from the user's next request on (ASVS 8.3.2). Returns whether
    /// the user was in it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn unassign_role(&self, user: &UserId, role: &str) -> Result<bool, Unavailable> {
        let (auth, user, role) = (self.clone(), user.clone(), role.to_owned());
        self.change(|mut change| async move {
            let was =
                change.commit::<_, StoreError>(auth.roles()?.unassign_role(U::model_name(), &user, &role)).await?;
            if was {
                auth.emit(Event::RoleUnassigned { user_id: user, role }).await;
            }
            Ok(was)
        })
        .await
    }

    /// The roles a user was put into, in the order of the alphabet. Computed roles are not among
    /// them.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn roles_of(&self, user: &UserId) -> Result<Vec<String>, Unavailable> {
        self.bounded::<_, StoreError>(self.roles()?.roles_of(U::model_name(), user)).await.map_err(Unavailable::from)
    }

    /// The users who were put into a role, in the order of their ids; for a computed role, none.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn users_in_role(&self, role: &str) -> Result<Vec<UserId>, Unavailable> {
        self.bounded::<_, StoreError>(self.roles()?.users_in_role(U::model_name(), role))
            .await
            .map_err(Unavailable::from)
    }
}

/// What is wrong with a role's name, in words.
fn check_name(role: &str) -> Result<(), &'static str> {
    if role.is_empty() {
        Err("be empty")
    } else if role.len() > MAX_BYTES {
        Err("be longer than 128 bytes")
    } else if role.starts_with('$') {
        Err("begin with `$`: such roles are computed")
    } else if role.contains(char::is_control) {
        Err("have control characters")
    } else if role.trim() != role {
        Err("have blanks at its ends")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_roles_of_an_app_are_refused() {
        for name in ["", " ", " admin", "admin\u{a0}", "$owner", "$everyone", "$mine", "a\nb", "a\0", "a\u{85}b"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        assert!(check_name(&"é".repeat(65)).is_err());
        for name in ["admin", "a", "team member", "rôle", "a$", &"é".repeat(64)] {
            assert_eq!(check_name(name), Ok(()), "{name:?}");
        }
    }
}
