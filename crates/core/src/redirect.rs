//! Where a browser may be sent: paths of the own site, and origins the app has listed. Everything
//! else would let anybody's link that begins with the app's name lead to their own site (CWE-601).

use crate::{ConfigError, Origin, PublicUrl};

/// Whether `target` is a path of the own site, or below one of these origins.
///
/// Refused are `//host` and `/\host`, which browsers take for another host, control characters and
/// blanks, which they skip, schemes such as `javascript:`, and origins that only begin like a
/// listed one.
///
/// ```
/// use gatekit_core::redirect::is_allowed;
///
/// let origins = ["https://app.example.com".to_owned()];
/// assert!(is_allowed("/welcome?new=1#top", &origins));
/// assert!(is_allowed("https://app.example.com/welcome", &origins));
/// for target in ["//evil.example", "/\\evil.example", "https://app.example.com.evil.example/", "javascript:alert(1)", ""] {
///     assert!(!is_allowed(target, &origins));
/// }
/// ```
#[must_use]
pub fn is_allowed(target: &str, origins: &[String]) -> bool {
    // Browsers read a backslash as a slash, and drop tabs and line breaks wherever they stand.
    if target.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return false;
    }
    if target.starts_with('/') {
        return !target.starts_with("//");
    }
    origins.iter().any(|origin| {
        target.strip_prefix(origin.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    })
}

/// The origins that the app lists, as browsers write them, and the app's own.
pub(crate) fn origins(listed: &[String], own: Option<&PublicUrl>) -> Result<Vec<String>, ConfigError> {
    let listed = listed.iter().map(|origin| origin.parse::<Origin>()).collect::<Result<Vec<_>, _>>();
    let listed = listed.map_err(ConfigError::RedirectOrigin)?;
    let all = listed.iter().chain(own.map(PublicUrl::origin));
    Ok(all.map(|origin| origin.as_str().to_owned()).collect())
}
