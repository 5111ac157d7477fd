//! Ids of users in own tables keep their kind: the number 7, the string `7` and the string `007`
//! are three users.

use gatekit::core::{OneTimePurpose, OneTimeStore, RoleStore, TokenDigest, TokenStore};
use gatekit::{DeviceStore, UserId};

use crate::database::{Kept, NOW};

const MONGODB: &str = "665f1c0e8b3f4a0012345678";

#[tokio::test]
async fn the_owner_of_a_token_keeps_the_kind_of_its_id() {
    for kept in Kept::written_by_hand() {
        let (_folder, store) = kept.open().await;
        for (secret, id) in [
            ("one that never ends", UserId::from("forever")),
            ("of a MongoDB id", UserId::from(MONGODB)),
            ("of the number 7", UserId::Int(7)),
            ("of the string 7", UserId::from("7")),
            ("of the string 007", UserId::from("007")),
            ("of the number -9223372036854775808", UserId::Int(i64::MIN)),
            ("of an empty string", UserId::from("")),
            ("of a string with a colon", UserId::from(":7 '\u{e9}")),
        ] {
            let token = store.find_token(&TokenDigest::of(secret)).await.unwrap().unwrap();
            assert_eq!((&token.user_id, &*token.user_type), (&id, "Member"), "{kept}");
            let tokens = store.list_tokens_of("Member", &id).await.unwrap();
            assert_eq!(tokens, [token], "{kept}: they are of nobody else");
            assert_eq!(store.delete_tokens_of("Member", &id, 1).await.unwrap(), 1, "{kept}");
        }
    }
}

#[tokio::test]
async fn roles_devices_and_mailed_secrets_keep_the_kind_of_their_id() {
    let (number, string) = (UserId::Int(7), UserId::from("7"));
    for kept in Kept::written_by_hand() {
        let (_folder, store) = kept.open().await;
        if kept.level() >= 2 {
            assert_eq!(store.roles_of("Member", &number).await.unwrap(), ["of the number"], "{kept}");
            assert_eq!(store.roles_of("Member", &string).await.unwrap(), ["of the string"], "{kept}");
            assert!(store.roles_of("Member", &UserId::from("007")).await.unwrap().is_empty(), "{kept}");
            assert_eq!(store.users_in_role("Member", "editor").await.unwrap(), [UserId::from(MONGODB)], "{kept}");
        }
        if kept.level() >= 3 {
            assert_eq!(store.forget_devices_of("Member", &number).await.unwrap(), 0, "{kept}");
            assert_eq!(store.forget_devices_of("Member", &string).await.unwrap(), 1, "{kept}");
        }
        let purpose = OneTimePurpose::ResetPassword;
        let record = store.take_one_time(purpose, &TokenDigest::of("a member's reset")).await.unwrap().unwrap();
        assert_eq!(record.user_id, Some(UserId::from(MONGODB)), "{kept}");
        assert!(record.expires > NOW, "{kept}");
    }
}
