//! No secret of a member is in a log line, in `Debug` output, in an answer that has no business
//! with it, or in the database's bytes.

use gatekit::core::MailKind;
use gatekit::wix::{ApprovalPolicy, RegistrationOptions};
use gatekit_testkit::{Fault, LogCapture, MailSink};
use gatekit_tests::Store;
use serde_json::json;

use crate::site::{EMAIL, Setup, Site};

const PASSWORD: &str = "marker-wix-password-9911";
const WRONG: &str = "marker-wix-wrong-9912";
const REFUSED: &str = "marker-wix-refused-9913";
const NEXT: &str = "marker-wix-next-9914";
const IN_A_BROKEN_BODY: &str = "marker-wix-broken-9915";
/// As they are given to the site.
const KEYS: [&str; 2] = ["wix-conformance-key-0123456789ab", "wix-approval-key-0123456789abcdef"];

/// LEAK-1, LEAK-2, LEAK-5, LEAK-6, LEAK-7, 16.2.5, 14.2.1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_anywhere_but_where_it_belongs() {
    let logs = LogCapture::of_the_process();
    for store in [Store::Memory, Store::Sqlite] {
        let setup = Setup::new(Site::verifying()).members(|members| members.approval(ApprovalPolicy::Manual));
        let site = setup.start(store).await;
        let mut secrets: Vec<String> = [PASSWORD, WRONG, REFUSED, NEXT, IN_A_BROKEN_BODY].map(str::to_owned).into();
        secrets.extend(KEYS.map(str::to_owned));
        let mut shown = Vec::new();

        let new = site.members.register(EMAIL, PASSWORD, RegistrationOptions::default()).await.unwrap();
        shown.push(format!("{new:?}"));
        let (state, approval) = (new.state_token.unwrap(), new.approval_token.unwrap());
        let code = site.code(1).await;
        secrets.extend([state.expose().to_owned(), approval.expose().to_owned()]);
        let session = site.members.approve_by_token(&approval).await.unwrap();
        shown.push(format!("{session:?} {approval:?} {state:?}"));
        let verified = site.members.verify_email_code(&state, &code).await.unwrap();
        shown.push(format!("{verified:?}"));
        secrets.extend([session.expose().to_owned(), verified.session_token.expose().to_owned()]);
        let applied = site.members.apply_session_token(&verified.session_token).await.unwrap();
        shown.push(format!("{applied:?} {:?}", site.members));
        let access = applied.token.secret.expose().to_owned();
        secrets.push(access.clone());
        site.post("/wix/send-set-password-email").json(json!({"email": EMAIL})).await.expect_status(200);
        let mails = site.mails.wait_for_kind(MailKind::SetPassword, 1).await;
        let set = MailSink::token_in(&mails[0]).unwrap();
        secrets.push(set.clone());

        let body = |password: &str| json!({"email": EMAIL, "password": password});
        for call in [
            site.login(EMAIL, WRONG),
            site.login("nobody@example.com", WRONG),
            site.post("/wix/login").json(format!(r#"{{"password":"{IN_A_BROKEN_BODY}"#)),
            site.post("/wix/login").json(json!({"email": EMAIL, "password": [IN_A_BROKEN_BODY]})),
            site.post("/wix/login").form(&format!("password={IN_A_BROKEN_BODY}")),
            site.post("/wix/register").json(body(REFUSED)),
            site.post("/wix/register").json(json!({"email": "x@example.com", "password": REFUSED.repeat(50)})),
            site.apply(verified.session_token.expose()),
            site.apply(approval.expose()),
            site.apply(&format!("{}x", session.expose())),
            site.apply(&access),
            site.post("/wix/verify").json(json!({"code": code, "stateToken": state.expose()})),
            site.post("/wix/set-password").json(json!({"token": set, "password": "x"})),
            site.post("/wix/set-password").json(json!({"token": access, "password": NEXT})),
            site.get("/wix/current-member?fieldsets=FULL").header("authorization", &access),
            site.get(&format!("/wix/current-member?access_token={access}")),
        ] {
            let answer = call.await;
            assert!(!answer.status.is_server_error(), "{answer:?}");
            shown.push(format!("{answer:?}"));
        }
        for fault in [Fault::Fail, Fault::FailAfter] {
            site.faults.every(fault);
            for call in [
                site.login(EMAIL, PASSWORD),
                site.apply(session.expose()),
                site.post("/wix/set-password").json(json!({"token": set, "password": NEXT})),
                site.post("/wix/verify").json(json!({"code": code, "stateToken": state.expose()})),
                site.post("/wix/logout").header("authorization", &access),
            ] {
                shown.push(format!("{:?}", call.await.expect_status(503)));
            }
            site.faults.reset();
        }
        site.post("/wix/set-password").json(json!({"token": set, "password": NEXT})).await.expect_status(204);
        shown.push(format!("{:?}", site.events.events()));
        site.auth.settled().await;
        for mail in site.mails.mails() {
            shown.push(format!("{mail:?}"));
        }

        logs.assert_free_of(&secrets);
        for text in &shown {
            // The path of a request that has its own token in the query is the test's own doing.
            let text = text.replace(&format!("access_token={access}"), "");
            for secret in &secrets {
                assert!(!text.contains(secret.as_str()), "{secret} is in {text}");
            }
        }
        if let Some(folder) = &site.folder {
            let mut files = 0;
            for entry in std::fs::read_dir(folder.path()).unwrap() {
                let bytes = std::fs::read(entry.unwrap().path()).unwrap();
                files += usize::from(bytes.windows(EMAIL.len()).any(|window| window == EMAIL.as_bytes()));
                for secret in &secrets {
                    let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                    assert!(!found, "the database holds {secret}");
                }
            }
            assert!(files > 0, "these are the files in which the member is");
        }
    }
    logs.assert_contains("a request about a member failed");
    logs.assert_contains("a session token was refused");
}
