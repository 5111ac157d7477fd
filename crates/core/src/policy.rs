//! All numbers: lifetimes, lengths and limits, with the source of each default.

use std::time::Duration;

use crate::{AclErrorStatus, Password, PasswordError, common_passwords};

/// The rules an [`Auth`](crate::Auth) follows. Start from a preset and change what differs:
///
/// ```
/// use gatekit_core::Policy;
///
/// let mut policy = Policy::default();
/// policy.token_ttl = 7 * 24 * 3600;
/// assert_eq!(policy.password_min_chars, 8);
/// assert_eq!(Policy::strict().password_min_chars, 15);
/// ```
///
/// No preset makes an app conform to OWASP ASVS or NIST SP 800-63B: each preset says what is
/// missing. Each field names the source of its number.
///
/// | | [`default`](Policy::default) | [`strict`](Policy::strict) | [`loopback`](Policy::loopback) | LoopBack's name |
/// | --- | --- | --- | --- | --- |
/// | `token_ttl` | 14 days | 12 hours | 14 days | `ttl` |
/// | `max_token_ttl` | 31,556,926 s | 30 days | 31,556,926 s | `maxTTL` |
/// | `allow_eternal_tokens` | no | no | no | `allowEternalTokens` |
/// | `reset_token_ttl` | 15 minutes | 10 minutes | 15 minutes | `resetPasswordTokenTTL` |
/// | `password_min_chars` | 8 | 15 | 1 | |
/// | `password_max_bytes` | 1024 | 1024 | 72 | |
/// | `refuse_common_passwords` | yes | yes | no | |
/// | `refuse_expected_passwords` | yes | yes | no | |
/// | `context_words` | none | none | none | |
/// | `password_for_delete` | yes | yes | no | |
/// | `case_sensitive_email` | no | no | yes | `caseSensitiveEmail` |
/// | `normalize_identifiers` | yes | yes | no | |
/// | `colon_in_names` | no | no | yes | |
/// | `realm_required` | no | no | no | `realmRequired` |
/// | `realm_delimiter` | none | none | none | `realmDelimiter` |
/// | `client_sets_realm` | no | no | yes | |
/// | `reveal_unknown_email_on_reset` | no | no | yes | |
/// | `login_token_may_reset_password` | no | no | yes | `restrictResetPasswordTokenScope`, reversed |
/// | `insecure_reset_token_may_patch_password` | no | no | no | |
/// | `expired_token_fails_open_routes` | no | no | yes | |
/// | `email_verification_required` | no | no | no | `emailVerificationRequired` |
/// | `email_required` | yes | yes | yes | none: the built-in User requires it |
/// | `verify_on_register` | yes | yes | no | |
/// | `verification_ttl` | 1 day | 1 day | 31,556,926 s | |
/// | `confirm_email_by_get` | no | no | yes | |
/// | `mails_per_hour` | 3 | 3 | 3 | |
/// | `mails_per_day` | 10 | 10 | 10 | |
/// | `reset_needs_verified_email` | no | yes | no | |
/// | `reveal_taken_email` | no | no | yes | |
/// | `reserved_name_ttl` | 31,556,926 s | 31,556,926 s | 31,556,926 s | |
/// | `reject_password_changes_via_patch_or_replace` | yes | yes | no | `rejectPasswordChangesViaPatchOrReplace` |
/// | `reject_email_changes_via_patch_or_replace` | yes | yes | no | |
/// | `step_up_ttl` | 10 minutes | 10 minutes | 10 minutes | |
/// | `last_used_precision` | 5 minutes | 5 minutes | never | |
/// | `notify_password_changed` | yes | yes | no | |
/// | `notify_email_changed` | yes | yes | yes | |
/// | `notify_unknown_device` | no | no | no | |
/// | `max_batch` | 1 | 1 | 100 | |
/// | `email_code_ttl` | 10 minutes | 10 minutes | 10 minutes | |
/// | `email_code_attempts` | 5 | 5 | 5 | |
/// | `reveal_unknown_id_on_verify` | no | no | yes | |
/// | `unread_body_counts_as_empty` | no | no | yes | |
/// | `replace_on_put` | yes | yes | yes | `replaceOnPUT` |
/// | `acl_error_status` | 401 | 401 | 401 | `aclErrorStatus` |
/// | `null_members` | no | no | no | |
/// | `show_principal_type` | no | no | no | |
/// | `current_user_literal` | none | none | none | `currentUserLiteral` |
/// | `renew_after` | never | never | never | |
/// | `token_recheck` | 60 s | 60 s | 60 s | |
/// | `token_recheck_grace` | 120 s | 120 s | 120 s | |
/// | `store_timeout` | 5 s | 5 s | 5 s | |
/// | `mail_timeout` | 60 s | 60 s | 60 s | |
/// | `body_timeout` | 20 s | 20 s | 20 s | |
/// | `profile_max_bytes` | 64 KiB | 64 KiB | 100 KiB | |
/// | `profile_max_depth` | 32 | 32 | 32 | |
/// | `mail_backoff` | 1 s | 1 s | 1 s | |
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// Lifetime of a token when the client asks for none, in seconds. LoopBack's `ttl`: 1,209,600
    /// (14 days). At most `max_token_ttl`; -1, for ever, only where `allow_eternal_tokens` is set.
    pub token_ttl: i64,
    /// The longest lifetime a client may ask for, in seconds; more is cut to it. LoopBack's
    /// `maxTTL`: 31,556,926 (a year). Also how long a token lives at most that is renewed (ASVS
    /// 7.3.2).
    pub max_token_ttl: i64,
    /// Whether a client may ask for a token that never ends, with `"ttl": -1`. LoopBack's
    /// `allowEternalTokens`: off. Where it is off, such tokens that are stored already count as
    /// expired.
    pub allow_eternal_tokens: bool,
    /// Lifetime of a password reset token, in seconds. LoopBack's `resetPasswordTokenTTL`: 900.
    /// ASVS 6.4.1, 6.5.5.
    pub reset_token_ttl: i64,
    /// The least number of characters (Unicode code points) of a new password. ASVS 6.2.1: 8; NIST
    /// SP 800-63B-4 §3.1.1.2: 15 where the password is the only factor; LoopBack: 1.
    pub password_min_chars: usize,
    /// The greatest number of bytes (UTF-8) of a new password. At least 64 characters must fit
    /// (ASVS 6.2.9), and 256 of four bytes do. LoopBack: 72, because bcrypt looks at no more.
    pub password_max_bytes: usize,
    /// Refuse new passwords that are on the list of common ones. ASVS 6.2.4.
    pub refuse_common_passwords: bool,
    /// Refuse new passwords that are made of the user's own address or name, the realm, the name of
    /// the site (`Builder::site_name`) or [`context_words`](Self::context_words). ASVS 6.2.11.
    pub refuse_expected_passwords: bool,
    /// Words that somebody who knows the app would try: its name, that of its maker, of its
    /// product. None by default. ASVS 6.1.2.
    pub context_words: Vec<String>,
    /// `DELETE /{id}` asks a user who removes its own account for the password, as
    /// `POST /delete-account` does. ASVS 7.5.1. LoopBack does not ask.
    pub password_for_delete: bool,
    /// Whether `A@x.com` and `a@x.com` are two addresses. If not, addresses are stored and looked
    /// up in lower case. The case of a domain never counts where `normalize_identifiers` is set.
    /// LoopBack's `caseSensitiveEmail`: on.
    pub case_sensitive_email: bool,
    /// Whether addresses and names are stored and compared in one spelling, by the rules of
    /// [`normalize`](crate::normalize), and whether a new address must be one that mail can be sent
    /// to ([`email::smtp_form`](crate::email::smtp_form)). If not, two spellings of one address are
    /// two users, as in LoopBack, and of an address only the case is changed, as
    /// `case_sensitive_email` says.
    pub normalize_identifiers: bool,
    /// Whether a new username or realm may have a `:`. HTTP Basic divides name and password at the
    /// first one, so a user with such a name can never log in by it (RFC 7617 §2). The full-width
    /// `：` counts too where `normalize_identifiers` is set. Names that are stored already stay. On,
    /// as in LoopBack: `gatekit-cmwell` cannot offer Basic then.
    pub colon_in_names: bool,
    /// A login must name a realm. LoopBack's `realmRequired`: off.
    pub realm_required: bool,
    /// What separates realm and name in `realm:name` at login, if anything does; a login must name
    /// a realm then too. LoopBack's `realmDelimiter`: none. With this and `realm_required`, and
    /// only with both, addresses and names are unique within a realm and not among all users, as in
    /// LoopBack. Decide before there are users: those who are stored stay unique among whom they
    /// were.
    pub realm_delimiter: Option<char>,
    /// Whether a client may choose and change its realm at sign-up, by `PATCH`, `PUT` and upsert
    /// also where the app has no realms. LoopBack stores what is sent: on in its preset. An app
    /// that takes the realm for a group, a tenant or a right is then open to everybody (CWE-915).
    /// Off: the realm is read from clients only where `realm_required` or `realm_delimiter` is set,
    /// and from the app's own code always. See [`clients_set_realm`](Self::clients_set_realm).
    pub client_sets_realm: bool,
    /// Answer a reset request for an unknown address with 404 `EMAIL_NOT_FOUND`, as LoopBack does.
    ///
    /// This tells anybody which addresses have an account (ASVS 6.3.8). Off: both get 204.
    pub reveal_unknown_email_on_reset: bool,
    /// Whether `POST /reset-password` takes a login token too, as LoopBack does unless
    /// `restrictResetPasswordTokenScope` is set.
    ///
    /// Whoever finds a session open can then take the account without knowing its password (ASVS
    /// 6.2.3).
    pub login_token_may_reset_password: bool,
    /// Whether the secret of a reset mail may also choose the new password by `PATCH /{id}` with
    /// `{"password"}`, as reset pages did before LoopBack had `POST /reset-password`. It works
    /// once, for its own user, and for nothing else in the same request.
    ///
    /// The risk: such pages have the secret in their own URL and send it in the query, where
    /// histories, logs and `Referer` keep it, and they find the user's id in the mailed link. Off
    /// in every preset; set it only until the page is replaced.
    pub insecure_reset_token_may_patch_password: bool,
    /// Whether a request to a route that is open to everyone, such as login, fails with 401 if it
    /// brings an expired token, as in LoopBack. Off: such routes do not look at tokens, and ask no
    /// store about them.
    pub expired_token_fails_open_routes: bool,
    /// Refuse the login of users whose address is not verified, and do not mail them reset links.
    /// LoopBack's `emailVerificationRequired`: off. Whoever gets another address by `PATCH` or
    /// `PUT` has to prove it then, too; where this is off, only who had proven the old one is asked
    /// to.
    pub email_verification_required: bool,
    /// Whether a new user must have an address. On. Off: a name is enough, and who signs up without
    /// an address has no way back from a forgotten password. It counts as on where
    /// `email_verification_required` is set. Names then have no `@`, so that a login form with one
    /// field knows a name from an address.
    pub email_required: bool,
    /// Where `email_verification_required` or `reset_needs_verified_email` is set: mail the
    /// verification link when somebody signs up. LoopBack leaves that to the app. Where neither is
    /// set it does nothing.
    pub verify_on_register: bool,
    /// Lifetime of a verification link and of one that proves a new address, in seconds. ASVS
    /// 6.4.1; in LoopBack they never end, here they do after a year even so.
    pub verification_ttl: i64,
    /// Whether `GET /confirm` uses the link's token, as in LoopBack. Off: a GET changes nothing,
    /// because mail scanners open every link. It leads a browser to a page with a button, and
    /// `POST /confirm` uses the token.
    pub confirm_email_by_get: bool,
    /// How many mails of one kind (verification link, reset link, code, link for a new address,
    /// notice that there is an account already) one account gets within an hour, whoever asks for
    /// them. A request beyond that gets the same response and sends nothing. A link that is good
    /// for less than an hour is counted for its life only, so that the links in the mailbox are
    /// good as long as no new one is sent. 3; ASVS 2.4.1 asks for a limit and names no number.
    /// `u32::MAX` is no limit.
    pub mails_per_hour: u32,
    /// The same within a day, or the life of the link if that is shorter. 10.
    pub mails_per_day: u32,
    /// Whether a reset link is mailed only to an address that its user has verified (NIST SP
    /// 800-63B-4 §4.2.1.2). It is so anyway where `email_verification_required` is set. A mail that
    /// the app's own code asks for with
    /// [`RequestPasswordReset::trusted`](crate::RequestPasswordReset::trusted) is always sent.
    ///
    /// Off in [`Policy::default`]: an app that never asks users to verify an address has none to
    /// mail to, and nobody could get a new password. The price: a user that mistypes its address at
    /// sign-up gives the account to the owner of that mailbox.
    pub reset_needs_verified_email: bool,
    /// Whether a sign-up tells that an address has an account, where `email_verification_required`
    /// and `verify_on_register` are set. Off: the response is the same as for a new account, and
    /// the owner of the address gets a mail. The login of an account with an unverified address
    /// looks like a wrong password then, or it would tell whether the sign-up before it made the
    /// account (ASVS 6.3.8). On: LoopBack's 422 and 401.
    ///
    /// Where one of those two settings is off, a sign-up always tells. The new user logs in at
    /// once, or gets no mail, so there is no response that would suit both.
    pub reveal_taken_email: bool,
    /// How long the name of a sign-up counts as taken whose address had an account, in seconds,
    /// where that is hidden. Otherwise anybody could sign up with the same name again, and would
    /// learn from it whether there was an account. 31,556,926, a year.
    pub reserved_name_ttl: i64,
    /// Lifetime of a code of six digits that proves an address, in seconds: 600, and not more (ASVS
    /// 6.5.5).
    pub email_code_ttl: i64,
    /// How many codes a user may try within `email_code_ttl`, whether or not a new one is asked for
    /// in between: 5 (ASVS 6.6.3, NIST SP 800-63B-4 §3.1.3.2). At most 10: with 900,000 codes, who
    /// tries that many each time gets one right in 90,000.
    pub email_code_attempts: u32,
    /// Whether `PATCH` and `PUT` of a user refuse a password: it is changed with the old one (ASVS
    /// 6.2.3), or by a reset. LoopBack's `rejectPasswordChangesViaPatchOrReplace`: off.
    pub reject_password_changes_via_patch_or_replace: bool,
    /// Whether `PATCH` and `PUT` of a user refuse another address: it is changed with the password
    /// and a proof of the new one. Otherwise whoever finds a session open can take the account
    /// through a reset mail (ASVS 7.5.1). LoopBack has no such setting.
    pub reject_email_changes_via_patch_or_replace: bool,
    /// Answer `POST /{id}/verify` and `GET /confirm` for an unknown id with 404, as LoopBack does.
    /// Off: `verify` answers 204 and `confirm` 400 `INVALID_TOKEN`, as for a known one, and ids
    /// cannot be counted (ASVS 6.3.8).
    pub reveal_unknown_id_on_verify: bool,
    /// Whether the User API takes a body of a type that it does not read for an empty one, as
    /// LoopBack does: `multipart/form-data`, `text/json`, or no type at all. The client then learns
    /// that something is missing which it has sent. Off: 415, with the types that are read.
    pub unread_body_counts_as_empty: bool,
    /// Whether `PUT` of a user replaces all of it. If not, it changes what is sent, as `PATCH`
    /// does, and `POST /{id}/replace` is left to replace. LoopBack's `replaceOnPUT`: on.
    pub replace_on_put: bool,
    /// What a caller is answered to whom the access control list says no, if it is somebody; nobody
    /// always gets 401. LoopBack's `aclErrorStatus`: 401. Roles and owners that an app's own routes
    /// ask for have settings of their own, such as `Role::DENIED`.
    pub acl_error_status: AclErrorStatus,
    /// Whether a loaded user has `null` for what is not set, as from LoopBack's SQL connectors.
    /// Otherwise it has no such member, as from the memory connector.
    pub null_members: bool,
    /// Whether a token has `principalType`, the name of the user type
    /// ([`Account::model_name`](crate::Account::model_name)), in the responses of login and of
    /// `accessTokens`: as in LoopBack apps with several user models, whose clients tell by it whose
    /// id `userId` is.
    pub show_principal_type: bool,
    /// What stands for the caller's own id in a path: `me` makes `/users/me` the caller's, in the
    /// routes of the User API and only where an id is. LoopBack's `currentUserLiteral`: none.
    pub current_user_literal: Option<&'static str>,
    /// Sliding expiry: a token that is used this many seconds after it was issued or last renewed
    /// begins its lifetime anew (ASVS 7.3.1), at most until `max_token_ttl` after it was issued
    /// (ASVS 7.3.2). Each time costs one write. `None`, the default, is LoopBack's way: never.
    pub renew_after: Option<u32>,
    /// How long a password that was proven counts for what asks for it anew, such as another
    /// address, in seconds (ASVS 7.5.1). No standard has a number; 10 minutes is what a person
    /// needs to finish what it has begun.
    pub step_up_ttl: i64,
    /// Note when a token was last used, for its user's list of sessions, at most once in this many
    /// seconds: each time costs one write. Only of tokens whose client is known. `None`: never.
    pub last_used_precision: Option<u32>,
    /// Tell a user by mail that the password was changed (ASVS 6.3.7).
    pub notify_password_changed: bool,
    /// Tell a user by mail, at the old address, that there is a new one (ASVS 6.3.7).
    pub notify_email_changed: bool,
    /// Tell a user by mail of a login from a device that was not seen before (ASVS 6.3.5). Not of
    /// the first one after signing up. Where it is on, browsers get a cookie that they are known
    /// by.
    pub notify_unknown_device: bool,
    /// The most users that one request to sign up may make, as an array. Each costs the hashing of
    /// a password and tells whether an address is taken, which a limit on requests does not see.
    /// LoopBack: any number; 100 in its preset.
    pub max_batch: usize,
    /// How often the token of a stream is checked again, for what other processes have done to it:
    /// see [`Authenticated::ended`](crate::Authenticated::ended). Each time costs one query a
    /// stream. 60 seconds; no standard has a number, and it must not be zero.
    pub token_recheck: Duration,
    /// How long such checks may fail before the stream is told to end. 120 seconds; no standard has
    /// a number.
    pub token_recheck_grace: Duration,
    /// How long a store may take for one call before the request fails with 503. 5 seconds; no
    /// standard has a number, and it must not be zero.
    pub store_timeout: Duration,
    /// How long a change is waited for whose outcome a store does not tell, after its request was
    /// answered 503. Until then what follows the change (notices, events, the end of tokens) still
    /// follows. 60 seconds; no standard has a number. It must not be less than
    /// [`store_timeout`](Self::store_timeout).
    pub change_timeout: Duration,
    /// How long a hook of the app may take: `before_register` and `before_login` before the request
    /// fails with 503, `on_event`, for which no request waits, before the event counts as dropped.
    /// 5 seconds, as for a store; it must not be zero.
    pub hook_timeout: Duration,
    /// How many events the hooks may be behind with, all together. Beyond that an event is dropped
    /// and counted ([`Auth::dropped_events`](crate::Auth::dropped_events)). 1,024; no standard has
    /// a number.
    pub max_pending_events: usize,
    /// How long one mail is tried before it is given up, with all pauses. 60 seconds; no request
    /// waits for it, and it must not be zero. An app that stops waits so long at most
    /// ([`Auth::settled`](crate::Auth::settled)). A mail server that greylists (RFC 6647 §4) takes
    /// a mail of an unknown sender only after some minutes: set 10 minutes where mails go to such
    /// servers directly, and not through a relay that queues them.
    pub mail_timeout: Duration,
    /// How long the whole body of a request may take to arrive before the response is 408. 20
    /// seconds, as `mod_reqtimeout` of Apache has it; it must not be zero. Without such a limit
    /// every client that sends half a body keeps a connection for as long as it likes.
    pub body_timeout: Duration,
    /// The greatest number of bytes of a user's profile (the app's own fields), as compact JSON. It
    /// is checked wherever a profile is written, for the whole that is stored: a user that grows
    /// with every `PATCH` makes each later request slower for everybody. 65,536, so that a user
    /// that was read fits into the body that sends it back. In the preset for LoopBack 102,400,
    /// which is what one request there can send. No standard has a number.
    pub profile_max_bytes: usize,
    /// How deep objects and arrays of a profile may be nested; the profile itself is the first
    /// level. 32, and at most 64: readers of JSON refuse what is nested too deep (serde_json at 128
    /// levels), and what cannot be read back must not be written.
    pub profile_max_depth: usize,
    /// The pause after the first try that failed for now. Each later pause is twice as long, up to
    /// a quarter of `mail_timeout` and a minute at most. 1 second; it must not be zero.
    pub mail_backoff: Duration,
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
    ///   [`renew_after`](Self::renew_after) is set.
    fn default() -> Self {
        Self {
            token_ttl: 1_209_600,
            max_token_ttl: 31_556_926,
            allow_eternal_tokens: false,
            reset_token_ttl: 900,
            password_min_chars: 8,
            password_max_bytes: 1024,
            refuse_common_passwords: true,
            refuse_expected_passwords: true,
            context_words: Vec::new(),
            password_for_delete: true,
            case_sensitive_email: false,
            normalize_identifiers: true,
            colon_in_names: false,
            realm_required: false,
            realm_delimiter: None,
            client_sets_realm: false,
            reveal_unknown_email_on_reset: false,
            login_token_may_reset_password: false,
            insecure_reset_token_may_patch_password: false,
            expired_token_fails_open_routes: false,
            email_verification_required: false,
            email_required: true,
            verify_on_register: true,
            verification_ttl: 86_400,
            confirm_email_by_get: false,
            mails_per_hour: 3,
            mails_per_day: 10,
            reset_needs_verified_email: false,
            reveal_taken_email: false,
            reserved_name_ttl: 31_556_926,
            reject_password_changes_via_patch_or_replace: true,
            reject_email_changes_via_patch_or_replace: true,
            reveal_unknown_id_on_verify: false,
            unread_body_counts_as_empty: false,
            replace_on_put: true,
            acl_error_status: AclErrorStatus::Unauthorized,
            null_members: false,
            show_principal_type: false,
            current_user_literal: None,
            renew_after: None,
            email_code_ttl: 600,
            email_code_attempts: 5,
            step_up_ttl: 600,
            last_used_precision: Some(300),
            notify_password_changed: true,
            notify_email_changed: true,
            notify_unknown_device: false,
            max_batch: 1,
            token_recheck: Duration::from_secs(60),
            token_recheck_grace: Duration::from_secs(120),
            store_timeout: Duration::from_secs(5),
            change_timeout: Duration::from_secs(60),
            hook_timeout: Duration::from_secs(5),
            max_pending_events: 1024,
            mail_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(20),
            profile_max_bytes: 64 * 1024,
            profile_max_depth: 32,
            mail_backoff: Duration::from_secs(1),
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
        Self {
            token_ttl: 12 * 3600,
            max_token_ttl: 30 * 24 * 3600,
            reset_token_ttl: 600,
            password_min_chars: 15,
            reset_needs_verified_email: true,
            ..Self::default()
        }
    }

    /// LoopBack 3's answers and limits, for clients that depend on them. Each field says what that
    /// reveals or risks.
    #[must_use]
    pub fn loopback() -> Self {
        Self {
            password_min_chars: 1,
            password_max_bytes: 72,
            refuse_common_passwords: false,
            refuse_expected_passwords: false,
            password_for_delete: false,
            case_sensitive_email: true,
            client_sets_realm: true,
            normalize_identifiers: false,
            colon_in_names: true,
            reveal_unknown_email_on_reset: true,
            login_token_may_reset_password: true,
            expired_token_fails_open_routes: true,
            verify_on_register: false,
            verification_ttl: 31_556_926,
            confirm_email_by_get: true,
            reveal_taken_email: true,
            reject_password_changes_via_patch_or_replace: false,
            reject_email_changes_via_patch_or_replace: false,
            reveal_unknown_id_on_verify: true,
            unread_body_counts_as_empty: true,
            last_used_precision: None,
            notify_password_changed: false,
            max_batch: 100,
            profile_max_bytes: 100 * 1024,
            ..Self::default()
        }
    }

    /// Whether `password` may become somebody's password.
    ///
    /// 1. It is not empty.
    /// 2. It has at most [`password_max_bytes`](Self::password_max_bytes) bytes.
    /// 3. It has at least [`password_min_chars`](Self::password_min_chars) characters.
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
        } else if text.len() > self.password_max_bytes {
            Err(PasswordError::TooLong { max: self.password_max_bytes, entered: text.len() })
        } else if chars < self.password_min_chars {
            Err(PasswordError::TooShort { min: self.password_min_chars, entered: chars })
        } else if self.refuse_common_passwords && common_passwords::is_common(text) {
            Err(PasswordError::Common)
        } else {
            Ok(())
        }
    }

    /// Whether the same address may occur once in each realm.
    #[must_use]
    pub fn unique_per_realm(&self) -> bool {
        self.realm_required && self.realm_delimiter.is_some()
    }

    /// Whether a login must name a realm.
    #[must_use]
    pub fn has_realms(&self) -> bool {
        self.realm_required || self.realm_delimiter.is_some()
    }

    /// Whether a new user must have an address: see [`email_required`](Self::email_required).
    #[must_use]
    pub fn requires_email(&self) -> bool {
        self.email_required || self.email_verification_required
    }

    /// Whether a sign-up hides that an address has an account: see
    /// [`reveal_taken_email`](Self::reveal_taken_email).
    #[must_use]
    pub fn hides_taken_email(&self) -> bool {
        self.email_verification_required && self.verify_on_register && !self.reveal_taken_email
    }

    /// Whether a reset link goes only to a verified address: see
    /// [`reset_needs_verified_email`](Self::reset_needs_verified_email).
    #[must_use]
    pub fn resets_only_verified(&self) -> bool {
        self.email_verification_required || self.reset_needs_verified_email
    }

    /// Whether a realm is read from what a client sends: where the app has realms, and where
    /// [`client_sets_realm`](Self::client_sets_realm) is set. Elsewhere it is ignored like
    /// `emailVerified`, and only the app's own code sets it:
    /// [`Register::realm`](crate::Register::realm), and
    /// [`UpdateUser::trusted`](crate::UpdateUser::trusted).
    #[must_use]
    pub fn clients_set_realm(&self) -> bool {
        self.client_sets_realm || self.has_realms()
    }

    /// The first setting that contradicts itself or falls below what is safe, in words.
    pub(crate) fn mistake(&self) -> Option<&'static str> {
        let eternal = self.token_ttl == -1 && self.allow_eternal_tokens;
        if (self.token_ttl <= 0 && !eternal) || self.max_token_ttl <= 0 {
            Some("token_ttl and max_token_ttl must be positive (token_ttl may be -1 where allow_eternal_tokens is set)")
        } else if self.reset_token_ttl <= 0 || self.verification_ttl <= 0 {
            Some("reset_token_ttl and verification_ttl must be positive")
        } else if !(1..=600).contains(&self.email_code_ttl) || !(1..=10).contains(&self.email_code_attempts) {
            Some("email_code_ttl must be from 1 to 600 and email_code_attempts from 1 to 10")
        } else if self.reserved_name_ttl <= 0 {
            Some("reserved_name_ttl must be positive")
        } else if self.mails_per_hour == 0 || self.mails_per_day == 0 {
            Some("mails_per_hour and mails_per_day must be at least 1, or no mail with a link is ever sent")
        } else if self.step_up_ttl <= 0 {
            Some("step_up_ttl must be positive")
        } else if self.token_ttl > self.max_token_ttl {
            Some("token_ttl must not exceed max_token_ttl")
        } else if self.password_min_chars == 0 || self.password_max_bytes < self.password_min_chars {
            Some("password_min_chars must be at least 1 and at most password_max_bytes")
        } else if self.store_timeout.is_zero() || self.mail_timeout.is_zero() || self.hook_timeout.is_zero() {
            Some("store_timeout, mail_timeout and hook_timeout must not be zero")
        } else if self.token_recheck.is_zero() {
            Some("token_recheck must not be zero")
        } else if self.mail_backoff.is_zero() {
            Some("mail_backoff must not be zero")
        } else if self.change_timeout < self.store_timeout {
            Some("change_timeout must not be less than store_timeout")
        } else if self.body_timeout.is_zero() {
            Some("body_timeout must not be zero")
        } else if self.profile_max_bytes < 2 || !(1..=64).contains(&self.profile_max_depth) {
            Some("profile_max_bytes must be at least 2 and profile_max_depth from 1 to 64")
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
