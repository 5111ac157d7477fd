//! Responses that the declarations of many pages have in common.

use gatekit_web::{RouteResponse, Shape};

/// What the GET of a page gives.
pub(crate) const SHOWN: [RouteResponse; 5] = [
    RouteResponse::new(200, Shape::Page),
    RouteResponse::new(303, Shape::Redirect).when("another page comes first, such as the one to log in"),
    RouteResponse::new(400, Shape::Page).when("a mailed link is too old or incomplete"),
    RouteResponse::new(401, Shape::Page)
        .when("the caller must log in, or verify the password, and no page asks for that"),
    RouteResponse::new(503, Shape::Page).when("the store does not answer"),
];

/// What the POST of a page gives.
pub(crate) const SUBMITTED: [RouteResponse; 7] = [
    RouteResponse::new(200, Shape::Page).when("a mail is on its way, or there is nowhere to go"),
    RouteResponse::new(303, Shape::Redirect),
    RouteResponse::new(400, Shape::Page).when("no form of the pages sends such a request, or a mailed link is too old"),
    RouteResponse::new(401, Shape::Page).when("the login failed"),
    RouteResponse::new(403, Shape::Page).when("the form came from another site, or a hook refuses"),
    RouteResponse::new(422, Shape::Page).when("a field is wrong; the page names it"),
    RouteResponse::new(503, Shape::Page).when("the store does not answer"),
];
