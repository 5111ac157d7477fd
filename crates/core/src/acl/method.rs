//! What can be called: the methods of LoopBack's User, by the names that access control lists know.

use std::fmt;

/// What a method does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessType {
    /// It reads.
    Read,
    /// It changes what is stored.
    Write,
    /// It does something else.
    Execute,
}

impl AccessType {
    /// LoopBack's word: `READ`, `WRITE` or `EXECUTE`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Write => "WRITE",
            Self::Execute => "EXECUTE",
        }
    }
}

impl fmt::Display for AccessType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A method that is about to be called. The constants are those of LoopBack's User; an app may
/// guard its own the same way:
///
/// ```
/// use gatekit_core::{AccessType, Method};
///
/// const PUBLISH: Method = Method { name: "publish", access: AccessType::Execute };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// LoopBack's name of it, such as `findById`.
    pub name: &'static str,
    /// What it does.
    pub access: AccessType,
}

const fn read(name: &'static str) -> Method {
    Method { name, access: AccessType::Read }
}

const fn write(name: &'static str) -> Method {
    Method { name, access: AccessType::Write }
}

const fn execute(name: &'static str) -> Method {
    Method { name, access: AccessType::Execute }
}

impl Method {
    /// No method in particular: what a [`RoleResolver`](crate::RoleResolver) sees where only a role
    /// is asked about.
    pub const ANY: Self = execute("*");

    /// `POST /`
    pub const CREATE: Self = write("create");
    /// `PATCH /`
    pub const PATCH_OR_CREATE: Self = write("patchOrCreate");
    /// `PUT /`, `POST /replaceOrCreate`
    pub const REPLACE_OR_CREATE: Self = write("replaceOrCreate");
    /// `POST /upsertWithWhere`
    pub const UPSERT_WITH_WHERE: Self = write("upsertWithWhere");
    /// `GET /`
    pub const FIND: Self = read("find");
    /// `GET /findOne`
    pub const FIND_ONE: Self = read("findOne");
    /// `GET /count`
    pub const COUNT: Self = read("count");
    /// `POST /update`
    pub const UPDATE_ALL: Self = write("updateAll");
    /// `GET /change-stream`, `POST /change-stream`
    pub const CREATE_CHANGE_STREAM: Self = read("createChangeStream");
    /// `GET /{id}`
    pub const FIND_BY_ID: Self = read("findById");
    /// `HEAD /{id}`, `GET /{id}/exists`; and `HEAD /confirm`, which asks for the id `confirm`
    pub const EXISTS: Self = read("exists");
    /// `PATCH /{id}`
    pub const PATCH_ATTRIBUTES: Self = write("patchAttributes");
    /// `PUT /{id}`, `POST /{id}/replace`
    pub const REPLACE_BY_ID: Self = write("replaceById");
    /// `DELETE /{id}`
    pub const DELETE_BY_ID: Self = write("deleteById");
    /// `POST /login`
    pub const LOGIN: Self = execute("login");
    /// `POST /logout`, `GET /sessions`, `DELETE /sessions/{session}`, `POST /logout-everywhere`
    pub const LOGOUT: Self = execute("logout");
    /// `POST /{id}/verify`
    pub const VERIFY: Self = execute("verify");
    /// `GET /confirm`, `POST /confirm`, `GET /confirm-email`
    pub const CONFIRM: Self = read("confirm");
    /// `POST /reset`, `POST /resend-verification`
    pub const RESET_PASSWORD: Self = execute("resetPassword");
    /// `POST /change-password`, `POST /change-email`, `POST /delete-account`, `POST /step-up`
    pub const CHANGE_PASSWORD: Self = execute("changePassword");
    /// `POST /reset-password`
    pub const SET_PASSWORD: Self = execute("setPassword");
    /// `GET /{id}/accessTokens`
    pub const GET_ACCESS_TOKENS: Self = read("__get__accessTokens");
    /// `POST /{id}/accessTokens`
    pub const CREATE_ACCESS_TOKENS: Self = write("__create__accessTokens");
    /// `DELETE /{id}/accessTokens`
    pub const DELETE_ACCESS_TOKENS: Self = write("__delete__accessTokens");
    /// `GET /{id}/accessTokens/count`
    pub const COUNT_ACCESS_TOKENS: Self = read("__count__accessTokens");
    /// `GET /{id}/accessTokens/{fk}`
    pub const FIND_BY_ID_ACCESS_TOKENS: Self = read("__findById__accessTokens");
    /// `PUT /{id}/accessTokens/{fk}`
    pub const UPDATE_BY_ID_ACCESS_TOKENS: Self = write("__updateById__accessTokens");
    /// `DELETE /{id}/accessTokens/{fk}`
    pub const DESTROY_BY_ID_ACCESS_TOKENS: Self = write("__destroyById__accessTokens");
}

/// The name a method goes by in a list, if this is another one of LoopBack's for it.
pub(super) fn primary_name(alias: &str) -> Option<&'static str> {
    Some(match alias {
        "upsert" | "updateOrCreate" => "patchOrCreate",
        "patchOrCreateWithWhere" => "upsertWithWhere",
        "update" => "updateAll",
        "updateAttributes" | "prototype.updateAttributes" | "prototype.patchAttributes" => "patchAttributes",
        "destroyById" | "removeById" => "deleteById",
        "prototype.verify" => "verify",
        _ => return None,
    })
}
