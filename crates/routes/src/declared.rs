//! Responses that the declarations of many routes have in common.

use gatekit_web::{Field, RouteResponse, Schema, Shape};

/// Responses that every route may give. Declarations do not repeat them.
pub(crate) const COMMON: [RouteResponse; 7] = [
    RouteResponse::error(
        400,
        &["QUERY_OBJECT_TOO_DEEP", "ENCODING_NOT_VALID"],
        "the path, the query or the body cannot be read",
    ),
    RouteResponse::error(403, &["CROSS_ORIGIN_REQUEST"], "a page of another origin sent the request with a cookie"),
    RouteResponse::error(408, &[], "the body does not arrive in time"),
    RouteResponse::error(413, &[], "the body is too large"),
    RouteResponse::error(415, &[], "the body is neither JSON nor a form, or its encoding is not known"),
    RouteResponse::error(500, &[], "a stored row cannot be read, or the app is misconfigured"),
    RouteResponse::error(503, &["SERVICE_UNAVAILABLE"], "the store fails, or too many passwords wait to be hashed"),
];

pub(crate) const BAD_ARGUMENT: RouteResponse =
    RouteResponse::error(400, &[], "an argument is missing or has the wrong type");
pub(crate) const BAD_FILTER: RouteResponse = RouteResponse::error(
    400,
    &["INVALID_FILTER", "OPERATOR_NOT_ALLOWED_IN_QUERY", "QUERY_OBJECT_TOO_DEEP"],
    "the filter or the condition is no object, or asks for something that is not supported",
);
pub(crate) const WRONG_PASSWORD: RouteResponse =
    RouteResponse::error(400, &["INVALID_PASSWORD"], "the password is wrong");
/// The status may be another one: `AclErrorStatus`.
pub(crate) const DENIED: RouteResponse =
    RouteResponse::error(401, &["AUTHORIZATION_REQUIRED"], "the access control list does not allow the caller");
pub(crate) const EXPIRED: RouteResponse = RouteResponse::error(401, &["INVALID_TOKEN"], "the token has expired");
pub(crate) const PASSWORD_CHANGE_NOT_ALLOWED: RouteResponse =
    RouteResponse::error(401, &["PASSWORD_CHANGE_NOT_ALLOWED"], "the policy takes no new password here");
pub(crate) const EMAIL_CHANGE_NOT_ALLOWED: RouteResponse =
    RouteResponse::error(403, &["EMAIL_CHANGE_NOT_ALLOWED"], "the policy takes no new address here");
pub(crate) const FROM_ANOTHER_ORIGIN: RouteResponse =
    RouteResponse::error(403, &["CROSS_ORIGIN_REQUEST"], "a page of another origin sent the request");
pub(crate) const OF_ANOTHER_TYPE: RouteResponse =
    RouteResponse::error(403, &[], "the token belongs to another user type over the same store");
/// The code is the hook's.
pub(crate) const VETOED: RouteResponse = RouteResponse::error(403, &[], "a hook refuses");
pub(crate) const UNKNOWN_USER: RouteResponse =
    RouteResponse::error(404, &["MODEL_NOT_FOUND"], "the caller is allowed, and there is no such user");
pub(crate) const CONFLICT: RouteResponse =
    RouteResponse::error(409, &["CONFLICT"], "the account was changed at the same time");
/// `name` is `ValidationError`.
pub(crate) const INVALID_USER: RouteResponse =
    RouteResponse::error(422, &[], "a field is missing, malformed or taken; `details` names it");
pub(crate) const REFUSED_PASSWORD: RouteResponse = RouteResponse::error(
    422,
    &["PASSWORD_TOO_LONG", "PASSWORD_TOO_SHORT", "PASSWORD_TOO_COMMON", "PASSWORD_TOO_GUESSABLE"],
    "the policy refuses the new password",
);

/// What the plain page of a mailed link gives.
pub(crate) const MAILED_PAGE: [RouteResponse; 2] = [
    RouteResponse::new(200, Shape::Page),
    RouteResponse::new(400, Shape::Page).when("the link is too old or was used"),
];

pub(crate) const COUNT: Shape = Shape::Object(&Schema::new("Count", &[Field::new("count", Shape::Integer)]));
