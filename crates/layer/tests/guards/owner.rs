//! `require_owner`.

use gatekit_core::{AclErrorStatus, UserId};
use gatekit_layer::{AuthRejection, Owned, require_owner};

struct Note(Option<UserId>);

impl Owned for Note {
    fn owner(&self) -> Option<UserId> {
        self.0.clone()
    }
}

struct Secret(UserId);

impl Owned for Secret {
    fn owner(&self) -> Option<UserId> {
        Some(self.0.clone())
    }

    const DENIED: AclErrorStatus = AclErrorStatus::NotFound;
}

struct Loopback(UserId);

impl Owned for Loopback {
    fn owner(&self) -> Option<UserId> {
        Some(self.0.clone())
    }

    const DENIED: AclErrorStatus = AclErrorStatus::Unauthorized;
}

/// 8.2.2
#[test]
fn the_owner_passes_and_nobody_else() {
    let note = |owner: Option<UserId>| Note(owner);
    for id in [UserId::from(1), UserId::from("ada")] {
        assert!(require_owner(&id, &note(Some(id.clone()))).is_ok());
    }
    for (caller, owner) in [
        (UserId::from(1), Some(UserId::from(2))),
        (UserId::from(1), Some(UserId::from("1"))),
        (UserId::from("a"), Some(UserId::from("A"))),
        (UserId::from(0), None),
        (UserId::from(""), None),
    ] {
        let refused = require_owner(&caller, &note(owner.clone())).unwrap_err();
        assert!(matches!(refused, AuthRejection::Forbidden), "{caller} {owner:?}");
        assert_eq!(refused.to_error().status(), 403);
    }
}

/// 8.2.2: where ids can be guessed, 404 does not tell which ones exist.
#[test]
fn a_record_chooses_what_others_are_answered() {
    let (mine, other) = (UserId::from(1), UserId::from(2));
    assert!(require_owner(&mine, &Secret(mine.clone())).is_ok());
    assert_eq!(require_owner(&other, &Secret(mine.clone())).unwrap_err().to_error().status(), 404);
    let loopback = require_owner(&other, &Loopback(mine)).unwrap_err();
    assert_eq!(
        loopback.to_error().body(),
        r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#
    );
    assert!(loopback.is_denial() && !loopback.is_anonymous());
}
