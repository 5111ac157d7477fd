//! The rules of `UserStore::find_token_owner`: the one query, if there is one, answers what two
//! would.

use gatekit_core::{
    Account, Factor, MemoryStore, NewUser, NoProfile, PasswordHash, Proofs, RoleStore, Timestamp, TokenClient,
    TokenRecord, TokenStore, UserId, UserOperation, UserStore,
};

use super::rules::{T0, TEXTS, digest, ok, rules};

pub(super) async fn run<U, S, T, Made>(make: impl Fn() -> Made, new_user: impl Fn(&str) -> NewUser<U::Profile>)
where
    U: Account,
    S: UserStore<U>,
    T: TokenStore,
    Made: Future<Output = (S, T)>,
{
    let new = &new_user;
    rules!(make;
        the_owner_is_what_two_queries_find(new),
        an_unknown_token_has_no_owner(new),
        a_token_of_nobody_has_no_owner(new),
        a_token_of_an_id_of_the_other_kind_has_no_owner(new),
        a_token_of_another_user_type_has_no_owner(new),
        the_rev_is_the_users_present_one(new),
        tokens_of_another_store_are_looked_for_there(new),
    );
    if make().await.0.supports(UserOperation::Update) {
        rules!(make; a_changed_user_is_seen_by_the_next_request(new));
    }
    if make().await.0.supports(UserOperation::Delete) {
        rules!(make; the_tokens_of_a_removed_user_have_no_owner(new));
    }
}

pub(super) async fn run_roles<U, S, T, Made>(make: impl Fn() -> Made, new_user: impl Fn(&str) -> NewUser<U::Profile>)
where
    U: Account,
    S: UserStore<U>,
    T: TokenStore + RoleStore,
    Made: Future<Output = (S, T)>,
{
    let new = &new_user;
    rules!(make;
        the_roles_of_an_owner_are_its_own_or_are_left_to_be_asked_for(new),
        the_names_of_an_owners_roles_are_kept_byte_for_byte(new),
    );
}

async fn the_roles_of_an_owner_are_its_own_or_are_left_to_be_asked_for<U: Account>(
    (users, tokens): (impl UserStore<U>, impl TokenStore + RoleStore),
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let (of, elsewhere) = (U::model_name(), format!("{}s", U::model_name()));
    let ada = ok(users.create_user(new("ada@example.com")).await).user.id();
    let bob = ok(users.create_user(new("bob@example.com")).await).user.id();
    let token = TokenRecord { user_id: ada.clone(), ..token::<U>("secret") };
    ok(tokens.insert_token(&token).await);
    let rule = "the roles that come with a token's owner are those that were assigned to it";
    let check = async |expected: &[&str]| {
        assert_eq!(ok(tokens.roles_of(of, &ada).await), expected, "{rule}");
        let owner = ok(users.find_token_owner(&tokens, &token.digest).await).expect("a token of a user has an owner");
        assert!(owner.roles.is_none_or(|roles| roles == expected), "{rule}");
    };
    check(&[]).await;
    ok(tokens.assign_role(&elsewhere, &ada, "of another type of user").await);
    ok(tokens.assign_role(of, &bob, "of another user").await);
    let other_kind = match &ada {
        UserId::Int(id) => UserId::Text(id.to_string()),
        UserId::Text(id) => id.parse().map_or(UserId::Int(1), UserId::Int),
    };
    ok(tokens.assign_role(of, &other_kind, "of an id of the other kind").await);
    check(&[]).await;
    for role in ["editor", "author", "Author"] {
        ok(tokens.assign_role(of, &ada, role).await);
    }
    check(&["Author", "author", "editor"]).await;
    ok(tokens.unassign_role(of, &ada, "author").await);
    check(&["Author", "editor"]).await;
}

async fn the_names_of_an_owners_roles_are_kept_byte_for_byte<U: Account>(
    (users, tokens): (impl UserStore<U>, impl TokenStore + RoleStore),
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let of = U::model_name();
    let id = ok(users.create_user(new("ada@example.com")).await).user.id();
    let token = TokenRecord { user_id: id.clone(), ..token::<U>("secret") };
    ok(tokens.insert_token(&token).await);
    for role in TEXTS {
        ok(tokens.assign_role(of, &id, role).await);
    }
    let mut sorted = TEXTS;
    sorted.sort_unstable();
    let owner = ok(users.find_token_owner(&tokens, &token.digest).await).expect("a token of a user has an owner");
    assert!(owner.roles.is_none_or(|roles| roles == sorted), "a role's name is kept byte for byte");
}

async fn the_owner_is_what_two_queries_find<U: Account>(
    (users, tokens): (impl UserStore<U>, impl TokenStore),
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut digests = vec![digest("unknown")];
    for n in 0..3 {
        let user = ok(users.create_user(new(&format!("user{n}@example.com"))).await).user;
        let variants = [
            TokenRecord { scopes: None, ..token::<U>(format!("{n} plain")) },
            TokenRecord { scopes: Some(vec![]), ..token::<U>(format!("{n} nothing")) },
            TokenRecord { scopes: Some(vec!["read".into(), "\"'".into()]), ..token::<U>(format!("{n} scopes")) },
            TokenRecord { ttl: -1, ..token::<U>(format!("{n} eternal")) },
            TokenRecord { renewed: Some(Timestamp(T0.0 + 7)), ..token::<U>(format!("{n} renewed")) },
            TokenRecord {
                proofs: Proofs::of(Factor::Password, Timestamp(T0.0 - 7)),
                ..token::<U>(format!("{n} verified"))
            },
            TokenRecord { last_used: Some(Timestamp(T0.0 + 9)), ..token::<U>(format!("{n} used")) },
            TokenRecord { client: TokenClient::new(Some("Mozilla/5.0"), None), ..token::<U>(format!("{n} browser")) },
            TokenRecord {
                client: TokenClient::new(None, Some([10, 0, 0, 1].into())),
                ..token::<U>(format!("{n} network"))
            },
            TokenRecord { ttl: 0, created: T0, rev: 99, ..token::<U>(format!("{n} ended and of another rev")) },
        ];
        for token in variants {
            let token = TokenRecord { user_id: user.id(), ..token };
            ok(tokens.insert_token(&token).await);
            digests.push(token.digest);
        }
    }
    for digest in digests {
        same_as_two_queries(&users, &tokens, &digest).await;
    }
}

async fn an_unknown_token_has_no_owner<U: Account>(
    (users, tokens): (impl UserStore<U>, impl TokenStore),
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    ok(users.create_user(new("ada@example.com")).await);
    let found = ok(users.find_token_owner(&tokens, &digest("unknown")).await);
    assert!(found.is_none(), "an unknown token has no owner");
}

async fn a_token_of_nobody_has_no_owner<U: Account>(
    (users, tokens): (impl UserStore<U>, impl TokenStore),
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    ok(users.create_user(new("ada@example.com")).await);
    for id in [UserId::Int(-1), UserId::from("nobody")] {
        let token = TokenRecord { user_id: id.clone(), ..token::<U>(&id) };
        ok(tokens.insert_token(&token).await);
        let found = ok(users.find_token_owner(&tokens, &token.digest).await);
        assert!(found.is_none(), "a token whose user does not exist has no owner");
    }
}

async fn a_token_of_an_id_of_the_other_kind_has_no_owner<U: Account>(
    (users, tokens): (impl UserStore<U>, impl TokenStore),
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let other = match ok(users.create_user(new("ada@example.com")).await).user.id() {
        UserId::Int(id) => UserId::Text(id.to_string()),
        UserId::Text(id) => match id.parse() {
            Ok(number) => UserId::Int(number),
            Err(_) => return,
        },
    };
    let token = TokenRecord { user_id: other, ..token::<U>("secret") };
    ok(tokens.insert_token(&token).await);
    let found = ok(users.find_token_owner(&tokens, &token.digest).await);
    assert!(found.is_none(), "the integer 7 and the text 7 are different ids, also in a join");
}

async fn a_token_of_another_user_type_has_no_owner<U: Account>(
    (users, tokens): (impl UserStore<U>, impl TokenStore),
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let user_id = ok(users.create_user(new("ada@example.com")).await).user.id();
    let elsewhere = MemoryStore::<NoProfile>::new();
    let rule = "the same id in another user type is another user";
    for (n, name) in
        [format!("{}s", U::model_name()), U::model_name().to_lowercase() + " ", String::new()].into_iter().enumerate()
    {
        let token = TokenRecord { user_type: name.into(), user_id: user_id.clone(), ..token::<U>(n) };
        ok(tokens.insert_token(&token).await);
        ok(elsewhere.insert_token(&token).await);
        assert!(ok(users.find_token_owner(&tokens, &token.digest).await).is_none(), "{rule}");
        assert!(ok(users.find_token_owner(&elsewhere, &token.digest).await).is_none(), "{rule}, in two queries too");
    }
}

async fn the_rev_is_the_users_present_one<U: Account>(
    (users, tokens): (impl UserStore<U>, impl TokenStore),
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let id = ok(users.create_user(new("ada@example.com")).await).user.id();
    let token = TokenRecord { user_id: id.clone(), ..token::<U>("secret") };
    ok(tokens.insert_token(&token).await);
    let revs = async || {
        let found = ok(users.find_token_owner(&tokens, &token.digest).await);
        found.map(|owner| (owner.token.rev, owner.rev))
    };
    assert_eq!(revs().await, Some((0, 0)), "a token and its user have a rev each");
    ok(users.bump_rev(&id).await);
    assert_eq!(revs().await, Some((0, 1)), "a bump is seen by the next request");
    ok(users.set_password(&id, 1, &PasswordHash::from_stored("new")).await);
    assert_eq!(revs().await, Some((0, 2)), "a new password is seen by the next request");
    ok(tokens.carry_token_over(&token.digest, 0, 2).await);
    assert_eq!(revs().await, Some((2, 2)), "a token carried over is seen by the next request");
    ok(tokens.delete_token(&token.digest).await);
    assert_eq!(revs().await, None, "a logout is seen by the next request");
}

async fn a_changed_user_is_seen_by_the_next_request<U: Account>(
    (users, tokens): (impl UserStore<U>, impl TokenStore),
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let old = ok(users.create_user(new("ada@example.com")).await);
    let old_token = TokenRecord { user_id: old.user.id(), ..token::<U>("secret") };
    ok(tokens.insert_token(&old_token).await);
    let mut change = gatekit_core::UserChange::default();
    change.email = Some(Some("eve@example.com".into()));
    change.profile = Some(new("eve@example.com").profile);
    change.bump_rev = true;
    assert!(ok(users.update_user(&old, change).await).is_some(), "a change is made if nobody else has made one");
    same_as_two_queries(&users, &tokens, &old_token.digest).await;
    let renewed = TokenRecord { renewed: Some(T0), ttl: 5, ..old_token.clone() };
    assert!(ok(tokens.update_token(&old_token, &renewed).await), "a token that is still as it was is renewed");
    same_as_two_queries(&users, &tokens, &old_token.digest).await;
}

async fn the_tokens_of_a_removed_user_have_no_owner<U: Account>(
    (users, tokens): (impl UserStore<U>, impl TokenStore),
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let id = ok(users.create_user(new("ada@example.com")).await).user.id();
    let token = TokenRecord { user_id: id.clone(), ..token::<U>("secret") };
    ok(tokens.insert_token(&token).await);
    ok(users.delete_user(&id).await);
    let rule = "the tokens of a removed user are dead";
    assert!(ok(users.find_token_owner(&tokens, &token.digest).await).is_none(), "{rule}");
    ok(users.create_user(new("ada@example.com")).await);
    assert!(
        ok(users.find_token_owner(&tokens, &token.digest).await).is_none(),
        "{rule}, also when somebody comes after it"
    );
}

/// The identity of a store tells whether its tokens can be joined with.
async fn tokens_of_another_store_are_looked_for_there<U: Account>(
    (users, tokens): (impl UserStore<U>, impl TokenStore),
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let elsewhere = MemoryStore::<NoProfile>::new();
    let id = ok(users.create_user(new("ada@example.com")).await).user.id();
    let (here, there) =
        (TokenRecord { user_id: id.clone(), ..token::<U>("here") }, TokenRecord { user_id: id, ..token::<U>("there") });
    ok(tokens.insert_token(&here).await);
    ok(elsewhere.insert_token(&there).await);
    let rule = "a token is looked for in the store that was given";
    assert!(ok(users.find_token_owner(&elsewhere, &here.digest).await).is_none(), "{rule}");
    assert!(ok(users.find_token_owner(&tokens, &there.digest).await).is_none(), "{rule}");
    same_as_two_queries(&users, &elsewhere, &there.digest).await;
    let found = ok(users.find_token_owner(&elsewhere, &there.digest).await);
    assert_eq!(found.map(|owner| owner.token), Some(there), "{rule}");
}

/// A token of user 1 of this type that was issued at T0 for ten minutes.
fn token<U: Account>(secret: impl std::fmt::Display) -> TokenRecord {
    TokenRecord { user_type: U::model_name().into(), ..super::rules::token(secret) }
}

async fn same_as_two_queries<U: Account>(
    users: &impl UserStore<U>,
    tokens: &impl TokenStore,
    digest: &gatekit_core::TokenDigest,
) {
    let rule = "the owner of a token is what two queries find";
    let owner = ok(users.find_token_owner(tokens, digest).await);
    let token = ok(tokens.find_token(digest).await);
    assert_eq!(owner.as_ref().map(|owner| &owner.token), token.as_ref(), "{rule}");
    let (Some(owner), Some(token)) = (owner, token) else { return };
    let user = ok(users.find_user(&token.user_id).await).expect("a token's owner is found by its id");
    let json = |user: &U| serde_json::to_value(user).expect("a user can be written as JSON");
    assert_eq!(json(&owner.user), json(&user.user), "{rule}");
    assert_eq!(owner.user.id(), user.user.id(), "{rule}");
    assert_eq!(owner.rev, user.rev, "{rule}");
}
