//! The declarations of the endpoints that `@wix/sdk` calls.

use gatekit_web::{Argument, Field, Route, RouteResponse, Schema, Shape, TokenUse};

use super::logout;

pub(crate) const ROUTES: [Route; 10] = [
    Route::post("/oauth2/token", "Issues or renews the tokens of a visitor or a member.")
        .token(TokenUse::Unused)
        .arguments(&[
            Argument::body("grantType", Shape::String),
            Argument::body("clientId", Shape::String),
            Argument::body("refreshToken", Shape::Secret).optional(),
            Argument::body("code", Shape::Secret).optional(),
            Argument::body("codeVerifier", Shape::Secret).optional(),
            Argument::body("redirectUri", Shape::Url).optional(),
        ])
        .responses(&[
            RouteResponse::new(
                200,
                Shape::Object(&Schema::new(
                    "Tokens",
                    &[
                        Field::new("access_token", Shape::Secret),
                        Field::new("token_type", Shape::String),
                        Field::new("expires_in", Shape::Integer),
                        Field::new("refresh_token", Shape::Secret),
                    ],
                )),
            ),
            RouteResponse::error(
                400,
                &["invalid_request", "invalid_grant", "unsupported_grant_type"],
                "the grant is malformed, unknown, used, or has ended",
            ),
            RouteResponse::error(401, &["invalid_client"], "the client is not known"),
        ]),
    Route::get("/oauth2/authorize", "Hands a code to the page that asked for it.")
        .token(TokenUse::Unused)
        .arguments(&[Argument::query("code", Shape::Secret)])
        .responses(&[RouteResponse::new(200, Shape::Page), RouteResponse::new(303, Shape::Redirect), INVALID]),
    Route::post("/_api/iam/authentication/v2/login", "Checks a password and answers with a state.")
        .token(TokenUse::Unused)
        .arguments(&[Argument::body("loginId", Shape::Any), PASSWORD])
        .responses(&STATES),
    Route::post("/_api/iam/authentication/v2/register", "Signs a member up and answers with a state.")
        .token(TokenUse::Unused)
        .arguments(&[Argument::body("loginId", Shape::Any), PASSWORD, Argument::body("profile", Shape::Any).optional()])
        .responses(&STATES),
    Route::post("/_api/iam/authentication/v2/change-password", "Changes the password of a member.")
        .token(TokenUse::Required)
        .arguments(&[Argument::body("newPassword", Shape::Password)])
        .responses(&[
            RouteResponse::new(200, Shape::Any),
            INVALID,
            UNAUTHENTICATED,
            RouteResponse::error(403, &["LOGIN_REQUIRED"], "the login is too long ago"),
        ]),
    Route::get(logout::PATH, "Leads a browser on after a logout.")
        .token(TokenUse::Unused)
        .arguments(&[Argument::query("postLogoutRedirectUri", Shape::Url).optional()])
        .responses(&[RouteResponse::new(303, Shape::Redirect), INVALID]),
    Route::post("/_api/iam/verification/v1/auth/verify", "Verifies the address with the mailed code.")
        .token(TokenUse::Unused)
        .arguments(&[Argument::body("code", Shape::Secret), Argument::body("stateToken", Shape::Secret)])
        .responses(&STATES),
    Route::post("/_api/iam/recovery/v1/send-email", "Mails a link that sets a new password.")
        .token(TokenUse::Unused)
        .arguments(&[
            Argument::body("email", Shape::Email),
            Argument::body("language", Shape::String).optional(),
            Argument::body("redirect", Shape::Any).optional(),
        ])
        .responses(&[RouteResponse::new(200, Shape::Any), INVALID]),
    Route::post(
        "/_api/iam/recovery/v1/recover",
        "Sets a new password with the mailed secret and answers with a state.",
    )
    .token(TokenUse::Unused)
    .arguments(&[Argument::body("recoveryToken", Shape::Secret), PASSWORD])
    .responses(&STATES),
    Route::post("/_api/redirects-api/v1/redirect-session", "Answers where the client goes for tokens, or to log out.")
        .token(TokenUse::IfAny)
        .arguments(&[
            Argument::body("auth", Shape::Any).optional(),
            Argument::body("logout", Shape::Any).optional(),
            Argument::body("callbacks", Shape::Any).optional(),
        ])
        .responses(&[
            RouteResponse::new(200, Shape::Any),
            INVALID,
            RouteResponse::error(
                403,
                &["LOGIN_REQUIRED", "INVALID_ORIGIN"],
                "the request brings no session token, or is not of an allowed origin",
            ),
        ]),
];

const PASSWORD: Argument = Argument::body("password", Shape::Password);
const INVALID: RouteResponse = RouteResponse::error(400, &[], "an argument is missing or wrong");
const UNAUTHENTICATED: RouteResponse = RouteResponse::error(401, &[], "the credentials are wrong");
const STATES: [RouteResponse; 5] = [
    RouteResponse::new(
        200,
        Shape::Object(&Schema::new(
            "State",
            &[
                Field::new("state", Shape::String),
                Field::optional("sessionToken", Shape::Secret),
                Field::optional("stateToken", Shape::Secret),
                Field::optional("identity", Shape::User),
            ],
        )),
    ),
    INVALID,
    UNAUTHENTICATED,
    RouteResponse::error(403, &[], "the member is blocked, or a hook refuses"),
    RouteResponse::error(429, &[], "there were too many tries"),
];
