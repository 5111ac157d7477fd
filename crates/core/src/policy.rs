//! The settings of an app, in groups by subject, with the source of each default.

mod email;
mod identifiers;
mod limits;
mod mail;
mod passwords;
mod reveal;
mod store;
mod tokens;

pub use self::email::EmailPolicy;
pub use self::identifiers::IdentifierPolicy;
pub use self::limits::LimitPolicy;
pub use self::mail::MailPolicy;
pub use self::passwords::PasswordPolicy;
pub use self::reveal::RevealPolicy;
pub use self::store::StorePolicy;
pub use self::tokens::TokenPolicy;
use crate::{Password, PasswordError, common_passwords};

/// The rules an [`Auth`](crate::Auth) follows. Start from a preset and change what differs:
///
/// ```
/// use gatekit_core::Policy;
///
/// let mut policy = Policy::default();
/// policy.tokens.ttl = 7 * 24 * 3600;
/// assert_eq!(policy.passwords.min_chars, 8);
/// assert_eq!(Policy::strict().passwords.min_chars, 15);
/// ```
///
/// No preset makes an app conform to OWASP ASVS or NIST SP 800-63B: each preset says what is
/// missing. Each field names the source of its number.
///
/// | | [`default`](Policy::default) | [`strict`](Policy::strict) | [`loopback`](Policy::loopback) | LoopBack's name |
/// | --- | --- | --- | --- | --- |
/// | `tokens.ttl` | 14 days | 12 hours | 14 days | `ttl` |
/// | `tokens.max_ttl` | 31,556,926 s | 30 days | 31,556,926 s | `maxTTL` |
/// | `tokens.allow_eternal` | no | no | no | `allowEternalTokens` |
/// | `tokens.reset_ttl` | 15 minutes | 10 minutes | 15 minutes | `resetPasswordTokenTTL` |
/// | `tokens.renew_after` | never | never | never | |
/// | `tokens.step_up_ttl` | 10 minutes | 10 minutes | 10 minutes | |
/// | `tokens.last_used_precision` | 5 minutes | 5 minutes | never | |
/// | `tokens.recheck` | 60 s | 60 s | 60 s | |
/// | `tokens.recheck_grace` | 120 s | 120 s | 120 s | |
/// | `passwords.min_chars` | 8 | 15 | 1 | |
/// | `passwords.max_bytes` | 1024 | 1024 | 72 | |
/// | `passwords.refuse_common` | yes | yes | no | |
/// | `passwords.refuse_expected` | yes | yes | no | |
/// | `passwords.context_words` | none | none | none | |
/// | `passwords.required_for_delete` | yes | yes | no | |
/// | `passwords.login_token_may_reset` | no | no | yes | `restrictResetPasswordTokenScope`, reversed |
/// | `passwords.insecure_reset_token_may_patch` | no | no | no | |
/// | `passwords.reject_changes_via_patch_or_replace` | yes | yes | no | `rejectPasswordChangesViaPatchOrReplace` |
/// | `identifiers.case_sensitive_email` | no | no | yes | `caseSensitiveEmail` |
/// | `identifiers.normalize` | yes | yes | no | |
/// | `identifiers.colon_in_names` | no | no | yes | |
/// | `identifiers.realm_required` | no | no | no | `realmRequired` |
/// | `identifiers.realm_delimiter` | none | none | none | `realmDelimiter` |
/// | `identifiers.client_sets_realm` | no | no | yes | |
/// | `identifiers.email_required` | yes | yes | yes | none: the built-in User requires it |
/// | `identifiers.reserved_name_ttl` | 31,556,926 s | 31,556,926 s | 31,556,926 s | |
/// | `email.verification_required` | no | no | no | `emailVerificationRequired` |
/// | `email.verify_on_register` | yes | yes | no | |
/// | `email.verification_ttl` | 1 day | 1 day | 31,556,926 s | |
/// | `email.confirm_by_get` | no | no | yes | |
/// | `email.reset_needs_verified` | no | yes | no | |
/// | `email.reject_changes_via_patch_or_replace` | yes | yes | no | |
/// | `email.code_ttl` | 10 minutes | 10 minutes | 10 minutes | |
/// | `email.code_attempts` | 5 | 5 | 5 | |
/// | `mail.per_hour` | 3 | 3 | 3 | |
/// | `mail.per_day` | 10 | 10 | 10 | |
/// | `mail.timeout` | 60 s | 60 s | 60 s | |
/// | `mail.backoff` | 1 s | 1 s | 1 s | |
/// | `mail.notify_password_changed` | yes | yes | no | |
/// | `mail.notify_email_changed` | yes | yes | yes | |
/// | `mail.notify_unknown_device` | no | no | no | |
/// | `reveal.taken_email` | no | no | yes | |
/// | `reveal.unknown_email_on_reset` | no | no | yes | |
/// | `reveal.unknown_id_on_verify` | no | no | yes | |
/// | `limits.profile_max_bytes` | 64 KiB | 64 KiB | 100 KiB | |
/// | `limits.profile_max_depth` | 32 | 32 | 32 | |
/// | `limits.body_timeout` | 20 s | 20 s | 20 s | |
/// | `limits.hook_timeout` | 5 s | 5 s | 5 s | |
/// | `limits.max_pending_events` | 1,024 | 1,024 | 1,024 | |
/// | `store.timeout` | 5 s | 5 s | 5 s | |
/// | `store.change_timeout` | 60 s | 60 s | 60 s | |
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// How long tokens live, and when they are renewed and checked again.
    pub tokens: TokenPolicy,
    /// Which passwords are accepted, and what one must be entered for.
    pub passwords: PasswordPolicy,
    /// What names a user: address, username, realm, and how they are compared.
    pub identifiers: IdentifierPolicy,
    /// How an address is verified and changed.
    pub email: EmailPolicy,
    /// How many mails are sent, how long one is tried, and which notices there are.
    pub mail: MailPolicy,
    /// What a response tells about who has an account.
    pub reveal: RevealPolicy,
    /// Limits on the size and time of what an app reads and of what its hooks do.
    pub limits: LimitPolicy,
    /// How long the app waits for its store.
    pub store: StorePolicy,
}

impl Default for Policy {
    /// Numbers from OWASP ASVS 5.0 where it has one: each field names the section.
    ///
    /// They do not make an app conform to any level of ASVS. The kit does not have yet:
    ///
    /// - limits on how often somebody may try a password or ask for a mail (6.3.1, 6.6.3 beyond the
    ///   codes that the kit mails),
    /// - a second factor (6.3.3),
    /// - a check against breached passwords (6.2.12),
    /// - an idle timeout and a limit on the number of sessions of a user (7.1.2, 7.3.1), unless
    ///   [`tokens.renew_after`](TokenPolicy::renew_after) is set.
    fn default() -> Self {
        Self {
            tokens: TokenPolicy::default(),
            passwords: PasswordPolicy::default(),
            identifiers: IdentifierPolicy::default(),
            email: EmailPolicy::default(),
            mail: MailPolicy::default(),
            reveal: RevealPolicy::default(),
            limits: LimitPolicy::default(),
            store: StorePolicy::default(),
        }
    }
}

impl Policy {
    /// Longer passwords, shorter lifetimes, and reset mails only to verified addresses. The length
    /// of a password is that of NIST SP 800-63B-4 §3.1.1.2 where it is the only factor.
    ///
    /// It makes no app conform to NIST SP 800-63B or to level 3 of ASVS. What
    /// [`default`](Self::default) lacks is lacking here too. Level 3 also asks for a hardware
    /// factor (6.3.3), and NIST for a cookie that ends with the browser (§5.1.1): the kit's cookie
    /// lives as long as its token.
    ///
    /// Use it with `TokenSources::strict()`, which takes no token from the query string.
    #[must_use]
    pub fn strict() -> Self {
        let mut policy = Self::default();
        policy.tokens.ttl = 12 * 3600;
        policy.tokens.max_ttl = 30 * 24 * 3600;
        policy.tokens.reset_ttl = 600;
        policy.passwords.min_chars = 15;
        policy.email.reset_needs_verified = true;
        policy
    }

    /// LoopBack 3's rules and limits, for clients that depend on them. Each field says what that
    /// reveals or risks. The responses of the User API have a preset of their own,
    /// `gatekit::routes::Answers::loopback`.
    #[must_use]
    pub fn loopback() -> Self {
        let mut policy = Self::default();
        policy.passwords.min_chars = 1;
        policy.passwords.max_bytes = 72;
        policy.passwords.refuse_common = false;
        policy.passwords.refuse_expected = false;
        policy.passwords.required_for_delete = false;
        policy.identifiers.case_sensitive_email = true;
        policy.identifiers.client_sets_realm = true;
        policy.identifiers.normalize = false;
        policy.identifiers.colon_in_names = true;
        policy.reveal.unknown_email_on_reset = true;
        policy.passwords.login_token_may_reset = true;
        policy.email.verify_on_register = false;
        policy.email.verification_ttl = 31_556_926;
        policy.email.confirm_by_get = true;
        policy.reveal.taken_email = true;
        policy.passwords.reject_changes_via_patch_or_replace = false;
        policy.email.reject_changes_via_patch_or_replace = false;
        policy.reveal.unknown_id_on_verify = true;
        policy.tokens.last_used_precision = None;
        policy.mail.notify_password_changed = false;
        policy.limits.profile_max_bytes = 100 * 1024;
        policy
    }

    /// Checks whether `password` may become a user's password.
    ///
    /// 1. It is not empty.
    /// 2. It has at most [`passwords.max_bytes`](PasswordPolicy::max_bytes) bytes.
    /// 3. It has at least [`passwords.min_chars`](PasswordPolicy::min_chars) characters.
    /// 4. It is not a common one.
    ///
    /// There are no rules of composition (ASVS 6.2.5).
    /// [`Auth::check_new_password`](crate::Auth::check_new_password) also looks at whose it is to
    /// be.
    ///
    /// # Errors
    ///
    /// The first rule that is broken.
    pub fn check_password(&self, password: &Password) -> Result<(), PasswordError> {
        let text = password.expose();
        let chars = text.chars().count();
        if text.is_empty() {
            Err(PasswordError::Empty)
        } else if text.len() > self.passwords.max_bytes {
            Err(PasswordError::TooLong { max: self.passwords.max_bytes, entered: text.len() })
        } else if chars < self.passwords.min_chars {
            Err(PasswordError::TooShort { min: self.passwords.min_chars, entered: chars })
        } else if self.passwords.refuse_common && common_passwords::is_common(text) {
            Err(PasswordError::Common)
        } else {
            Ok(())
        }
    }

    /// Whether the same address may occur once in each realm.
    #[must_use]
    pub fn unique_per_realm(&self) -> bool {
        self.identifiers.realm_required && self.identifiers.realm_delimiter.is_some()
    }

    /// Whether a login must name a realm.
    #[must_use]
    pub fn has_realms(&self) -> bool {
        self.identifiers.realm_required || self.identifiers.realm_delimiter.is_some()
    }

    /// Whether a new user must have an address: see
    /// [`identifiers.email_required`](IdentifierPolicy::email_required).
    #[must_use]
    pub fn requires_email(&self) -> bool {
        self.identifiers.email_required || self.email.verification_required
    }

    /// Whether a sign-up hides that an address has an account: see
    /// [`reveal.taken_email`](RevealPolicy::taken_email).
    #[must_use]
    pub fn hides_taken_email(&self) -> bool {
        self.email.verification_required && self.email.verify_on_register && !self.reveal.taken_email
    }

    /// Whether a reset link goes only to a verified address: see
    /// [`email.reset_needs_verified`](EmailPolicy::reset_needs_verified).
    #[must_use]
    pub fn resets_only_verified(&self) -> bool {
        self.email.verification_required || self.email.reset_needs_verified
    }

    /// Whether a realm is read from what a client sends: where the app has realms, and where
    /// [`identifiers.client_sets_realm`](IdentifierPolicy::client_sets_realm) is set. Elsewhere it
    /// is ignored like `emailVerified`, and only the app's own code sets it:
    /// [`Register::realm`](crate::Register::realm), and
    /// [`UpdateUser::trusted`](crate::UpdateUser::trusted).
    #[must_use]
    pub fn clients_set_realm(&self) -> bool {
        self.identifiers.client_sets_realm || self.has_realms()
    }

    /// The first setting that contradicts itself or falls below what is safe, in words.
    pub(crate) fn mistake(&self) -> Option<&'static str> {
        let eternal = self.tokens.ttl == -1 && self.tokens.allow_eternal;
        if (self.tokens.ttl <= 0 && !eternal) || self.tokens.max_ttl <= 0 {
            Some(
                "tokens.ttl and tokens.max_ttl must be positive (tokens.ttl may be -1 where tokens.allow_eternal is set)",
            )
        } else if self.tokens.reset_ttl <= 0 || self.email.verification_ttl <= 0 {
            Some("tokens.reset_ttl and email.verification_ttl must be positive")
        } else if !(1..=600).contains(&self.email.code_ttl) || !(1..=10).contains(&self.email.code_attempts) {
            Some("email.code_ttl must be from 1 to 600 and email.code_attempts from 1 to 10")
        } else if self.identifiers.reserved_name_ttl <= 0 {
            Some("identifiers.reserved_name_ttl must be positive")
        } else if self.mail.per_hour == 0 || self.mail.per_day == 0 {
            Some("mail.per_hour and mail.per_day must be at least 1, or no mail with a link is ever sent")
        } else if self.tokens.step_up_ttl <= 0 {
            Some("tokens.step_up_ttl must be positive")
        } else if self.tokens.ttl > self.tokens.max_ttl {
            Some("tokens.ttl must not exceed tokens.max_ttl")
        } else if self.passwords.min_chars == 0 || self.passwords.max_bytes < self.passwords.min_chars {
            Some("passwords.min_chars must be at least 1 and at most passwords.max_bytes")
        } else if self.store.timeout.is_zero() || self.mail.timeout.is_zero() || self.limits.hook_timeout.is_zero() {
            Some("store.timeout, mail.timeout and limits.hook_timeout must not be zero")
        } else if self.tokens.recheck.is_zero() {
            Some("tokens.recheck must not be zero")
        } else if self.mail.backoff.is_zero() {
            Some("mail.backoff must not be zero")
        } else if self.store.change_timeout < self.store.timeout {
            Some("store.change_timeout must not be less than store.timeout")
        } else if self.limits.body_timeout.is_zero() {
            Some("limits.body_timeout must not be zero")
        } else if self.limits.profile_max_bytes < 2 || !(1..=64).contains(&self.limits.profile_max_depth) {
            Some("limits.profile_max_bytes must be at least 2 and limits.profile_max_depth from 1 to 64")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 6.2.1, 6.2.9, 6.2.5
    #[test]
    fn lengths_are_counted_in_characters_at_the_bottom_and_bytes_at_the_top() {
        for (policy, min, max) in [(Policy::default(), 8, 1024), (Policy::strict(), 15, 1024)] {
            for unit in ["é", "🦀", "x"] {
                // Varied so that no rule of the list of common passwords applies.
                let of = |n: usize| Password::from(format!("{}{}", "q7".repeat(n / 4), unit.repeat(n - 2 * (n / 4))));
                assert_eq!(policy.check_password(&of(min - 1)), Err(PasswordError::TooShort { min, entered: min - 1 }));
                assert_eq!(policy.check_password(&of(min)), Ok(()), "{unit}");
                assert_eq!(policy.check_password(&of(128)), Ok(()), "{unit}");
            }
            let long = Password::from("x1y2".repeat(max / 4) + "!");
            assert_eq!(policy.check_password(&long), Err(PasswordError::TooLong { max, entered: max + 1 }));
        }
    }

    /// 6.2.4
    #[test]
    fn common_passwords_are_refused_except_under_loopbacks_rules() {
        let common = Password::from("password1");
        assert_eq!(Policy::default().check_password(&common), Err(PasswordError::Common));
        assert_eq!(Policy::loopback().check_password(&common), Ok(()));
    }

    #[test]
    fn loopback_takes_any_password_of_1_to_72_bytes() {
        let policy = Policy::loopback();
        assert_eq!(policy.check_password(&"".into()), Err(PasswordError::Empty));
        assert_eq!(policy.check_password(&"   ".into()), Ok(()));
        assert_eq!(policy.check_password(&"x".repeat(72).into()), Ok(()));
        let error = policy.check_password(&"x".repeat(73).into()).unwrap_err();
        assert_eq!(error.to_string(), "The password entered was too long. Max length is 72 (entered 73)");
    }

    #[test]
    fn the_presets_contradict_nothing() {
        for policy in [Policy::default(), Policy::strict(), Policy::loopback()] {
            assert_eq!(policy.mistake(), None);
        }
    }
}
