//! Routes as data: each route of a wire format is declared once, and everything that has to know
//! the route is made from its declaration.
//!
//! A file of routes begins with its `ROUTES`. From them come:
//!
//! 1. the router: [`mount`](crate::mount) takes exactly one handler for each declared route;
//! 2. the names in paths that `ignore_case` knows;
//! 3. the method that the access control list is asked about;
//! 4. the refusal to mount what the stores cannot carry ([`missing_need`]);
//! 5. a test that the tables in guides and docs say the same.
//!
//! ```
//! use gatekit_core::{Method, Need, UserOperation};
//! use gatekit_web::{Argument, Route, RouteResponse, Shape, TokenUse};
//!
//! const ROUTES: [Route; 1] = [Route::post("/delete-account", "Deletes the caller's account.")
//!     .method(Method::CHANGE_PASSWORD)
//!     .token(TokenUse::Required)
//!     .arguments(&[Argument::body("password", Shape::Password)])
//!     .responses(&[
//!         RouteResponse::NO_CONTENT,
//!         RouteResponse::error(400, &["INVALID_PASSWORD"], "the password is wrong"),
//!     ])
//!     .needs(&[Need::Users(UserOperation::Delete)])];
//!
//! assert_eq!(ROUTES[0].to_string(), "POST /delete-account");
//! ```

use std::fmt;

use axum::routing::MethodFilter;
use gatekit_core::{Account, Auth, Method, Need};

/// A method of HTTP that a route may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// `GET`. A `HEAD` of the same path gets the same response without its body, unless a route of
    /// its own is declared for it.
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Verb {
    /// The name as a request has it: `GET`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// The filter with which axum finds a handler.
    #[must_use]
    pub const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Head => MethodFilter::HEAD,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// When a route looks at the access token of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum TokenUse {
    /// Only where the access control list does not open the method to everybody.
    #[default]
    IfNeeded,
    /// Always, and a request without a valid token is refused, whatever the list says.
    Required,
    /// If there is one. An expired token counts as none.
    IfAny,
    /// Never. What allows the request, if anything, is among the arguments, such as a mailed
    /// secret.
    Unused,
}

/// The kind of a value in a request or a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// No body.
    Empty,
    /// Any JSON value.
    Any,
    /// A string.
    String,
    /// A string that is an email address.
    Email,
    /// A string that is a password, which no document and no log shows.
    Password,
    /// A string that is a token, a mailed secret or a code.
    Secret,
    /// A string that is a path of the site or a URL.
    Url,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A string that is a time (RFC 3339).
    Time,
    /// The id of a user: a number or a string.
    Id,
    /// A user as the wire format shows it, with the fields of the app's profile.
    User,
    /// The fields of a user that a client may send, some or all of them.
    UserFields,
    /// An array.
    Array(&'static Shape),
    /// One of several.
    OneOf(&'static [Shape]),
    /// An object with these fields.
    Object(&'static Schema),
    /// The wire format's error.
    Error,
    /// An HTML page.
    Page,
    /// No body, and a `Location` to go to.
    Redirect,
    /// A file of this media type.
    File(&'static str),
}

/// An object with a name, which a document that describes routes has once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The name: `AccessToken`.
    pub name: &'static str,
    /// The fields. An object may have others where `is_open` is set.
    pub fields: &'static [Field],
    /// Whether there may be fields that are not listed.
    pub is_open: bool,
}

impl Schema {
    /// An object that has these fields and no others.
    #[must_use]
    pub const fn new(name: &'static str, fields: &'static [Field]) -> Self {
        Self { name, fields, is_open: false }
    }

    /// An object that may have other fields too.
    #[must_use]
    pub const fn open(name: &'static str, fields: &'static [Field]) -> Self {
        Self { name, fields, is_open: true }
    }
}

/// A field of a [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// The kind of its value.
    pub shape: Shape,
    /// Whether it is always there.
    pub required: bool,
}

impl Field {
    /// A field that is always there.
    #[must_use]
    pub const fn new(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, required: true }
    }

    /// A field that may be left out.
    #[must_use]
    pub const fn optional(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, required: false }
    }
}

/// Where a request has an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the path: `/{id}`.
    Path,
    /// In the query.
    Query,
    /// A header of this name.
    Header,
    /// A cookie of this name.
    Cookie,
    /// A field of the body, which is an object.
    Body,
    /// The body as a whole. The name is only for documents.
    WholeBody,
    /// A field of the body, or else a parameter of the query, or else a header: where LoopBack
    /// looks for an argument that has no place of its own.
    BodyQueryOrHeader,
    /// Where an access token may be: `Authorization`, a cookie, `?access_token=`.
    Token,
}

/// One argument of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// Where the request has it.
    pub place: Place,
    /// The kind of its value.
    pub shape: Shape,
    /// Whether a request without it is refused.
    pub required: bool,
}

impl Argument {
    const fn new(name: &'static str, place: Place, shape: Shape) -> Self {
        Self { name, place, shape, required: true }
    }

    /// A parameter of the path.
    #[must_use]
    pub const fn path(name: &'static str, shape: Shape) -> Self {
        Self::new(name, Place::Path, shape)
    }

    /// A parameter of the query.
    #[must_use]
    pub const fn query(name: &'static str, shape: Shape) -> Self {
        Self::new(name, Place::Query, shape)
    }

    /// A header.
    #[must_use]
    pub const fn header(name: &'static str, shape: Shape) -> Self {
        Self::new(name, Place::Header, shape)
    }

    /// A cookie.
    #[must_use]
    pub const fn cookie(name: &'static str, shape: Shape) -> Self {
        Self::new(name, Place::Cookie, shape)
    }

    /// A field of the body.
    #[must_use]
    pub const fn body(name: &'static str, shape: Shape) -> Self {
        Self::new(name, Place::Body, shape)
    }

    /// The whole body.
    #[must_use]
    pub const fn whole_body(name: &'static str, shape: Shape) -> Self {
        Self::new(name, Place::WholeBody, shape)
    }

    /// An argument in the body, the query or a header: see [`Place::BodyQueryOrHeader`].
    #[must_use]
    pub const fn anywhere(name: &'static str, shape: Shape) -> Self {
        Self::new(name, Place::BodyQueryOrHeader, shape)
    }

    /// A secret that is sent where an access token may be.
    #[must_use]
    pub const fn token(name: &'static str) -> Self {
        Self::new(name, Place::Token, Shape::Secret)
    }

    /// The same, but it may be left out.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.required = false;
        self
    }
}

/// One kind of response that a route gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteResponse {
    /// The status.
    pub status: u16,
    /// The stable codes of the error, any of which the response may have. Empty for a success and
    /// for an error without a code.
    pub codes: &'static [&'static str],
    /// What the body is.
    pub shape: Shape,
    /// When the response is given; empty for the success of a route that has one only.
    pub when: &'static str,
}

impl RouteResponse {
    /// 204 without a body.
    pub const NO_CONTENT: Self = Self::new(204, Shape::Empty);

    /// A response that is no error.
    #[must_use]
    pub const fn new(status: u16, shape: Shape) -> Self {
        Self { status, codes: &[], shape, when: "" }
    }

    /// An error in the wire format's shape, with one of these codes or, if there are none, without
    /// a code.
    #[must_use]
    pub const fn error(status: u16, codes: &'static [&'static str], when: &'static str) -> Self {
        Self { status, codes, shape: Shape::Error, when }
    }

    /// The same, for this case.
    #[must_use]
    pub const fn when(mut self, when: &'static str) -> Self {
        self.when = when;
        self
    }
}

/// A route: what a request to it must have, and what comes back.
///
/// The fields are for those who read a declaration, such as a document generator; the methods make
/// one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The method of HTTP.
    pub verb: Verb,
    /// The path below the mount, with parameters as axum writes them: `/{id}/verify`.
    pub path: &'static str,
    /// One sentence that says what it does.
    pub summary: &'static str,
    /// The method that the access control list is asked about, if it is asked.
    pub method: Option<Method>,
    /// When the access token is looked at.
    pub token: TokenUse,
    /// What a request has to have, and what it may have.
    pub arguments: &'static [Argument],
    /// What comes back. Responses that every route of the wire format may give are not repeated.
    pub responses: &'static [RouteResponse],
    /// What the stores must be able to do.
    pub needs: &'static [Need],
}

impl Route {
    const fn new(verb: Verb, path: &'static str, summary: &'static str) -> Self {
        let (arguments, responses, needs): (&[Argument], &[RouteResponse], &[Need]) = (&[], &[], &[]);
        Self { verb, path, summary, method: None, token: TokenUse::IfNeeded, arguments, responses, needs }
    }

    /// `GET` of this path.
    #[must_use]
    pub const fn get(path: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Get, path, summary)
    }

    /// `HEAD` of this path.
    #[must_use]
    pub const fn head(path: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Head, path, summary)
    }

    /// `POST` to this path.
    #[must_use]
    pub const fn post(path: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Post, path, summary)
    }

    /// `PUT` to this path.
    #[must_use]
    pub const fn put(path: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Put, path, summary)
    }

    /// `PATCH` of this path.
    #[must_use]
    pub const fn patch(path: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Patch, path, summary)
    }

    /// `DELETE` of this path.
    #[must_use]
    pub const fn delete(path: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Delete, path, summary)
    }

    /// The same route at another verb and path.
    #[must_use]
    pub const fn at(mut self, verb: Verb, path: &'static str) -> Self {
        (self.verb, self.path) = (verb, path);
        self
    }

    /// Sets the method that the access control list is asked about.
    #[must_use]
    pub const fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Sets when the access token is looked at. [`TokenUse::IfNeeded`] unless set.
    #[must_use]
    pub const fn token(mut self, token: TokenUse) -> Self {
        self.token = token;
        self
    }

    /// Sets the arguments.
    #[must_use]
    pub const fn arguments(mut self, arguments: &'static [Argument]) -> Self {
        self.arguments = arguments;
        self
    }

    /// Sets the responses.
    #[must_use]
    pub const fn responses(mut self, responses: &'static [RouteResponse]) -> Self {
        self.responses = responses;
        self
    }

    /// Sets what the stores must be able to do.
    #[must_use]
    pub const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    /// The segments of the path that are names and not parameters.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.path.split('/').filter(|segment| !segment.is_empty() && !segment.starts_with('{'))
    }
}

/// The verb and the path: `GET /{id}`.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb.as_str(), self.path)
    }
}

/// The first thing that these routes need and the stores of this `Auth` do not cover. A builder
/// leaves such routes out, or refuses to mount them and names it.
#[must_use]
pub fn missing_need<U: Account>(auth: &Auth<U>, routes: &[Route]) -> Option<Need> {
    routes.iter().find_map(|route| auth.missing(route.needs))
}
