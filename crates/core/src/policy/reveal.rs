//! What a response tells about who has an account.

/// Whether responses reveal who has an account. A field of [`Policy`](crate::Policy).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevealPolicy {
    /// Whether a sign-up tells that an address has an account, where `email.verification_required`
    /// and `email.verify_on_register` are set. Off: the response is the same as for a new account,
    /// and the owner of the address gets a mail. The login of an account with an unverified address
    /// looks like a wrong password then, or it would tell whether the sign-up before it made the
    /// account (ASVS 6.3.8). On: LoopBack's 422 and 401.
    ///
    /// Where one of those two settings is off, a sign-up always tells. The new user logs in at
    /// once, or gets no mail, so there is no response that would suit both.
    pub taken_email: bool,
    /// Answer a reset request for an unknown address with 404 `EMAIL_NOT_FOUND`, as LoopBack does.
    ///
    /// Anyone can then find out which addresses have an account (ASVS 6.3.8). Off: both get 204.
    pub unknown_email_on_reset: bool,
    /// Answer `POST /{id}/verify` and `GET /confirm` for an unknown id with 404, as LoopBack does.
    /// Off: `verify` answers 204 and `confirm` 400 `INVALID_TOKEN`, as for a known one, and ids
    /// cannot be counted (ASVS 6.3.8).
    pub unknown_id_on_verify: bool,
}
