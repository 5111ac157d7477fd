//! When a path may be read or written: each rule by an example, and all of them against a slow
//! restatement.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use gatekit_core::{
    InvalidPermissions, PathDecision, PathLevel, PathLevels, PathPermission, PermissionHolder, PermissionSet,
    PermissionSign, Permissions,
};

fn ada() -> PermissionHolder {
    PermissionHolder::User(7.into())
}

fn editor() -> PermissionHolder {
    PermissionHolder::Role("editor".into())
}

fn set_of(entries: impl IntoIterator<Item = PathPermission>) -> PermissionSet {
    PermissionSet(vec![(ada(), Permissions::paths(entries))])
}

fn below(path: &str) -> PermissionSet {
    set_of([PathPermission::allow(path, PathLevels::READ).recursive(true)])
}

fn may_read(set: &PermissionSet, path: &str) -> bool {
    set.decide(path, PathLevel::Read).allowed
}

#[test]
fn without_an_entry_that_counts_nothing_is_allowed() {
    assert_eq!(PermissionSet::default().decide("/", PathLevel::Read), set_of([]).decide("/a", PathLevel::Write));
    let PathDecision { allowed, by, .. } = below("/foo").decide("/bar", PathLevel::Read);
    assert_eq!((allowed, by), (false, None));
}

#[test]
fn an_entry_is_for_its_path_alone_unless_it_is_recursive() {
    let alone = set_of([PathPermission::allow("/foo", PathLevels::READ)]);
    assert!(may_read(&alone, "/foo") && may_read(&alone, "/foo/"));
    assert!(!may_read(&alone, "/foo/bar") && !may_read(&alone, "/"));
    let recursive = below("/foo");
    assert!(may_read(&recursive, "/foo") && may_read(&recursive, "/foo/bar/baz/"));
    assert!(!may_read(&recursive, "/foobar") && !may_read(&recursive, "/foobar/foo") && !may_read(&recursive, "/"));
    let all = below("/");
    assert!(may_read(&all, "/") && may_read(&all, "/foo") && may_read(&all, "/foo/bar"));
    assert!(!may_read(&set_of([PathPermission::allow("/", PathLevels::READ)]), "/foo"));
    assert!(may_read(&below("/foo/"), "/foo") && may_read(&below("/foo/"), "/foo/bar"));
}

#[test]
fn an_entry_is_for_its_levels_alone() {
    for (levels, read, write) in [
        (PathLevels::NONE, false, false),
        (PathLevels::READ, true, false),
        (PathLevels::WRITE, false, true),
        (PathLevels::READ_WRITE, true, true),
    ] {
        let allow = set_of([PathPermission::allow("/a", levels)]);
        let decided = (allow.decide("/a", PathLevel::Read).allowed, allow.decide("/a", PathLevel::Write).allowed);
        assert_eq!(decided, (read, write), "{levels:?}");
        let all = PathPermission::allow("/a", PathLevels::READ_WRITE);
        let deny = set_of([all, PathPermission::deny("/a", levels)]);
        let decided = (deny.decide("/a", PathLevel::Read).allowed, deny.decide("/a", PathLevel::Write).allowed);
        assert_eq!(decided, (!read, !write), "{levels:?}");
    }
}

/// CM-Well lets a role in where the user's own entry keeps out; its documentation, and this, do
/// not.
#[test]
fn who_keeps_out_wins_whoever_holds_it_and_however_near_the_other_entry_is() {
    let keeps_out = PathPermission::deny("/a", PathLevels::READ).recursive(true);
    let lets_in = PathPermission::allow("/a/b/c", PathLevels::READ);
    for (first, second) in [(ada(), editor()), (editor(), ada()), (ada(), ada())] {
        for turned in [false, true] {
            let mut holders = vec![
                (first.clone(), Permissions::paths([keeps_out.clone()])),
                (second.clone(), Permissions::paths([lets_in.clone()])),
            ];
            if turned {
                holders.reverse();
            }
            let decision = PermissionSet(holders).decide("/a/b/c", PathLevel::Read);
            assert!(!decision.allowed);
            assert_eq!(decision.by, Some((first.clone(), keeps_out.clone())), "the decision names what decided it");
        }
    }
}

#[test]
fn a_path_is_decoded_once() {
    let set = set_of([
        PathPermission::allow("/", PathLevels::READ).recursive(true),
        PathPermission::deny("/caf\u{e9}", PathLevels::READ).recursive(true),
        PathPermission::deny("/a b", PathLevels::READ),
    ]);
    for kept_out in ["/caf\u{e9}", "/caf%C3%A9", "/c%61f%c3%a9/menu", "/a%20b", "/%61%20%62/"] {
        assert!(!may_read(&set, kept_out), "{kept_out}");
    }
    // Twice would be once too often; another form of Unicode and another case are another path.
    for other in ["/caf%25C3%25A9", "/cafe\u{301}", "/CAF%C3%A9", "/a+b"] {
        assert!(may_read(&set, other), "{other}");
    }
}

#[test]
fn a_path_that_can_be_read_in_two_ways_is_refused() {
    let all = below("/");
    for odd in [
        "",
        "*",
        "foo",
        "//",
        "//foo",
        "/foo//bar",
        "/foo//",
        "/.",
        "/..",
        "/foo/.",
        "/foo/../bar",
        "/foo/./bar",
        "/%2e",
        "/foo/%2E%2e/bar",
        "/foo/.%2e",
        "/foo%2Fbar",
        "/foo%2f",
        "/%2f",
        "/foo\\bar",
        "/foo%5cbar",
        "/%00",
        "/foo%0abar",
        "/\u{7f}",
        "/%",
        "/%4",
        "/%4g",
        "/%zz",
        "/%+1",
        "/%ff",
        "/%C3",
        "/%C3/%A9",
        "/%c2%85",
        "http://a/b",
    ] {
        let decision = all.decide(odd, PathLevel::Read);
        assert_eq!((decision.allowed, decision.by), (false, None), "{odd:?}");
    }
    for plain in ["/...", "/.well-known", "/a..b", "/foo;v=1", "/%252e%252e", "/a:b@c", "/%E2%82%AC"] {
        assert!(may_read(&all, plain), "{plain:?}");
    }
}

#[test]
fn an_entry_that_names_no_path_lets_nobody_in_and_keeps_everybody_out() {
    for odd in ["", "foo", "//foo", "/foo/../bar", "/foo//", "/caf%C3%A9", "/a\\b", "/a\nb"] {
        let lets_in = PathPermission::allow(odd, PathLevels::READ).recursive(true);
        let keeps_out = PathPermission::deny(odd, PathLevels::READ);
        assert_eq!(
            Permissions::paths([lets_in.clone()]).check(),
            Err(InvalidPermissions::Path(odd.to_owned())),
            "{odd:?} is refused where it is looked at before it is stored"
        );
        for path in [odd, "/foo", "/bar", "/"] {
            assert!(!may_read(&set_of([lets_in.clone()]), path), "{odd:?}");
            let all = PathPermission::allow("/", PathLevels::READ_WRITE).recursive(true);
            let set = set_of([all, keeps_out.clone()]);
            assert!(!may_read(&set, path), "{odd:?}");
            assert!(set.decide("/foo", PathLevel::Write).allowed, "for its own levels only");
        }
    }
    // A percent sign that begins no escape is one.
    assert_eq!(Permissions::paths([PathPermission::deny("/100%/a%z", PathLevels::READ)]).check(), Ok(()));
    assert!(may_read(&set_of([PathPermission::allow("/100%", PathLevels::READ)]), "/100%25"));
}

#[test]
fn operations_are_those_of_all_holders_by_their_exact_names() {
    let set = PermissionSet(vec![
        (ada(), Permissions::default().operation("Overwrite")),
        (editor(), Permissions::default().operation("Admin")),
    ]);
    assert!(set.has_operation("Admin") && set.has_operation("Overwrite"));
    for other in ["admin", "Admin ", "", "PriorityWrite"] {
        assert!(!set.has_operation(other), "{other:?}");
    }
    assert!(!PermissionSet::default().has_operation("Admin"));
}

#[test]
fn records_are_read_and_written_as_json_has_them() {
    let json = r#"{"paths":[{"id":"/a","sign":"+","recursive":true,"permissions":"rw"},{"id":"/b","sign":"-","recursive":false,"permissions":""}],"operations":["Admin"]}"#;
    let read: Permissions = serde_json::from_str(json).unwrap();
    let entries = [
        PathPermission::allow("/a", PathLevels::READ_WRITE).recursive(true),
        PathPermission::deny("/b", PathLevels::NONE),
    ];
    assert_eq!(read, Permissions::paths(entries).operation("Admin"));
    assert_eq!(serde_json::to_string(&read).unwrap(), json);

    let older = r#"{"rev":3,"roles":["x"],"paths":[{"permissions":"wr","id":"/a","sign":"-"}]}"#;
    let read: Permissions = serde_json::from_str(older).unwrap();
    assert_eq!(read, Permissions::paths([PathPermission::deny("/a", PathLevels::READ_WRITE)]));
    assert_eq!(serde_json::from_str::<Permissions>("{}").unwrap(), Permissions::default());

    for wrong in [
        r#"{"id":"/a","sign":"*","permissions":"r"}"#,
        r#"{"id":"/a","permissions":"r"}"#,
        r#"{"id":"/a","sign":"+"}"#,
        r#"{"sign":"+","permissions":"r"}"#,
        r#"{"id":"/a","sign":"+","permissions":"rx"}"#,
        r#"{"id":"/a","sign":"+","permissions":"R"}"#,
        r#"{"id":"/a","sign":"+","permissions":["r"]}"#,
        r#"{"id":"/a","sign":"+","permissions":"r","recursive":"true"}"#,
    ] {
        assert!(serde_json::from_str::<PathPermission>(wrong).is_err(), "{wrong}");
    }
}

/// A small deterministic generator (SplitMix64): the same cases everywhere.
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

/// A path as its segments; `None` for one that is refused.
fn segments(path: &str) -> Option<Vec<String>> {
    let mut parts: Vec<&str> = path.split('/').collect();
    if !parts.remove(0).is_empty() || parts.is_empty() {
        return None;
    }
    if parts.last() == Some(&"") {
        parts.pop();
    }
    parts
        .into_iter()
        .map(|part| {
            // The only escapes that occur below.
            let part = part.replace("%61", "a").replace("%2e", ".").replace("%25", "%");
            let odd = ["", ".", ".."].contains(&part.as_str()) || part.contains("%2F");
            (!odd).then_some(part)
        })
        .collect()
}

/// The rule, word by word: any entry that keeps out and counts denies; else one that lets in and
/// counts allows; else no.
fn restated(set: &PermissionSet, path: &str, level: PathLevel) -> bool {
    let Some(path) = segments(path) else { return false };
    let counting: Vec<PermissionSign> = set
        .0
        .iter()
        .flat_map(|(_, permissions)| &permissions.paths)
        .filter(|entry| entry.permissions.as_str().contains(if level == PathLevel::Read { 'r' } else { 'w' }))
        .filter(|entry| match (entry.id.contains("%61"), segments(&entry.id)) {
            (false, Some(id)) => id == path || entry.recursive && path.len() > id.len() && path[..id.len()] == id[..],
            _ => entry.sign == PermissionSign::Deny,
        })
        .map(|entry| entry.sign)
        .collect();
    !counting.contains(&PermissionSign::Deny) && counting.contains(&PermissionSign::Allow)
}

fn some_path(dice: &mut Dice, parts: &[&str]) -> String {
    let mut path: String = (0..dice.roll(4)).map(|_| format!("/{}", dice.pick(parts))).collect();
    if path.is_empty() || dice.roll(5) == 0 {
        path.push('/');
    }
    path
}

#[test]
fn sets_decide_as_the_rule_says_word_by_word() {
    let (mut allowed, mut refused_by_an_entry) = (0, 0);
    let dice = &mut Dice(5);
    for case in 0..200_000 {
        let mut holders = vec![(ada(), Permissions::default()), (editor(), Permissions::default())];
        for _ in 0..dice.roll(5) {
            let odd = if dice.roll(20) == 0 { ["..", "%61", ""].as_slice() } else { &["a", "ab", "b", "a"] };
            let entry = PathPermission {
                id: some_path(dice, odd),
                sign: dice.pick(&[PermissionSign::Allow, PermissionSign::Allow, PermissionSign::Deny]),
                recursive: dice.roll(2) == 0,
                permissions: dice.pick(&["r", "w", "rw", ""]).parse().unwrap(),
            };
            holders[dice.roll(2)].1.paths.push(entry);
        }
        let set = PermissionSet(holders);
        let parts: &[&str] =
            if dice.roll(10) == 0 { &["a", "..", "%2e", "", "b%2Fa", "."] } else { &["a", "ab", "b", "%61", "%61b"] };
        let (path, level) = (some_path(dice, parts), dice.pick(&[PathLevel::Read, PathLevel::Write]));
        let decision = set.decide(&path, level);
        assert_eq!(decision.allowed, restated(&set, &path, level), "case {case}: {path} for {level:?} by {set:?}");
        allowed += usize::from(decision.allowed);
        refused_by_an_entry += usize::from(!decision.allowed && decision.by.is_some());
    }
    assert!(allowed > 10_000 && refused_by_an_entry > 10_000, "{allowed} and {refused_by_an_entry} say something");
}
