//! LoopBack's `customer`, whose base is `User`.

use gatekit::{Model, User};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) type Customer = User<Fields>;

/// Keeps what it does not know (`strict: false`).
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Fields(Map<String, Value>);

impl Model for Fields {
    const NAME: &'static str = "customer";
}
