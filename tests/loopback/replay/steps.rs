//! What the recorder did between two exchanges, and what has to be put right after one that
//! deviates, so that the next begin where they did.

use gatekit::core::TokenDigest;
use gatekit_tests::Answer;
use serde_json::{Map, Value, json};

use super::names::{is_token, tokens_in};
use super::scenes::{allow, start_with_acls, start_with_answers, start_with_policy, verified_users_in_development};
use super::stage::{Row, Stage};
use super::transcript::{Body, Exchange, Request};

/// Where the recorder looked into the database and wrote to it.
pub(super) const OF_THE_RECORDER: &str = "/__test/";

/// Before an exchange.
pub(super) async fn before(stage: &mut Stage, file: &str, exchange: &Exchange, request: &Request) {
    let token = || token_of(request).expect("the request brings a token").to_owned();
    let old = Row { ttl: 1, age: 100, ..Row::default() };
    match (file, exchange.number) {
        ("02-token", 44 | 46 | 48 | 49 | 67 | 102) => stage.token("expired", &token(), old).await,
        ("02-token", 50 | 71) => stage.token("ttl", &token(), Row { ttl: 0, ..old }).await,
        ("02-token", 52) => stage.token("ttl", &token(), Row { ttl: -1, ..old }).await,
        ("02-token", 54) => stage.token("ttl", &token(), Row { ttl: -2, ..old }).await,
        // Rows that cannot be: without a lifetime, a beginning or a user.
        ("02-token", 56 | 57 | 58 | 61) | ("04-password", 76) => stage.known_token("no row", &token()),
        ("02-token", 59) => stage.token("future", &token(), Row { ttl: 100, age: -1_000_000, ..old }).await,
        ("02-token", 60) | ("04-password", 55 | 75) => {
            stage.token("missing", &token(), Row { user: 999, ..Row::default() }).await;
        }
        ("02-token", 62) => scoped(stage, &token(), &["reset-password"]).await,
        ("02-token", 63) => scoped(stage, &token(), &[]).await,
        ("02-token", 64) => scoped(stage, &token(), &["DEFAULT"]).await,
        ("02-token", 65) => stage.token("own", "own-id", Row::default()).await,
        ("04-password", 13) => {
            stage.token("A", &token(), Row::default()).await;
            let second = "zCnvDzaTlTBlpywYXgDfLCtIfAzgqs6uUmVjTvYGvDSwYoI9nIUzrVdQbgHXMlUL";
            stage.token("A2", second, Row::default()).await;
        }
        ("04-password", 15) => scoped(stage, &token(), &["x"]).await,
        ("05-verify-realm", 40) => verified_users_in_development(stage).await,
        ("05-verify-realm", 27 | 28) => {
            stage.call("POST", "/api/users/1/verify").await.expect_no_content();
        }
        ("06-acl", 109) => {
            let mut deny = allow("$owner", "findById");
            deny["permission"] = "DENY".into();
            start_with_acls(stage, json!([allow("$owner", "findById"), deny])).await;
        }
        ("06-acl", 110) => start_with_acls(stage, json!([allow("$unauthenticated", "find")])).await,
        ("06-acl", 112) => start_with_acls(stage, json!([allow("$owner", "*")])).await,
        // LoopBack does not look whether the default is one that it takes at login.
        ("07-misc", 62) => {
            start_with_policy(stage, |policy| {
                policy.tokens.ttl = -1;
                policy.tokens.allow_eternal = true;
            })
            .await;
        }
        ("07-misc", 63) => start_with_answers(stage, |answers| answers.replace_on_put = false).await,
        _ => {}
    }
    if let Some(secret) = verification_secret(request).filter(|secret| !stage.names.knows(secret)) {
        let mail = stage.mail().await;
        let live = secret_in(mail.link.as_deref().expect("a mail with a link"));
        stage.names.learn(secret, &live);
    }
    let unknown = token_of(request).filter(|token| is_token(token) && !stage.names.knows(token));
    if let Some(token) = unknown {
        stage.token("A", token, Row::default()).await;
    }
}

async fn scoped(stage: &mut Stage, token: &str, scopes: &'static [&'static str]) {
    stage.token("scoped", token, Row { scopes: Some(scopes), ..Row::default() }).await;
}

/// The token of a request, where it stands as it is.
fn token_of(request: &Request) -> Option<&str> {
    let in_header = request.headers.iter().find_map(|(name, value)| {
        let names = ["authorization", "x-access-token", "x-foo"];
        names.contains(&name.to_ascii_lowercase().as_str()).then(|| tokens_in(value).next()).flatten()
    });
    in_header.or_else(|| tokens_in(request.path.split_once("access_token=")?.1).next())
}

/// What a mail said that a request brings back.
fn verification_secret(request: &Request) -> Option<&str> {
    let (_, query) = request.path.split_once("/confirm?")?;
    let secret = query.split('&').find_map(|pair| pair.strip_prefix("token="))?;
    (secret.len() == 128).then_some(secret)
}

pub(super) fn secret_in(link: &str) -> String {
    let (_, secret) = link.split_once("token=").expect("a link with a secret");
    secret.split('&').next().unwrap_or_default().to_owned()
}

/// After an exchange that was run: where ours deviates, what LoopBack did is done.
pub(super) async fn after(stage: &mut Stage, file: &str, number: u32, answer: &Answer) {
    match (file, number) {
        // A token in a body is not looked at.
        ("02-token", 76) => stage.auth().set_password(&2.into(), "bar2".into(), None).await.unwrap(),
        // They prove addresses to themselves.
        ("03-crud", 41) => verify_email(stage, 19).await,
        ("03-crud", 161) => verify_email(stage, 1).await,
        ("05-verify-realm", 38) => verify_email(stage, 2).await,
        ("06-acl", 59) => verify_email(stage, 5).await,
        ("03-crud", 49) => stage.remove_user(22).await,
        // A used reset token is not taken a second time.
        ("04-password", 91) => stage.auth().set_password(&1.into(), "n2".into(), None).await.unwrap(),
        // No client chooses a token: what LoopBack knows as `mine` we know by its handle.
        ("06-acl", 7) => {
            let handle = TokenDigest::of(&answer.text("id")).handle();
            stage.names.learn("mine", &handle);
        }
        // So there is no second of that name either.
        ("06-acl", 8) => stage.remove_token(&answer.text("id")).await,
        _ => {}
    }
}

async fn verify_email(stage: &mut Stage, user: i64) {
    stage.change_user(user, |change| change.email_verified = Some(Some(true))).await;
}

/// An exchange of the recorder's own: what it did is done, and what it saw is looked for. The error
/// says what is not there.
pub(super) async fn of_the_recorder(
    stage: &mut Stage,
    file: &str,
    exchange: &Exchange,
    request: &Request,
) -> Result<(), String> {
    let whole = exchange.answer.as_ref().and_then(|answer| match &answer.body {
        Body::Whole(body) => Some(body),
        Body::BeginsWith(_) => None,
    });
    let Some(recorded) = whole.filter(|_| request.path.starts_with(OF_THE_RECORDER)) else { return Ok(()) };
    let recorded: Value = serde_json::from_str(recorded).map_err(|error| error.to_string())?;
    match (file, exchange.number, request.path.as_str()) {
        // What LoopBack stored because of a defect: an access token as a field of the user, a
        // change by somebody else. And the database after a death, which is empty there.
        ("02-token", 78, _) | ("06-acl", 117, _) | ("05-verify-realm", 47, _) => Ok(()),
        (_, _, "/__test/events") => events(stage, &recorded),
        (_, _, "/__test/outbox") => outbox(stage, &recorded).await,
        (_, _, "/__test/raw/User") => users(stage, &recorded).await,
        ("06-acl", 98, _) => stage.assign_role(1, "admin").await,
        ("06-acl", 105 | 107, _) => {
            let row = serde_json::from_str(request.body.as_deref().unwrap_or_default()).expect("a row");
            stage.add_acl(row);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The secret of a reset is what LoopBack made a token.
fn events(stage: &mut Stage, recorded: &Value) -> Result<(), String> {
    let token = recorded.pointer("/0/accessToken/id").and_then(Value::as_str).ok_or("no token")?;
    let live = stage.reset_secret().ok_or("no reset was asked for")?;
    stage.names.learn(token, &live);
    Ok(())
}

async fn outbox(stage: &mut Stage, recorded: &Value) -> Result<(), String> {
    let [recorded] = recorded.as_array().map(Vec::as_slice).unwrap_or_default() else {
        return Err("not one mail".into());
    };
    let mail = stage.mail().await;
    let link = mail.link.ok_or("no link")?;
    stage.names.learn(recorded["verificationToken"].as_str().unwrap_or_default(), &secret_in(&link));
    // LoopBack names the collection as the model says it, we as it is mounted.
    let wanted = |member: &str| {
        let text = recorded[member].as_str().unwrap_or_default().replace("/api/Users/", "/api/users/");
        stage.names.put_into(&text)
    };
    let found = [
        ("to", mail.to),
        ("from", mail.from.unwrap_or_default()),
        ("subject", mail.subject),
        ("text", mail.text),
        ("verifyHref", link),
    ];
    match found.into_iter().find(|(member, found)| wanted(member) != *found) {
        Some((member, found)) => Err(format!("the mail's {member} is {found:?} and not {:?}", wanted(member))),
        None => Ok(()),
    }
}

/// The rows are the same, but for what nobody sees of a user.
async fn users(stage: &mut Stage, recorded: &Value) -> Result<(), String> {
    let rows = recorded.as_object().ok_or("no rows")?;
    let mut wanted = Vec::new();
    for row in rows.values() {
        let mut row: Map<String, Value> =
            serde_json::from_str(row.as_str().unwrap_or_default()).map_err(|error| error.to_string())?;
        // An empty name is none here: see `deviations.toml`.
        row.retain(|name, value| name != "password" && name != "verificationToken" && !value.is_null() && value != "");
        wanted.push(Value::Object(row));
    }
    let found = stage.all_users().await;
    if found.len() == wanted.len() && wanted.iter().all(|user| found.contains(user)) {
        return Ok(());
    }
    let missing: Vec<_> = wanted.iter().filter(|user| !found.contains(user)).map(Value::to_string).collect();
    let extra: Vec<_> = found.iter().filter(|user| !wanted.contains(user)).map(Value::to_string).collect();
    Err(format!("users that are not there: {missing:?}, and that should not be: {extra:?}"))
}

/// A note of the recorder's.
pub(super) async fn note(stage: &mut Stage, note: &str) -> Result<(), String> {
    if let Some(alive) = note.strip_prefix("tokens left: ") {
        // A reset token is none of these: see `deviations.toml`.
        let wanted: Vec<_> = alive.split(' ').filter(|label| *label != "RT").collect();
        let found = stage.live_tokens().await;
        return if found == wanted { Ok(()) } else { Err(format!("tokens left: {found:?} and not {wanted:?}")) };
    }
    if let Some(method) = note.strip_prefix("ACL ALLOW $authenticated ") {
        start_with_acls(stage, json!([allow("$authenticated", method)])).await;
    } else if let Some((label @ ("A" | "B"), token)) = note.split_once('=') {
        let user = if label == "A" { 1 } else { 2 };
        stage.token(label, token, Row { user, ..Row::default() }).await;
    } else if note.starts_with("{\"event\":\"resetPasswordRequest\"") {
        let event: Value = serde_json::from_str(note).map_err(|error| error.to_string())?;
        let live = stage.reset(event["email"].as_str().unwrap_or_default()).await;
        stage.names.learn(event["accessToken"]["id"].as_str().unwrap_or_default(), &live);
    }
    Ok(())
}
