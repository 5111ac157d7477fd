//! The contract's section 4, word for word and without a thought for speed. Nothing here is shared
//! with what is tested: rows are LoopBack's JSON members as texts.

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// One name, several, or `*`.
    pub(crate) property: Vec<&'static str>,
    pub(crate) access_type: &'static str,
    pub(crate) principal_type: &'static str,
    pub(crate) principal_id: String,
    pub(crate) permission: &'static str,
}

#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) user_id: String,
    /// Custom roles, assigned and computed.
    pub(crate) roles: Vec<&'static str>,
    /// `scopes` of the token; `None` where it is absent or null.
    pub(crate) scopes: Option<Vec<&'static str>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) access_type: &'static str,
    pub(crate) model_id: Option<&'static str>,
    pub(crate) caller: Option<Caller>,
    /// Roles that are computed for callers who are nobody.
    pub(crate) anonymous_roles: Vec<&'static str>,
}

pub(crate) fn is_in_role(role: &str, request: &Request) -> bool {
    match role {
        "$everyone" => true,
        "$authenticated" => request.caller.is_some(),
        "$unauthenticated" => request.caller.is_none(),
        "$owner" => match (&request.model_id, &request.caller) {
            (Some(model_id), Some(caller)) => *model_id == caller.user_id,
            _ => false,
        },
        "$related" => false,
        custom => match &request.caller {
            Some(caller) => caller.roles.contains(&custom),
            None => request.anonymous_roles.contains(&custom),
        },
    }
}

fn is_principal(rule: &Rule, request: &Request) -> bool {
    match rule.principal_type {
        "USER" => request.caller.as_ref().is_some_and(|caller| caller.user_id == rule.principal_id),
        "ROLE" => is_in_role(&rule.principal_id, request),
        other => panic!("{other}"),
    }
}

/// `None` if the rule does not match at all.
pub(crate) fn score(rule: &Rule, request: &Request) -> Option<i64> {
    let m = 3;
    let p = if rule.property.contains(&request.method) {
        3
    } else if rule.property == ["*"] {
        2
    } else {
        return None;
    };
    let a = if rule.access_type == request.access_type || rule.access_type == "EXECUTE" {
        3
    } else if rule.access_type == "*" {
        2
    } else {
        return None;
    };
    let t = match rule.principal_type {
        "USER" => 4,
        "APP" => 3,
        "ROLE" => 2,
        _ => 1,
    };
    let r = match (rule.principal_type, &*rule.principal_id) {
        ("ROLE", "$everyone") => 1,
        ("ROLE", "$authenticated" | "$unauthenticated") => 2,
        ("ROLE", "$related") => 3,
        ("ROLE", "$owner") => 4,
        ("ROLE", _) => 5,
        _ => 0,
    };
    let perm = match rule.permission {
        "ALLOW" => 0,
        "ALARM" => 1,
        "AUDIT" => 2,
        "DENY" => 3,
        other => panic!("{other}"),
    };
    Some(((((m * 4 + p) * 4 + a) * 4 + t) * 8 + r) * 4 + perm)
}

/// The permission that holds; `None` if the token's scopes do not fit.
pub(crate) fn permission(rules: &[Rule], default_permission: &'static str, request: &Request) -> Option<&'static str> {
    if let Some(caller) = &request.caller {
        let token_scopes = caller.scopes.clone().unwrap_or_else(|| vec!["DEFAULT"]);
        let access_scopes = ["DEFAULT"];
        if !token_scopes.iter().any(|scope| access_scopes.contains(scope)) {
            return None;
        }
    }
    let mut best: Option<(i64, &'static str)> = None;
    for rule in rules {
        let Some(score) = score(rule, request) else { continue };
        if is_principal(rule, request) && best.is_none_or(|(highest, _)| score > highest) {
            best = Some((score, rule.permission));
        }
    }
    Some(best.map_or(default_permission, |(_, permission)| permission))
}
