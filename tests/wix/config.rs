//! What is put together wrongly is refused when it is put together.

use gatekit::core::Builder;
use gatekit::wix::{ApprovalPolicy, MemberUser, TakenEmail, TokenKeys, WixConfigError, WixMembers, WixMembersBuilder};
use gatekit::{Auth, MemoryStore, Policy};
use gatekit_testkit::fast_hasher;

use crate::site::{Site, approval_keys, session_keys, site_id};

fn builder(policy: Policy) -> Builder<MemberUser> {
    let store = MemoryStore::new();
    Auth::builder(store).hasher(fast_hasher()).policy(policy)
}

fn refused(policy: Policy, configure: impl FnOnce(WixMembersBuilder) -> WixMembersBuilder) -> WixConfigError {
    let auth = builder(policy).build().unwrap();
    configure(WixMembers::builder(auth, site_id(), session_keys(), approval_keys())).build().unwrap_err()
}

/// 11.1.1: no key has two purposes.
#[test]
fn tokens_of_two_purposes_share_no_key() {
    let shared = |session: TokenKeys, approval: TokenKeys| {
        WixMembers::builder(builder(Policy::default()).build().unwrap(), site_id(), session, approval).build()
    };
    let same_key = TokenKeys::new("another", "wix-conformance-key-0123456789ab").unwrap();
    let same_kid = TokenKeys::new("testKid1", [9; 32]).unwrap();
    let once = approval_keys().older("x", "wix-conformance-key-0123456789ab").unwrap();
    for approval in [session_keys(), same_key, same_kid, once] {
        assert_eq!(shared(session_keys(), approval).unwrap_err(), WixConfigError::SharedKey("testKid1".into()));
    }
    shared(session_keys(), approval_keys()).unwrap();
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let default = Policy::default;
    let mut linked = default();
    linked.email.verification_required = true;
    let mut realms = default();
    realms.identifiers.realm_required = true;
    let verify = |required| move |members: WixMembersBuilder| members.email_verification(required);
    assert_eq!(refused(default(), verify(true)), WixConfigError::EmailVerification);
    assert_eq!(refused(Site::verifying(), verify(false)), WixConfigError::EmailVerification);
    assert_eq!(refused(linked, verify(true)), WixConfigError::VerifyOnRegister);
    assert_eq!(refused(realms, |members| members), WixConfigError::Realms);
    let hidden = |members: WixMembersBuilder| members.taken_email(TakenEmail::AlwaysVerify);
    assert_eq!(refused(default(), hidden), WixConfigError::NothingToVerify);
    assert_eq!(refused(default(), |members| members.session_ttl(-1)), WixConfigError::SessionTtl);
    for page in ["/choose", "https://evil.example/{token}", "//evil.example/{token}", "choose/{token}"] {
        assert_eq!(refused(default(), |members| members.set_password_page(page)), WixConfigError::SetPasswordPage);
    }
    for name in ["", "emails", "__proto__"] {
        let wanted = WixConfigError::ContactField(name.into());
        assert_eq!(refused(default(), |members| members.contact_fields([name])), wanted);
    }
    let wrong = refused(default(), |members| members.collection_id("x"));
    assert!(matches!(wrong, WixConfigError::CollectionId(_)));
}

type Configure = fn(WixMembersBuilder) -> WixMembersBuilder;

/// A mail to nobody, or with a link that leads nowhere, is found out when the app starts.
#[test]
fn an_approver_is_somebody_who_has_to_decide_at_a_page_that_is_there() {
    let manual = |members: WixMembersBuilder| members.approval(ApprovalPolicy::Manual);
    let page = "/approve?token={token}";
    let wrong: [(&str, Configure); 5] = [
        ("nobody waits", |members| members.approver("owner@example.com")),
        ("nobody is told", |members| members.approval(ApprovalPolicy::Manual).approval_page("/approve?token={token}")),
        ("no address", |members| members.approval(ApprovalPolicy::Manual).approver("owner")),
        ("another site", |members| {
            let members = members.approval(ApprovalPolicy::Manual).public_url("https://www.example.com");
            members.approver("owner@example.com").approval_page("//evil.example/{token}")
        }),
        ("no public URL", |members| {
            let members = members.approval(ApprovalPolicy::Manual).approver("owner@example.com");
            members.approval_page("/approve?token={token}")
        }),
    ];
    for (why, configure) in wrong {
        assert_eq!(refused(Policy::default(), configure), WixConfigError::Approver, "{why}");
    }
    for page in [None, Some(page)] {
        let auth = builder(Policy::default()).public_url("https://www.example.com").build().unwrap();
        let members = manual(WixMembers::builder(auth, site_id(), session_keys(), approval_keys()));
        let members = members.approver("owner@example.com");
        page.into_iter().fold(members, WixMembersBuilder::approval_page).build().unwrap();
    }
}

#[test]
fn a_client_and_a_collection_have_ids_of_the_sites() {
    let members = || {
        let auth = builder(Policy::default()).build().unwrap();
        WixMembers::builder(auth, site_id(), session_keys(), approval_keys())
    };
    assert_eq!(members().build().unwrap().client_id(), members().build().unwrap().client_id());
    assert_eq!(members().client_id("mine").build().unwrap().client_id(), "mine");
    assert_eq!(members().build().unwrap().site_id(), &site_id());
}

/// LEAK-2
#[test]
fn debug_shows_no_key() {
    let auth = builder(Policy::default()).build().unwrap();
    let members = WixMembers::builder(auth, site_id(), session_keys(), approval_keys());
    let shown = format!("{members:?} {:?}", members.clone().build().unwrap());
    assert!(
        shown.contains("testKid1") && !shown.contains("wix-conformance") && !shown.contains("wix-approval"),
        "{shown}"
    );
}
