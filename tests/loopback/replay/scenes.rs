//! What each section of the recordings starts from: the settings of the server, its users and their
//! tokens.
//!
//! A token that a request brings and that is in no list here is one of user 1, made just before.

use gatekit::core::{AclErrorStatus, VerifyOptions};
use gatekit::layer::CookieSecrets;
use gatekit::routes::Answers;
use gatekit::{Policy, TokenSource, TokenSources};
use serde_json::{Value, json};

use super::app::Settings;
use super::stage::{Row, Stage};

/// A section begins.
pub(super) async fn enter(stage: &mut Stage, file: &str, section: &str) {
    match file {
        "01-login" => login(stage, section).await,
        "02-token" => token(stage, section).await,
        "03-crud" => crud(stage, section).await,
        "04-password" => password(stage, section).await,
        "05-verify-realm" => verify_and_realm(stage, section).await,
        "06-acl" => acl(stage, section).await,
        "07-misc" => misc(stage, section).await,
        "08-order" => {
            stage.start(Settings::default()).await;
            stage.user(json!({"email": "foo@bar.com", "password": "bar"})).await;
        }
        _ => unknown(file, section),
    }
}

fn unknown(file: &str, section: &str) -> ! {
    panic!("{file}: nobody said what the section {section:?} starts from")
}

fn with(change: impl FnOnce(&mut Policy)) -> Settings {
    let mut settings = Settings::default();
    change(&mut settings.policy);
    settings
}

fn answering(change: impl FnOnce(&mut Answers)) -> Settings {
    let mut settings = Settings::default();
    change(&mut settings.answers);
    settings
}

fn looking_in(sources: TokenSources) -> Settings {
    Settings { sources, ..Settings::default() }
}

pub(super) fn development() -> Settings {
    Settings { debug: true, ..Settings::default() }
}

/// User 1 and user 2, each with a token.
async fn a_and_b(stage: &mut Stage, settings: Settings, username: Option<&str>, a: &str, b: &str) {
    stage.start(settings).await;
    stage.two_users(username).await;
    stage.token("A", a, Row::default()).await;
    stage.token("B", b, Row { user: 2, ..Row::default() }).await;
}

/// For a token whose value was never recorded.
const UNSEEN: [&str; 4] = ["unseenA", "unseenB", "unseenA2", "unseenA3"];

async fn login(stage: &mut Stage, section: &str) {
    match section {
        "default configuration, NODE_ENV=production" => stage.start(Settings::default()).await,
        "ttl" | "ttl as object: mass assignment of token fields" | "failures" => {}
        _ => unknown("01-login", section),
    }
}

/// The server had died. The recorder made its user again.
pub(super) async fn restart(stage: &mut Stage, file: &str) {
    let mut settings = Settings::default();
    let mut user = json!({"email": "foo@bar.com", "password": "bar", "username": "Foo"});
    if file == "05-verify-realm" {
        settings.has_mailer = false;
        settings.debug = true;
        user = json!({"email": "foo@bar.com", "password": "bar"});
    }
    stage.start(settings).await;
    stage.user(user).await;
}

async fn token(stage: &mut Stage, section: &str) {
    let [_, unseen_b, ..] = UNSEEN;
    match section {
        "default token() options; A = token of user 1, B = token of user 2. GET /api/users/1 needs user 1" => {
            stage.start(Settings::default()).await;
            stage.two_users(None).await;
        }
        "precedence" | "token id with odd shape" | "expiry and validation (rows made server-side)" => {}
        "NODE_ENV=development: expired token" => {
            stage.start(development()).await;
            stage.two_users(None).await;
        }
        "…(lost) bearerTokenBase64Encoded: false" => {
            let sources =
                [TokenSource::query("access_token"), TokenSource::header("x-access-token"), TokenSource::bearer()];
            let a = "X8pOCLWtMHdNAPSRZtW6OqCBhI9Hw9Uza4TemGDCdCFXVCEyYw5xr9PMV1VbH4cn";
            a_and_b(stage, looking_in(TokenSources::new(sources)), None, a, unseen_b).await;
        }
        "BODY_PARSER=1 (body parsed before token(), as in loopback-example-user-management)" => {
            let a = "CRBirdU6K4n2Bbe2TQpkbxmuf9lyI3cv3nDow146tytG3mMTRALnE8UzVd2n7snG";
            let b = "iWlmXUffEWCYytTcvsSxnH8lzia1ObJNGquv6NYDHVEeAOPOkjKBZuXt0bYaTm5J";
            a_and_b(stage, Settings::default(), None, a, b).await;
        }
        "cookie-parser with secret \"sekret\"" => {
            let a = "hPAFC4a8txzAOynQbHd5sJCdhYixgNW6bzQ2wI43kgA7eo1nnpldfFdcjfqedyCV";
            let b = "8ZZlx2UmLFyIFhe1xatKalgES2rW26dwztpUIIBAMR5QUNCcucNPsyh5X3y7AeLC";
            let secrets = CookieSecrets::with_insecure_lengths(["sekret"]).unwrap();
            let sources = TokenSources::loopback().with([
                TokenSource::signed_cookie("access_token", secrets.clone()),
                TokenSource::signed_cookie("authorization", secrets),
            ]);
            a_and_b(stage, looking_in(sources), None, a, b).await;
        }
        "currentUserLiteral: me" => {
            let a = "Bh1aoD4YboQNfgX5GMiB5BCYILsFWWKdBzr92QDUc5eDeq4l7gaerRriTHMOuLn4";
            a_and_b(stage, answering(|answers| answers.current_user_literal = Some("me")), None, a, unseen_b).await;
        }
        "no app-level token() (freshly generated project: only the one inside loopback.rest())" => {
            let a = "6JFliQ3teY0neG0o6S8InltX2HLuwckE38fF2LO3sS49A0Tzxm8GCzDjcW2zb5Th";
            a_and_b(stage, Settings::default(), None, a, unseen_b).await;
        }
        "custom keys, searchDefaultTokenKeys false" => {
            let sources = TokenSources::new([TokenSource::query("foo"), TokenSource::header("x-foo")]);
            let a = "0NejLuJ9bCsDLYNThbYKaHKBVK1dpPmASlReNLY7klayLcF9V5TYn13Ag9O0EmBU";
            a_and_b(stage, looking_in(sources), None, a, unseen_b).await;
        }
        "custom keys in addition to the default ones (custom keys come first)" => {
            let sources = TokenSources::loopback().with([TokenSource::query("foo"), TokenSource::header("x-foo")]);
            let a = "DnTWfJNHbqIobhnkGzRCljSkxsLG79lTl8r8JJTFgs5wFBJJoqoSLc6XSGbK99Md";
            let b = "InGrHNCZBJwKzlTLQJGH1duNDWZXcA2r83t9rghZ997y3jljs4YewKf1yLVusMJI";
            a_and_b(stage, looking_in(sources), None, a, b).await;
        }
        "allowEternalTokens" => {
            stage.start(with(|policy| policy.tokens.allow_eternal = true)).await;
            stage.two_users(None).await;
        }
        _ => unknown("02-token", section),
    }
}

async fn crud(stage: &mut Stage, section: &str) {
    let [.., a2, a3] = UNSEEN;
    match section {
        "create (default ACL: $everyone)" => stage.start(Settings::default()).await,
        "everything else, as anonymous / as owner (user 1) / as other (user 2)" => {
            let a = "kpZMoFO2EQeWB04gurLs8TIjGAWu6DQ6QSkt4Yo1ZxjA1f0Lxn3waSm9Tx6Y3Bs0";
            let b = "A1DzQjfUtP6LBNWCMaRIk7ewyEboUflUF9vZHqHqHNwdNBqzDy0ZCjn74tUs6brH";
            a_and_b(stage, Settings::default(), Some("foo"), a, b).await;
        }
        "owner operations on /users/1" | "replace (PUT /users/1)" | "delete" => {}
        "token invalidation: user 1 has tokens A, A2, A3; user 2 has B" => {
            let a = "hYvGWvnx9vfVE0ayB5mRArjE4in92g83w37ElxWvxl10kmsmQYbByBikWEZLssH3";
            let b = "mDaP1AEYtPrHraEfAHeJE8mq0LnmEv0oiQqx3DQBxhvOPdAGbmZF7x4uaFRGxO0F";
            a_and_b(stage, Settings::default(), Some("foo"), a, b).await;
            stage.token("A2", a2, Row::default()).await;
            stage.token("A3", a3, Row::default()).await;
        }
        _ => unknown("03-crud", section),
    }
}

async fn password(stage: &mut Stage, section: &str) {
    let [unseen_a, unseen_b, unseen_a2, _] = UNSEEN;
    match section {
        "logout" => {
            let a = "ADk0C5PhgV2a14ypSGcLypykHU3FACO5FMtY839arp79LyxMeDQSX4Y44rtQLcRT";
            let b = "tSOQfqyeLScO24BlUKmImKtIvY3IwdRurVzHFNmbJcE8q8LpECyGzq99W4UHMXGc";
            a_and_b(stage, Settings::default(), Some("foo"), a, b).await;
        }
        "reset (POST /users/reset)" => {}
        "reset-password with a reset token (default: token is NOT scoped)" => {
            let b = "HdmT1kJnHW4dP14GnB5d2Wy1vfR1StkA299H9nLhpxDCeRqWYdDDZkOO0qt2aFtP";
            a_and_b(stage, Settings::default(), Some("foo"), unseen_a, b).await;
        }
        "change-password" => {
            let a = "E68uneM70xtTZdrSDgjKPuSgcitfOUyyemQdE5bgsAtOp3ltwtjeVuIfz70YJdkH";
            a_and_b(stage, Settings::default(), Some("foo"), a, unseen_b).await;
            stage.token("A2", unseen_a2, Row::default()).await;
        }
        "NODE_ENV=development bodies" => {
            let a = "iQAURGjjRGdlGkRvqhPsYh9YWiZPQ7r1M9Fi9wptGvze2Ds5LUU2ViOpsgDBT66x";
            a_and_b(stage, development(), Some("foo"), a, unseen_b).await;
        }
        "restrictResetPasswordTokenScope: true, rejectPasswordChangesViaPatchOrReplace: true, resetPasswordTokenTTL: 120" =>
        {
            let settings = with(|policy| {
                policy.passwords.login_token_may_reset = false;
                policy.passwords.reject_changes_via_patch_or_replace = true;
                policy.tokens.reset_ttl = 120;
            });
            let a = "GM452jdPsxOu4sO2kT9RqOaTuh4YgQm3NapFUkW1P3yF7VUFDYoUHZgqSdjM84Mq";
            a_and_b(stage, settings, Some("foo"), a, unseen_b).await;
        }
        _ => unknown("04-password", section),
    }
}

fn verified_users() -> Settings {
    with(|policy| policy.email.verification_required = true)
}

/// The recorder went on with a server in development mode.
pub(super) async fn verified_users_in_development(stage: &mut Stage) {
    stage.start(Settings { debug: true, ..verified_users() }).await;
    stage.user(json!({"email": "foo@bar.com", "password": "bar"})).await;
}

async fn verify_and_realm(stage: &mut Stage, section: &str) {
    match section {
        "emailVerificationRequired: true" => stage.start(verified_users()).await,
        "…(lost) afterRemote create: user.verify({redirect: '/verified'})" => {
            let mut settings = Settings { public_url: "http://127.0.0.1:4402", ..verified_users() };
            settings.policy.email.verify_on_register = true;
            settings.verify.redirect = "/verified".into();
            stage.start(settings).await;
        }
        "verifyOptions in settings" => {
            let mut verify = VerifyOptions::default();
            verify.from = Some("me@my.org".into());
            verify.subject = "S".into();
            verify.text = "Go {href}".into();
            verify.redirect = "/done".into();
            stage.start(Settings { verify, public_url: "https://api.my.org", ..Settings::default() }).await;
            stage.user(json!({"email": "foo@bar.com", "password": "bar"})).await;
        }
        "no Email model attached (fresh api-server project)" => {
            stage.start(Settings { has_mailer: false, ..Settings::default() }).await;
            stage.user(json!({"email": "foo@bar.com", "password": "bar"})).await;
        }
        "caseSensitiveEmail: false" => {
            stage.start(with(|policy| policy.identifiers.case_sensitive_email = false)).await
        }
        "realmRequired: true" => stage.start(with(|policy| policy.identifiers.realm_required = true)).await,
        "realmRequired: true, realmDelimiter: \":\"" => {
            let settings = with(|policy| {
                policy.identifiers.realm_required = true;
                policy.identifiers.realm_delimiter = Some(':');
            });
            stage.start(settings).await;
        }
        _ => unknown("05-verify-realm", section),
    }
}

/// A server with more rows than the built-in ones, in LoopBack's notation.
pub(super) async fn start_with_acls(stage: &mut Stage, rows: Value) {
    let acls = rows.as_array().expect("a list of rows").clone();
    stage.start(Settings { acls, ..Settings::default() }).await;
    stage.two_users(Some("foo")).await;
}

/// An entry of a model's `acls`.
pub(super) fn allow(principal: &str, property: &str) -> Value {
    json!({"principalType": "ROLE", "principalId": principal, "permission": "ALLOW", "property": property})
}

async fn acl(stage: &mut Stage, section: &str) {
    match section {
        "owner allowed on the nested accessTokens routes and exists" => {
            let methods = [
                "__get__accessTokens",
                "__create__accessTokens",
                "__delete__accessTokens",
                "__count__accessTokens",
                "__findById__accessTokens",
                "__updateById__accessTokens",
                "__destroyById__accessTokens",
                "exists",
            ];
            start_with_acls(stage, methods.iter().map(|method| allow("$owner", method)).collect()).await;
            let b = "HQ4vGd98jDBsq43QeYkrX0KO0DhjonGfBcwW39rU7r56EK4YdYWF6CDFIq8vEDBh";
            stage.token("B", b, Row { user: 2, ..Row::default() }).await;
        }
        "$authenticated READ on everything (find, count, exists, findOne)" => {
            let mut row = allow("$authenticated", "*");
            row["accessType"] = "READ".into();
            start_with_acls(stage, json!([row])).await;
            let b = "QlP9Uyjr6cuGLifyX93MJDfmyp4EH6MTqpi2ZnNiX2IsOGdkSYAX2ZILSKkuXqqd";
            stage.token("B", b, Row { user: 2, ..Row::default() }).await;
        }
        "everything allowed to $authenticated (accessType *)" => {
            start_with_acls(stage, json!([allow("$authenticated", "*")])).await;
        }
        "alias names in ACLs" => {}
        "aclErrorStatus: 403" | "aclErrorStatus: 404" => {
            let forbidden = section == "aclErrorStatus: 403";
            let status = if forbidden { AclErrorStatus::Forbidden } else { AclErrorStatus::NotFound };
            stage.start(answering(|answers| answers.acl_error_status = status)).await;
            stage.two_users(Some("foo")).await;
            for b in [
                "NH54qj8GfH8wxE7GJVYzh3iumV3Sf7mRsURqHAcwHJnLlcOXe5g2AjPakYFGspNl",
                "uSdSPUNDedQwadXyEGvP5vdsRhCkLplENMqUmnUIrZ60gbXcoNSxSFH60Tj0tRm4",
            ] {
                stage.token("B", b, Row { user: 2, ..Row::default() }).await;
            }
        }
        "roles: Role admin + RoleMapping, ALLOW admin find" => {
            start_with_acls(stage, json!([allow("admin", "find")])).await;
            let b = "mTn2yFdP77FjKaBeE4OOGppQBOyUHJHkCCQ0eQkU49EXwCCavN6vbqonjDQQj04g";
            stage.token("B", b, Row { user: 2, ..Row::default() }).await;
        }
        "ACL with principalType USER; dynamic ACL row in the ACL model" => {
            let row = json!({"principalType": "USER", "principalId": 2, "permission": "ALLOW", "property": "find"});
            start_with_acls(stage, json!([row])).await;
            let b = "aQnyDLwl0kt6lpRntjDgD9ATCVg4nXJHG4jcMoOrC3Q0CCqXPzc1kBTM3mD5JrkA";
            stage.token("B", b, Row { user: 2, ..Row::default() }).await;
        }
        // Three servers: see `steps`.
        "ALLOW and DENY of the same specificity; $unauthenticated; $owner DENY" => {}
        "no enableAuth()" => {
            let settings = Settings { no_acl: true, sources: TokenSources::new([]), ..Settings::default() };
            stage.start(settings).await;
            stage.user(json!({"email": "foo@bar.com", "password": "bar"})).await;
        }
        "SUBCLASS=customer" => stage.start_with_customers().await,
        _ => unknown("06-acl", section),
    }
}

async fn misc(stage: &mut Stage, section: &str) {
    match section {
        "conditional GET, formats, encodings" => {
            stage.start(Settings::default()).await;
            stage.user(json!({"email": "foo@bar.com", "password": "bar", "username": "foo"})).await;
        }
        "arguments taken from headers" | "path ids" => {}
        "passwords" => {
            // As LoopBack stored 72 times `x`.
            stage
                .imported_user("long@bar.com", Some("$2a$04$f3iYMdbFd9wGJhXqt5TAieVa4Adfv0y64LQgRPAt.m3DwPqgtemfm"))
                .await;
            for (email, password) in [("utf@bar.com", "pässwörd€😀"), ("nul@bar.com", "ab\0cd"), ("sp@bar.com", "   ")]
            {
                stage.user(json!({"email": email, "password": password})).await;
            }
        }
        "password setter and stored hashes" => {
            stage.skip_ids(50).await;
            // The second half of LoopBack's hash of `bar`.
            let of_bar = |begin: &str| format!("{begin}$04$DMgwOWgxWYMmNVTC8BSbZ.7RbbtsxomIZ1.pVGs3L7ow/AyG5vuhW");
            stage.imported_user("p50@x.com", Some("plaintext-in-db")).await;
            stage.imported_user("p51@x.com", Some(&of_bar("$2y"))).await;
            stage.imported_user("p52@x.com", Some(&of_bar("$2b"))).await;
            stage.imported_user("p53@x.com", None).await;
            stage.imported_user("not-an-email", Some(&of_bar("$2a"))).await;
        }
        // Notes without exchanges; `tests/loopback/register.rs` and `costs.rs` have the rules.
        "uniqueness race: 10 parallel creates with one email" | "timing of login, saltWorkFactor 10" => {}
        "language of the messages (STRONGLOOP_GLOBALIZE_APP_LANGUAGE / LANG)" => stage.start(Settings::default()).await,
        "settings ttl/maxTTL" => {
            let settings = with(|policy| {
                policy.tokens.ttl = 100;
                policy.tokens.max_ttl = 200;
            });
            stage.start(settings).await;
            stage.user(json!({"email": "foo@bar.com", "password": "bar"})).await;
        }
        _ => unknown("07-misc", section),
    }
}

/// Another server, in the midst of a section.
pub(super) async fn start_with_policy(stage: &mut Stage, change: impl FnOnce(&mut Policy)) {
    start_with(stage, with(change)).await;
}

/// The same, whose routes answer otherwise.
pub(super) async fn start_with_answers(stage: &mut Stage, change: impl FnOnce(&mut Answers)) {
    start_with(stage, answering(change)).await;
}

async fn start_with(stage: &mut Stage, settings: Settings) {
    stage.start(settings).await;
    stage.user(json!({"email": "foo@bar.com", "password": "bar"})).await;
}
