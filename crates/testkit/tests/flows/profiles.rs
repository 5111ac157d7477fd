//! How large a profile may be, whoever writes it.

use gatekit_core::{
    Auth, FieldError, FieldProblem, HookVeto, Hooks, MemoryStore, NewUser, Policy, Register, RegisterError, UpdateUser,
    UpdateUserError, User,
};
use gatekit_testkit::fast_hasher;
use serde_json::{Map, Value, json};

use crate::{EMAIL, OLD};

type Profile = Map<String, Value>;

/// A profile of so many bytes.
fn of_bytes(bytes: usize) -> Profile {
    Map::from_iter([("a".to_owned(), json!("x".repeat(bytes - r#"{"a":""}"#.len())))])
}

/// A profile of so many levels, itself included.
fn of_levels(levels: usize) -> Profile {
    let inner = (2..levels).fold(json!({}), |inner, n| if n % 2 == 0 { json!([inner]) } else { json!({ "b": inner }) });
    Map::from_iter([("a".to_owned(), inner)])
}

fn auth(policy: Policy) -> Auth<User<Profile>> {
    let store = MemoryStore::new();
    Auth::builder(store).policy(policy).hasher(fast_hasher()).build().unwrap()
}

fn register(email: &str, profile: Profile) -> Register<Profile> {
    let mut register = Register::with_profile(profile);
    (register.email, register.password) = (Some(email.into()), Some(OLD.into()));
    register
}

fn problems(errors: &[FieldError]) -> Vec<(&str, FieldProblem)> {
    errors.iter().map(|error| (error.field.as_str(), error.problem.clone())).collect()
}

/// LOAD-4, FUZZ-9
#[tokio::test]
async fn a_profile_beyond_the_limits_is_not_stored() {
    for policy in [Policy::default(), Policy::strict(), Policy::loopback()] {
        let (bytes, levels) = (policy.limits.profile_max_bytes, policy.limits.profile_max_depth);
        let auth = auth(policy);
        for (n, sound) in [of_bytes(bytes), of_levels(levels)].into_iter().enumerate() {
            auth.register(register(&format!("{n}@example.com"), sound)).await.unwrap();
        }
        let (large, deep) = (FieldProblem::TooLarge(bytes), FieldProblem::TooDeep(levels));
        for (wrong, problem) in [(of_bytes(bytes + 1), large), (of_levels(levels + 1), deep)] {
            let refused = auth.register(register(EMAIL, wrong.clone())).await.unwrap_err();
            let RegisterError::Invalid(errors) = refused else { panic!("{refused:?}") };
            assert_eq!(problems(&errors), [("profile", problem.clone())]);
            let refused = auth.update_user(UpdateUser::patch(1, wrong).trusted()).await.unwrap_err();
            let UpdateUserError::Invalid(errors) = refused else { panic!("{refused:?}") };
            assert_eq!(problems(&errors), [("profile", problem.clone())]);
        }
    }
}

/// The whole counts, and not what one request adds: 400 small changes made a profile that kept
/// everybody waiting.
#[tokio::test]
async fn a_profile_does_not_grow_past_the_limit_by_small_changes() {
    let auth = auth(Policy::default());
    let ada = auth.register(register(EMAIL, Map::new())).await.unwrap();
    let mut refused = None;
    for n in 0..100 {
        let change = Map::from_iter([(format!("field{n}"), json!("x".repeat(1000)))]);
        if let Err(error) = auth.update_user(UpdateUser::patch(ada.id.clone(), change)).await {
            refused = Some((n, error));
            break;
        }
    }
    let (n, error) = refused.unwrap();
    assert!((60..65).contains(&n), "{n}");
    assert!(
        matches!(&error, UpdateUserError::Invalid(errors) if matches!(problems(errors)[..], [("profile", FieldProblem::TooLarge(_))])),
        "{error:?}"
    );
    // What is removed makes room, and what else a user has can be changed.
    let rename = Map::from_iter([("username".to_owned(), json!("ada"))]);
    auth.update_user(UpdateUser::patch(ada.id.clone(), rename)).await.unwrap();
    let change = Map::from_iter([("field0".to_owned(), json!("")), ("another".to_owned(), json!("x".repeat(900)))]);
    auth.update_user(UpdateUser::patch(ada.id, change)).await.unwrap();
}

/// Levels meet in a change as well.
#[tokio::test]
async fn a_change_that_nests_deeper_than_the_limit_is_refused() {
    let auth = auth(Policy::default());
    let ada = auth.register(register(EMAIL, of_levels(32))).await.unwrap();
    let deeper = Map::from_iter([("a".to_owned(), json!({ "c": of_levels(32)["a"] }))]);
    let refused = auth.update_user(UpdateUser::patch(ada.id, deeper)).await.unwrap_err();
    assert!(
        matches!(&refused, UpdateUserError::Invalid(errors) if matches!(problems(errors)[..], [("profile", FieldProblem::TooDeep(_))]))
    );
}

struct Filling;

#[async_trait::async_trait]
impl Hooks<User<Profile>> for Filling {
    async fn before_register(&self, new: &mut NewUser<Profile>) -> Result<(), HookVeto> {
        new.profile = of_levels(40);
        Ok(())
    }
}

#[tokio::test]
async fn what_a_hook_fills_in_counts_too() {
    let store = MemoryStore::new();
    let auth: Auth<User<Profile>> = Auth::builder(store).hasher(fast_hasher()).hooks(Filling).build().unwrap();
    let refused = auth.register(register(EMAIL, Map::new())).await.unwrap_err();
    assert!(
        matches!(&refused, RegisterError::Invalid(errors) if matches!(problems(errors)[..], [("profile", FieldProblem::TooDeep(_))]))
    );
}
