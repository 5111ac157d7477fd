//! Wix members login over Gatekit's accounts: signed session tokens that are applied later, member states, and the endpoints that
//! its SDK calls.
