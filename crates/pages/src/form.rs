//! Reads a form: `application/x-www-form-urlencoded`, each field once.

use axum::body::Body;
use axum::http::HeaderMap;
use gatekit_core::Policy;
use gatekit_web::{BodyError, form_pairs, media_type, read_body};

use crate::failure::Failure;

/// Bytes of a body. The longest password that a policy takes by default fits in some twenty times.
const MAX_BYTES: usize = 64 * 1024;

/// The fields of a form, or of a query. It cannot be printed: there are passwords and secrets in
/// it.
#[derive(Clone, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body. One that no form of ours has sent is refused: no form, too large, too slow,
    /// not UTF-8, or with a field that is there twice, of which one reader would take the first and
    /// another the last.
    pub(crate) async fn read(policy: &Policy, headers: &HeaderMap, body: Body) -> Result<Self, Failure> {
        if !media_type(headers).eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Failure::BadRequest);
        }
        let body = read_body(policy, headers, body, MAX_BYTES).await.map_err(|error| match error {
            BodyError::TooSlow => Failure::TooSlow,
            _ => Failure::BadRequest,
        })?;
        let fields = form_pairs(&body).collect::<Option<Vec<_>>>().ok_or(Failure::BadRequest)?;
        let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(Failure::BadRequest);
        }
        Ok(Self(fields))
    }

    /// Reads a query. Nobody is told what is wrong with one: what cannot be read is not there.
    pub(crate) fn of_query(query: Option<&str>) -> Self {
        Self(form_pairs(query.unwrap_or_default().as_bytes()).flatten().collect())
    }

    /// A field, empty or not.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A field, without the blanks that are pasted along with an address; `None` if nothing is
    /// left.
    pub(crate) fn trimmed(&self, name: &str) -> Option<String> {
        self.get(name).map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    /// A password, exactly as it was entered (ASVS 6.2.8); `None` if it is empty.
    pub(crate) fn password(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// All fields.
    pub(crate) fn into_fields(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_decoded_as_browsers_encode_it() {
        let form = Form::of_query(Some("a=1+2%2B%C3%BC&b&=c&&d=%ff&e=x=y"));
        assert_eq!(form.get("a"), Some("1 2+ü"));
        assert_eq!(form.get("b"), Some(""));
        assert_eq!(form.get(""), Some("c"));
        assert_eq!(form.get("d"), None, "not UTF-8");
        assert_eq!(form.get("e"), Some("x=y"));
    }
}
