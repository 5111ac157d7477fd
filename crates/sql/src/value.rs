//! A value of a parameter, in a type that all databases have.

use std::borrow::Cow;

use gatekit_core::{Timestamp, TokenDigest, UserId};

use crate::user_key;

/// A value; `None` is NULL of this type.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// 64 bits.
    Integer(Option<i64>),
    /// Stored as 0 or 1 where the database has no type of its own.
    Boolean(Option<bool>),
    /// UTF-8.
    Text(Option<Cow<'a, str>>),
    /// A BLOB.
    Bytes(Option<Cow<'a, [u8]>>),
}

macro_rules! from {
    ($(<$lifetime:lifetime> $type:ty, $value:ident => $made:expr;)+) => {$(
        impl<$lifetime> From<$type> for Value<$lifetime> {
            fn from($value: $type) -> Self {
                $made
            }
        }
    )+};
}

from! {
    <'a> i64, value => Value::Integer(Some(value));
    <'a> u32, value => Value::Integer(Some(value.into()));
    <'a> Option<i64>, value => Value::Integer(value);
    <'a> Timestamp, value => Value::Integer(Some(value.0));
    <'a> Option<Timestamp>, value => Value::Integer(value.map(|at| at.0));
    <'a> bool, value => Value::Boolean(Some(value));
    <'a> Option<bool>, value => Value::Boolean(value);
    <'a> &'a str, value => Value::Text(Some(value.into()));
    <'a> Option<&'a str>, value => Value::Text(value.map(Into::into));
    <'a> &'a String, value => Value::Text(Some(value.into()));
    <'a> &'a Option<String>, value => Value::Text(value.as_deref().map(Into::into));
    <'a> String, value => Value::Text(Some(value.into()));
    <'a> Option<String>, value => Value::Text(value.map(Into::into));
    <'a> &'a [u8], value => Value::Bytes(Some(value.into()));
    <'a> &'a Vec<u8>, value => Value::Bytes(Some(value.into()));
    <'a> &'a TokenDigest, value => Value::Bytes(Some(value.as_bytes().as_slice().into()));
    <'a> &'a UserId, value => Value::Text(Some(user_key::encode(value).into()));
    <'a> Option<&'a UserId>, value => Value::Text(value.map(|id| user_key::encode(id).into()));
}
