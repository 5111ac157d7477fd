//! Which roles there are, and who is the administrator.
//!
//! | holder | may |
//! | --- | --- |
//! | whoever is not logged in | read everything but `/meta/auth` |
//! | the role `reader` | the same, once logged in: a user has nothing of what those have who are not logged in |
//! | the role `editor` | read everything but `/meta/auth`, and write below `/docs` |
//! | the role `admin` | read and write everything; make and set passwords (`Admin` of `/_auth`) |
//!
//! They are stored at the first start. From then on the administrator changes them, at
//! `/meta/auth/roles`: see [`records`](crate::records).

use std::error::Error;

use gatekit::Register;
use gatekit::cmwell::CmWell;
use gatekit::core::{AccountName, PathLevels, PathPermission, PermissionHolder, Permissions, UserId};

/// Who may do everything.
const ADMIN: &str = "admin";

/// Stores what the table says, unless there are permissions already.
pub(crate) async fn store_defaults(cmwell: &CmWell) -> Result<(), Box<dyn Error>> {
    if !cmwell.permissions_of(None).await?.0.is_empty() {
        return Ok(());
    }
    let public = || {
        [
            PathPermission::allow("/", PathLevels::READ).recursive(true),
            PathPermission::deny("/meta/auth", PathLevels::READ_WRITE).recursive(true),
        ]
    };
    let docs = PathPermission::allow("/docs", PathLevels::READ_WRITE).recursive(true);
    let everything = PathPermission::allow("/", PathLevels::READ_WRITE).recursive(true);
    for (role, permissions) in [
        ("reader", Permissions::paths(public())),
        ("editor", Permissions::paths(public().into_iter().chain([docs]))),
        (ADMIN, Permissions::paths([everything]).operation("Admin")),
    ] {
        cmwell.set_permissions(&PermissionHolder::Role(role.to_owned()), Some(&permissions)).await?;
    }
    // Last: it says that all of them are stored.
    cmwell.set_permissions(&PermissionHolder::Anonymous, Some(&Permissions::paths(public()))).await?;
    Ok(())
}

/// Makes this user an administrator.
pub(crate) async fn make_admin(cmwell: &CmWell, user: &UserId) -> Result<(), Box<dyn Error>> {
    cmwell.auth().assign_role(user, ADMIN).await?;
    cmwell.forget_permissions();
    Ok(())
}

/// Makes the account `admin` with this address, if nobody is an administrator yet. Its password is
/// made up, and printed this once.
pub(crate) async fn make_first_admin(cmwell: &CmWell, email: Option<String>) -> Result<(), Box<dyn Error>> {
    let auth = cmwell.auth();
    if !auth.users_in_role(ADMIN).await?.is_empty() {
        return Ok(());
    }
    let Some(email) = email else {
        println!("There is no administrator. Start with ADMIN_EMAIL=<your address> to have one.");
        return Ok(());
    };
    if auth.find_account(&AccountName::username(ADMIN)).await?.is_some() {
        return Err(
            "somebody has signed up as `admin`, and nobody is an administrator: remove or rename that account".into()
        );
    }
    let password = auth.new_secret()?.expose().chars().take(20).collect::<String>();
    let admin = auth.register(Register::email(email, password.as_str()).username(ADMIN)).await?;
    make_admin(cmwell, &admin.id).await?;
    println!("The administrator is `{ADMIN}` with the password {password}: change it at /_auth.");
    Ok(())
}
