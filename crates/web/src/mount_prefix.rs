//! Checks a prefix that routes are mounted under, before a link begins with it.

/// Whether a link may begin with this prefix. Where the prefix has a parameter, a part of it comes
/// from the request. It must hold no `.` or `..` segment, which browsers resolve, no byte that a
/// path cannot have (RFC 3986 section 3.3), and no `//` at its start, which names a host.
///
/// ```
/// use gatekit_web::is_sound_prefix;
///
/// assert!(is_sound_prefix("/shops/7/users"));
/// assert!(!is_sound_prefix("//other.example"));
/// assert!(!is_sound_prefix("/shops/%2e%2e"));
/// ```
#[must_use]
pub fn is_sound_prefix(path: &str) -> bool {
    let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:@".contains(&byte);
    let is_dots = |segment: &str| matches!(&*segment.to_ascii_lowercase().replace("%2e", "."), "." | "..");
    path.bytes().all(is_sound) && !path.starts_with("//") && !path.split('/').any(is_dots)
}
