//! Lists decide as the second statement of LoopBack's rules does, in very many cases.

use std::collections::HashSet;

use gatekit_core::{
    AccessRequest, AccessType, Acl, AclRow, Auth, Authenticated, Decision, MemoryStore, Method, Permission, Principal,
    RoleStore, User, UserId,
};

use crate::{Odd, loopback, user, with_scopes};

/// A small deterministic generator (SplitMix64): the same cases everywhere, and a failing one has a
/// number.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(sides).unwrap()).unwrap()
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())].clone()
    }
}

const METHODS: [Method; 4] = [Method::FIND_BY_ID, Method::CREATE, Method::LOGIN, Method::EXISTS];
const ACCESS: [(Option<AccessType>, &str); 4] = [
    (None, "*"),
    (Some(AccessType::Read), "READ"),
    (Some(AccessType::Write), "WRITE"),
    (Some(AccessType::Execute), "EXECUTE"),
];
const PERMISSIONS: [(Permission, &str); 4] = [
    (Permission::Allow, "ALLOW"),
    (Permission::Alarm, "ALARM"),
    (Permission::Audit, "AUDIT"),
    (Permission::Deny, "DENY"),
];
const ROLES: [&str; 9] =
    ["$everyone", "$authenticated", "$unauthenticated", "$owner", "$related", "$unknown", "admin", "editor", "team"];

fn some_row(dice: &mut Dice) -> (AclRow, loopback::Rule) {
    let (permission, word) = dice.pick(&PERMISSIONS);
    let (principal, principal_type, principal_id) = match dice.roll(12) {
        0 => (Principal::from(UserId::from(1)), "USER", "1"),
        // As a table of rows has it.
        1 => (Principal::from(UserId::from("1")), "USER", "1"),
        2 => (Principal::from(UserId::from(2)), "USER", "2"),
        _ => {
            let role = dice.pick(&ROLES);
            (Principal::from(role), "ROLE", role)
        }
    };
    let mut row = AclRow::new(permission, principal);
    let property: Vec<&'static str> = match dice.roll(5) {
        0 | 1 => vec!["*"],
        2 => vec![dice.pick(&METHODS).name, dice.pick(&METHODS).name],
        3 => vec!["anotherMethod"],
        _ => vec![dice.pick(&METHODS).name],
    };
    if property != ["*"] || dice.roll(2) == 0 {
        row = row.methods(property.clone());
    }
    let (access, access_type) = dice.pick(&ACCESS);
    if let Some(access) = access {
        row = row.access(access);
    }
    (row, loopback::Rule { property, access_type, principal_type, principal_id: principal_id.into(), permission: word })
}

/// A caller as both sides see it. Half of them bring their roles with the token, the others have
/// them in the store.
async fn some_caller(
    dice: &mut Dice,
    auth_store: &MemoryStore,
) -> (Option<Authenticated<User>>, Option<loopback::Caller>) {
    let id = match dice.roll(4) {
        0 => return (None, None),
        1 => 1,
        2 => 2,
        _ => 3,
    };
    let mut roles: Vec<&'static str> = Vec::new();
    for role in ["admin", "editor"] {
        if dice.roll(2) == 0 {
            roles.push(role);
        }
    }
    let scopes: Option<Vec<&'static str>> = match dice.roll(8) {
        0 => Some(vec![]),
        1 => Some(vec!["read"]),
        2 => Some(vec!["read", "DEFAULT"]),
        _ => None,
    };
    let mut caller = with_scopes(user(id), scopes.as_deref());
    if dice.roll(2) == 0 {
        caller = caller.roles(roles.clone());
    } else {
        for role in ["admin", "editor"] {
            auth_store.unassign_role("User", &id.into(), role).await.unwrap();
        }
        for role in &roles {
            auth_store.assign_role("User", &id.into(), role).await.unwrap();
        }
        caller.roles = None;
    }
    if dice.roll(8) == 0 {
        caller.token = None;
    }
    let scopes = caller.token.is_some().then_some(scopes).flatten();
    if id % 2 == 1 {
        roles.push("team");
    }
    (Some(caller), Some(loopback::Caller { user_id: id.to_string(), roles, scopes }))
}

#[tokio::test]
async fn lists_decide_as_loopbacks_rules_say() {
    let store = MemoryStore::new();
    let auth: Auth = Auth::builder(store.clone()).role_resolver("team", Odd).build().unwrap();
    let mut seen = HashSet::new();
    for seed in 0..20_000_u64 {
        let dice = &mut Dice(seed);
        let (rows, rules): (Vec<_>, Vec<_>) = (0..dice.roll(9)).map(|_| some_row(dice)).unzip();
        let (default_permission, default_word) = dice.pick(&PERMISSIONS);
        let mut acl = Acl::empty().default_permission(default_permission);
        for row in rows {
            acl = acl.row(row);
        }
        auth.replace_acl(acl.clone());
        for _ in 0..4 {
            // Any method with any kind of access, also those that LoopBack does not have.
            let method = Method { name: dice.pick(&METHODS).name, access: dice.pick(&ACCESS[1..]).0.unwrap() };
            let (caller, same_caller) = some_caller(dice, &store).await;
            let target = dice.pick(&[None, Some("1"), Some("2"), Some("01")]);
            let access = AccessRequest { method, caller: caller.as_ref(), target };
            let request = loopback::Request {
                method: method.name,
                access_type: method.access.as_str(),
                model_id: target,
                caller: same_caller,
                anonymous_roles: vec!["team"],
            };
            let wanted = loopback::permission(&rules, default_word, &request);
            let case = || format!("seed {seed}\n{rules:#?}\ndefault {default_word}\n{request:#?}");

            let decision = auth.authorize(&access).await.unwrap();
            let expected = match wanted {
                None => Decision::InsufficientScope,
                Some("DENY") => Decision::Denied,
                Some(_) => Decision::Allowed,
            };
            assert_eq!(decision, expected, "{}", case());

            let why = auth.explain(&access).await.unwrap();
            assert_eq!(why.decision, expected, "{}", case());
            let about: usize = rules.iter().filter(|rule| loopback::score(rule, &request).is_some()).count();
            assert_eq!(why.rows.len(), about, "{}", case());
            if let Some(wanted) = wanted {
                let permission = why.decided_by().map_or(why.default_permission, |row| row.permission);
                assert_eq!(permission.as_str(), wanted, "{}", case());
            }
            for role in ROLES {
                let is = auth.is_in_role(role, &access).await.unwrap();
                assert_eq!(is, loopback::is_in_role(role, &request), "{role} {}", case());
            }
            if auth.is_open(method) && wanted.is_some() {
                assert_eq!(wanted, Some("ALLOW"), "{}", case());
            }
            seen.insert((wanted, why.decided_by().is_some(), auth.is_open(method)));
        }
    }
    // Every answer, from a row and by default, and open methods: the cases are not all the same.
    assert_eq!(seen.len(), 2 * 4 + 1 + 2 + 1, "{seen:?}");
}
