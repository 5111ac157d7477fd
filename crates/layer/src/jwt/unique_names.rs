//! Does a name come twice in a token's JSON?

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

/// A JSON object in which no name comes twice: two readers could take different ones (RFC 7515 §4,
/// RFC 7519 §4). For headers and claims of tokens that an app reads by itself.
///
/// ```
/// use gatekit_layer::jwt::UniqueNames;
///
/// assert!(serde_json::from_str::<UniqueNames>(r#"{"sub":"ada","exp":1}"#).is_ok());
/// assert!(serde_json::from_str::<UniqueNames>(r#"{"sub":"ada","sub":"eve"}"#).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueNames(pub Map<String, Value>);

impl<'de> Deserialize<'de> for UniqueNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = UniqueNames;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<UniqueNames, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(de::Error::custom("a name comes twice"));
                    }
                }
                Ok(UniqueNames(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
