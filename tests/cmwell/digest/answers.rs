//! Which answer is right? RFC 7616, and what of it is a choice.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatekit_tests::{Answer, Store, on_every_store};

use super::client::{Challenge, Reply};
use super::site::{NAME, PASSWORD, Site, Wishes};

async fn answer(site: &Site) -> Reply {
    Challenge::new(site, "SHA-256").await.answer(NAME, PASSWORD)
}

/// 401 with new challenges, none of which asks to try again with the same password.
#[track_caller]
fn expect_refused(answer: Answer, what: &str) {
    assert_eq!(answer.status, 401, "{what}: {}", answer.body);
    let challenges = Challenge::all(&answer);
    assert!(!challenges.is_empty(), "{what}");
    assert!(challenges.iter().all(|challenge| challenge.get("stale").is_empty()), "{what}");
}

/// 400, and nothing of the header in it (contract U9).
#[track_caller]
fn expect_malformed(answer: Answer, header: &str, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.body);
    let told = header.split('"').filter(|part| part.len() > 7).any(|part| answer.body.contains(part));
    assert!(!told, "{what}: {}", answer.body);
}

on_every_store! {
    async fn the_right_answer_gets_a_token(store) {
        let site = Site::with_digest(store).await;
        let token = answer(&site).await.send(&site).await.expect_status(200).text("token");
        let me = site.get("/me").header("x-cm-well-token", &token).await.expect_status(200);
        assert_eq!(me.text("username"), NAME);
        for path in ["/_login?exp=3d%205h", "/_login?exp=2h30m&x=%2f", "/_login?"] {
            answer(&site).await.uri(path).send(&site).await.expect_status(200);
        }
        answer(&site).await.method("HEAD").send(&site).await.is(200, "");
    }

    /// DG-12
    async fn the_server_proves_that_it_knows_the_password_too(store) {
        let site = Site::with_digest(store).await;
        let reply = answer(&site).await;
        let info = reply.send(&site).await.expect_status(200).header("authentication-info").to_owned();
        let rspauth = reply.clone().method("").response();
        assert_eq!(info, format!(r#"rspauth="{rspauth}", qop=auth, cnonce="0a4f113b", nc=00000001"#));
        let refused = reply.tampered("response", Some("0")).send(&site).await.expect_status(401);
        assert_eq!(refused.header("authentication-info"), "");
    }

    /// RFC 7235 and 7616: a wrong password is asked for again.
    async fn a_wrong_password_gets_new_challenges(store) {
        let site = Site::with_digest(store).await;
        let challenge = Challenge::new(&site, "SHA-256").await;
        let refused = challenge.answer(NAME, "a wrong one").send(&site).await;
        assert_ne!(Challenge::all(&refused)[0].get("nonce"), challenge.get("nonce"));
        expect_refused(refused, "a wrong password");
        for wrong in ["", "0", "zz", &"0".repeat(64), &"0".repeat(63), &"0".repeat(65)] {
            let reply = challenge.answer(NAME, PASSWORD).tampered("response", Some(wrong));
            expect_refused(reply.send(&site).await, wrong);
        }
    }

    /// Contract U4; DG-9
    async fn an_answer_is_for_the_uri_it_was_made_for(store) {
        let site = Site::with_digest(store).await;
        let reply = answer(&site).await;
        for path in ["/_login?exp=60d", "/_login?", "/_login?exp="] {
            expect_malformed(reply.send_to(&site, path).await, &reply.header(), path);
        }
        let long = answer(&site).await.uri("/_login?exp=1d");
        expect_malformed(long.send_to(&site, "/_login?exp=60d").await, &long.header(), "another query");
        expect_malformed(long.send_to(&site, "/_login").await, &long.header(), "no query");
        for uri in ["http://evil.example/_login", "/%5flogin", "/_LOGIN", "//_login", "/", "", "*"] {
            let reply = answer(&site).await.uri(uri);
            expect_malformed(reply.send_to(&site, "/_login").await, &reply.header(), uri);
        }
        // The parameter as it must be, but another one hashed.
        let reply = answer(&site).await.uri("/_login?exp=1d").tampered("uri", Some("/_login?exp=60d"));
        expect_refused(reply.send_to(&site, "/_login?exp=60d").await, "an altered uri");
    }

    /// DG-10
    async fn an_answer_is_for_the_method_it_was_made_for(store) {
        let site = Site::with_digest(store).await;
        let head = answer(&site).await.method("HEAD");
        let sent = site.get("/_login").header("authorization", head.header());
        expect_refused(sent.await, "made for HEAD");
    }

    /// DG-6
    async fn what_was_not_offered_is_refused(store) {
        let site = Site::with_digest(store).await;
        let table = [
            ("realm", "other"),
            ("realm", "CMWELL"),
            ("realm", ""),
            ("opaque", "5058b4284162d0410f4749e9d3910a96"),
            ("opaque", ""),
            ("algorithm", "SHA-256-sess"),
            ("algorithm", "SHA-512-256"),
            ("algorithm", "MD5-sess"),
            ("algorithm", "none"),
            ("qop", "auth-int"),
            ("qop", "auth-conf"),
            ("qop", "none"),
            ("userhash", "true"),
        ];
        for (name, value) in table {
            expect_refused(answer(&site).await.with(name, value).send(&site).await, &format!("{name}={value}"));
            let tampered = answer(&site).await.tampered(name, Some(value));
            expect_refused(tampered.send(&site).await, &format!("{name}={value} afterwards"));
        }
        expect_refused(answer(&site).await.with("opaque", None).send(&site).await, "no opaque");
    }

    /// DG-1, DG-6: the weaker hash is not to be had by asking for it.
    async fn md5_is_refused_unless_it_is_offered(store) {
        let site = Site::with_digest(store).await;
        assert_eq!(Challenge::all(&site.get("/_login").await).len(), 1);
        for named in [Some("MD5"), Some("md5"), None] {
            let reply = answer(&site).await.tampered("algorithm", named).hashed_by("MD5");
            expect_refused(reply.send(&site).await, "MD5");
        }
        let reply = answer(&site).await.tampered("algorithm", None);
        expect_refused(reply.send(&site).await, "no algorithm means MD5");
    }

    /// DG-1: an answer is by the hash of its own challenge. Clients that know only MD5 read the
    /// first challenge alone, so it is MD5's.
    async fn with_its_flag_md5_is_offered_before_sha_256(store) {
        let site = Site::with_md5(store).await;
        let offered = Challenge::all(&site.get("/_login").await);
        let names: Vec<&str> = offered.iter().map(|challenge| challenge.get("algorithm")).collect();
        assert_eq!(names, ["MD5", "SHA-256"]);
        assert!(offered.iter().all(|challenge| challenge.get("qop") == "auth"));
        let [md5, sha] = &offered[..] else { panic!("two challenges") };
        let downgraded = sha.answer(NAME, PASSWORD).with("algorithm", "MD5").hashed_by("MD5");
        expect_refused(downgraded.send(&site).await, "MD5 for the nonce of SHA-256");
        md5.answer(NAME, PASSWORD).send(&site).await.expect_status(200);
        md5.answer(NAME, PASSWORD).count(2).with("algorithm", None).send(&site).await.expect_status(200);
        sha.answer(NAME, PASSWORD).send(&site).await.expect_status(200);
        // `@mhoc/axios-digest-auth` returns no opaque, which the signed nonce makes up for. Another
        // one is refused all the same.
        md5.answer(NAME, PASSWORD).count(3).with("opaque", None).send(&site).await.expect_status(200);
        expect_refused(md5.answer(NAME, PASSWORD).count(4).with("opaque", "x").send(&site).await, "another opaque");
        expect_refused(sha.answer(NAME, PASSWORD).count(2).with("opaque", None).send(&site).await, "SHA-256 without opaque");
        let old = Challenge::new(&site, "MD5").await.answer(NAME, PASSWORD).rfc2069();
        expect_refused(old.send(&site).await, "RFC 2069 has another flag");
    }

    /// DG-2
    async fn the_shape_of_rfc_2069_is_refused_without_its_flag(store) {
        let site = Site::with_digest(store).await;
        expect_refused(answer(&site).await.rfc2069().send(&site).await, "SHA-256 without qop");
        let md5 = answer(&site).await.rfc2069().with("algorithm", None).hashed_by("MD5");
        expect_refused(md5.send(&site).await, "MD5 without qop");
    }

    async fn with_its_flag_the_shape_of_rfc_2069_is_taken_once_for_each_nonce(store) {
        let site = Site::with_rfc2069(store).await;
        let reply = Challenge::new(&site, "MD5").await.answer(NAME, PASSWORD).rfc2069().with("algorithm", None);
        reply.send(&site).await.expect_status(200).expect_header("authentication-info", "");
        let again = reply.send(&site).await.expect_status(401);
        assert_eq!(Challenge::all(&again)[0].get("stale"), "true");
        expect_refused(answer(&site).await.rfc2069().send(&site).await, "SHA-256 without qop");
        let real = Challenge::new(&site, "MD5").await.answer(NAME, PASSWORD).rfc2069().uri("/_login?exp=1d");
        real.send(&site).await.expect_status(200);
        let fixed = Challenge::new(&site, "MD5").await.answer(NAME, PASSWORD).rfc2069();
        expect_malformed(fixed.send_to(&site, "/_login?exp=1d").await, &fixed.header(), "CM-Well's fixed uri");
    }

    /// RFC 7616 §3.4.6: a proxy has cut off the path of the public URL, and the client has hashed
    /// what it asked the proxy for.
    async fn a_path_that_a_proxy_cuts_off_may_stand_in_the_answer(store) {
        let public = "https://www.example.com/app";
        let site = Site::with(store, Wishes { public_url: Some(public), ..Wishes::default() }).await;
        for uri in ["/_login", "/app/_login", "https://www.example.com/app/_login", "https://WWW.example.com:443/_login"] {
            answer(&site).await.uri(uri).send_to(&site, "/_login").await.expect_status(200);
        }
        for uri in ["/other/_login", "/app/app/_login", "https://evil.example/app/_login", "/app/_login?exp=3d", "/app/"] {
            let reply = answer(&site).await.uri(uri);
            expect_malformed(reply.send_to(&site, "/_login").await, &reply.header(), uri);
        }
        let without = Site::with_digest(Store::Memory).await;
        let reply = answer(&without).await.uri("/app/_login");
        expect_malformed(reply.send_to(&without, "/_login").await, &reply.header(), "no public URL");
    }

    /// RFC 9112 §3.2.2: what a client sends to a proxy, on the request line and in its answer.
    async fn the_absolute_form_of_the_target_is_the_same_target(store) {
        let site = Site::with_digest(store).await;
        let (here, line) = ("http://app.example.com/_login?exp=1d", "/_login?exp=1d");
        for (uri, target) in [(here, here), (line, here), (here, line)] {
            let header = answer(&site).await.uri(uri).header();
            let sent = site.get(target).header("authorization", header);
            sent.await.expect_status(200);
        }
        for uri in ["http://other.example/_login?exp=1d", "http://app.example.com/_login", "http://app.example.com:8080/_login?exp=1d", "http://app.example.com"] {
            let reply = answer(&site).await.uri(uri);
            let sent = site.get(line).header("authorization", reply.header());
            expect_malformed(sent.await, &reply.header(), uri);
        }
    }

    /// Nested, the client still hashes the whole path.
    async fn behind_a_prefix_of_the_app_the_whole_path_is_the_target(store) {
        let site = Site::with_digest(store).await;
        let nested = axum::Router::new().nest("/cm/{tenant}", site.router.clone());
        let site = site.behind(nested);
        let challenge = Challenge::all(&site.get("/cm/a/_login").await.expect_status(401)).remove(0);
        challenge.answer(NAME, PASSWORD).uri("/cm/a/_login").send_to(&site, "/cm/a/_login").await.expect_status(200);
        let inner = challenge.answer(NAME, PASSWORD).count(2);
        expect_malformed(inner.send_to(&site, "/cm/a/_login").await, &inner.header(), "the path inside");
    }

    /// DG-2, DG-4, DG-5, DG-7, DG-17
    async fn what_is_malformed_gets_400_and_is_not_repeated(store) {
        let site = Site::with_digest(store).await;
        let reply = answer(&site).await;
        let mut headers: Vec<String> = ["username", "realm", "nonce", "uri", "response", "qop", "nc", "cnonce"]
            .iter()
            .map(|missing| reply.clone().tampered(missing, None).header())
            .collect();
        for (name, value) in [
            ("nc", "1"),
            ("nc", "000000001"),
            ("nc", "0000000g"),
            ("nc", "00000000"),
            ("cnonce", ""),
            ("userhash", "perhaps"),
            ("username*", "UTF-8''myUser"),
        ] {
            headers.push(reply.clone().tampered(name, Some(value)).header());
        }
        let cnonce = "c".repeat(257);
        headers.push(reply.clone().tampered("cnonce", Some(&cnonce)).header());
        let sound = reply.header();
        for name in ["username", "realm", "nonce", "uri", "response", "algorithm", "opaque", "nc", "qop", "cnonce"] {
            headers.push(format!("{sound}, {name}=x"));
            headers.push(format!("{sound}, {}=x", name.to_uppercase()));
        }
        headers.extend([format!("{sound}, "), format!("{sound}, x"), format!("{sound}\""), format!("{sound}, a=\"")]);
        // An empty element of a list is none.
        let fine = headers.iter().position(|header| header.ends_with(", ")).map(|index| headers.swap_remove(index));
        headers.extend(["Digest".into(), "Digest ".into(), "Digest nonsense".into(), format!("Digest a=\"{}\"", "x".repeat(9000))]);
        headers.push(format!("Digest {}", (0..10_000).map(|i| format!("p{i}=1,")).collect::<String>()));
        for header in headers {
            let sent = site.get("/_login").header("authorization", &header);
            expect_malformed(sent.await, &header, &header);
        }
        site.get("/_login").header("authorization", fine.unwrap()).await.expect_status(200);
    }

    /// RFC 7616 §5.6: who offers Basic as well can be made to be sent the password.
    async fn digest_can_be_all_that_is_offered(store) {
        let site = Site::with(store, Wishes { digest_alone: true, ..Wishes::default() }).await;
        let refused = site.get("/_login").await.expect_status(401);
        let offered: Vec<_> = refused.headers.get_all("www-authenticate").iter().collect();
        assert!(offered.len() == 1 && offered[0].as_bytes().starts_with(b"Digest "), "{offered:?}");
        let basic = STANDARD.encode(format!("{NAME}:{PASSWORD}"));
        let refused = site.get("/_login").header("authorization", format!("Basic {basic}")).await;
        expect_refused(refused, "Basic");
        answer(&site).await.send(&site).await.expect_status(200);
    }

    /// RFC 9110 §11.1
    async fn the_scheme_has_no_case(store) {
        let site = Site::with_digest(store).await;
        for scheme in ["digest", "DIGEST", "dIgEsT"] {
            let header = answer(&site).await.header().replacen("Digest", scheme, 1);
            site.get("/_login").header("authorization", header).await.expect_status(200);
        }
        // Contract §1.2: not whatever has the word somewhere in it.
        let header = format!("X{}", answer(&site).await.header());
        assert_ne!(site.get("/_login").header("authorization", header).await.status, 200);
    }

    /// DG-3, DG-8, 6.7.2
    async fn every_challenge_has_a_nonce_of_its_own(store) {
        let site = Site::with_md5(store).await;
        let mut nonces = Vec::new();
        for _ in 0..20 {
            let answer = site.get("/_login").await.expect_status(401);
            nonces.extend(Challenge::all(&answer).iter().map(|challenge| challenge.get("nonce").to_owned()));
        }
        nonces.sort();
        nonces.dedup();
        assert_eq!(nonces.len(), 40);
        // LOAD-13: asking costs no store.
        assert!(site.faults.calls().is_empty(), "{:?}", site.faults.calls());
    }
}
