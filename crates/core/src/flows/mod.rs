//! What can be done with an account, one file each. Everything that decides is here; a route only
//! translates.

pub(crate) mod account_status;
pub(crate) mod approval_mails;
pub(crate) mod authenticate;
pub(crate) mod authorize;
pub(crate) mod belongs_to;
pub(crate) mod change_email;
pub(crate) mod change_password;
pub(crate) mod commits;
pub(crate) mod compare_and_set;
pub(crate) mod credentials;
pub(crate) mod delete_user;
pub(crate) mod email_code;
pub(crate) mod fields;
pub(crate) mod find_users;
pub(crate) mod identifier;
pub(crate) mod issue_token;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod lookup;
pub(crate) mod mailed_secret;
pub(crate) mod new_token;
pub(crate) mod one_time;
pub(crate) mod password;
pub(crate) mod password_hash;
pub(crate) mod register;
pub(crate) mod requested_change;
pub(crate) mod reset_password;
pub(crate) mod rev;
pub(crate) mod roles;
pub(crate) mod sessions;
pub(crate) mod step_up;
pub(crate) mod taken_email;
pub(crate) mod update_user;
pub(crate) mod verify_email;
