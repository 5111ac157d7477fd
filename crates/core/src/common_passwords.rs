//! x
pub(crate) fn is_common(_: &str) -> bool {
    false
}
