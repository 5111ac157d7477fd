//! Which passwords are accepted, and what one must be entered for.

/// Rules for passwords. A field of [`Policy`](crate::Policy).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PasswordPolicy {
    /// The least number of characters (Unicode code points) of a new password. ASVS 6.2.1: 8; NIST
    /// SP 800-63B-4 §3.1.1.2: 15 where the password is the only factor; LoopBack: 1.
    pub min_chars: usize,
    /// The greatest number of bytes (UTF-8) of a new password. At least 64 characters must fit
    /// (ASVS 6.2.9), and 256 of four bytes do. LoopBack: 72, because bcrypt looks at no more.
    pub max_bytes: usize,
    /// Refuse new passwords that are on the list of common ones. ASVS 6.2.4.
    pub refuse_common: bool,
    /// Refuse new passwords that are made of the user's own address or name, the realm, the name of
    /// the site (`Builder::site_name`) or [`passwords.context_words`](Self::context_words). ASVS
    /// 6.2.11.
    pub refuse_expected: bool,
    /// Words that an attacker who knows the app would try: the names of the app, its maker, its
    /// product. None by default. ASVS 6.1.2.
    pub context_words: Vec<String>,
    /// Whether `DELETE /{id}` of the own account requires the password, as `POST /delete-account`
    /// does (ASVS 7.5.1). LoopBack does not require it.
    pub required_for_delete: bool,
    /// Whether `POST /reset-password` takes a login token too, as LoopBack does unless
    /// `restrictResetPasswordTokenScope` is set.
    ///
    /// A person that finds an open session can then take over the account without its password
    /// (ASVS 6.2.3).
    pub login_token_may_reset: bool,
    /// Whether the secret of a reset mail may also choose the new password by `PATCH /{id}` with
    /// `{"password"}`, as reset pages did before LoopBack had `POST /reset-password`. It works
    /// once, for its own user, and for nothing else in the same request.
    ///
    /// The risk: such pages have the secret in their own URL and send it in the query, where
    /// histories, logs and `Referer` keep it, and they find the user's id in the mailed link. Off
    /// in every preset; set it only until the page is replaced.
    pub insecure_reset_token_may_patch: bool,
    /// Whether `PATCH` and `PUT` of a user refuse a password: it is changed with the old one (ASVS
    /// 6.2.3), or by a reset. LoopBack's `rejectPasswordChangesViaPatchOrReplace`: off.
    pub reject_changes_via_patch_or_replace: bool,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            min_chars: 8,
            max_bytes: 1024,
            refuse_common: true,
            refuse_expected: true,
            context_words: Vec::new(),
            required_for_delete: true,
            login_token_may_reset: false,
            insecure_reset_token_may_patch: false,
            reject_changes_via_patch_or_replace: true,
        }
    }
}
