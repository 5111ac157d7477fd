//! Wix members login as its clients meet it.
