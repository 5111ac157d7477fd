//! How an address is verified and changed.

/// Verification of addresses. A field of [`Policy`](crate::Policy).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmailPolicy {
    /// Refuse the login of users whose address is not verified, and do not mail them reset links.
    /// LoopBack's `emailVerificationRequired`: off. A user that gets another address by `PATCH` or
    /// `PUT` has to verify it too. Where this is off, only a user whose old address was verified is
    /// asked to.
    pub verification_required: bool,
    /// Where `email.verification_required` or `email.reset_needs_verified` is set: a sign-up mails
    /// the verification link. LoopBack leaves that to the app. Where neither is set, this has no
    /// effect.
    pub verify_on_register: bool,
    /// Lifetime of the links that verify an address or a new address, in seconds (ASVS 6.4.1). In
    /// LoopBack they never end; in the preset for LoopBack they end after a year.
    pub verification_ttl: i64,
    /// Whether `GET /confirm` uses the link's token, as in LoopBack. Off: a GET changes nothing,
    /// because mail scanners open every link. It leads a browser to a page with a button, and
    /// `POST /confirm` uses the token.
    pub confirm_by_get: bool,
    /// Whether a reset link is mailed only to an address that its user has verified (NIST SP
    /// 800-63B-4 §4.2.1.2). It is so anyway where `email.verification_required` is set. A mail that
    /// the app's own code asks for with
    /// [`RequestPasswordReset::trusted`](crate::RequestPasswordReset::trusted) is always sent.
    ///
    /// Off in [`Policy::default`](crate::Policy::default): an app that never asks users to verify
    /// an address has none to mail to, and no user could reset a password. The price: a user that
    /// mistypes its address at sign-up gives the account to the owner of that mailbox.
    pub reset_needs_verified: bool,
    /// Whether `PATCH` and `PUT` of a user refuse another address: a change of address requires the
    /// password and a verified new address. Otherwise a person that finds an open session could
    /// take over the account through a reset mail (ASVS 7.5.1). LoopBack has no such setting.
    pub reject_changes_via_patch_or_replace: bool,
    /// Lifetime of a mailed code of six digits, in seconds: 600, which is also the maximum (ASVS
    /// 6.5.5).
    pub code_ttl: i64,
    /// How many codes a user may try within `email.code_ttl`, whether or not a new one is asked for
    /// in between: 5 (ASVS 6.6.3, NIST SP 800-63B-4 §3.1.3.2). At most 10: there are 900,000 codes,
    /// so that many tries guess right once in 90,000 times.
    pub code_attempts: u32,
}

impl Default for EmailPolicy {
    fn default() -> Self {
        Self {
            verification_required: false,
            verify_on_register: true,
            verification_ttl: 86_400,
            confirm_by_get: false,
            reset_needs_verified: false,
            reject_changes_via_patch_or_replace: true,
            code_ttl: 600,
            code_attempts: 5,
        }
    }
}
