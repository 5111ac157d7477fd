//! The routes for pages of the app's own.

mod apply_session_token;
pub(crate) mod call;
mod current_member;
mod login;
mod logout;
mod register;
mod set_password;
mod verify;

use axum::Router;
use gatekit_web::{Argument, Endpoint, Field, Route, RouteResponse, Schema, Shape, TokenUse, mount};

use crate::WixMembers;

pub(crate) const ROUTES: [Route; 9] = [
    Route::post("/login", "Checks a password and answers with a session token.")
        .token(TokenUse::Unused)
        .arguments(&[EMAIL, PASSWORD])
        .responses(&[RouteResponse::new(200, SIGNED_IN), INVALID, WRONG_PASSWORD, NOT_ACTIVE, UNVERIFIED]),
    Route::post("/register", "Signs a member up.")
        .token(TokenUse::Unused)
        .arguments(&[
            EMAIL,
            PASSWORD,
            Argument::body("contactInfo", Shape::Any).optional(),
            Argument::body("privacyStatus", Shape::String).optional(),
            Argument::body("profile", Shape::Any).optional(),
        ])
        .responses(&[
            RouteResponse::new(
                200,
                Shape::Object(&Schema::new(
                    "Registration",
                    &[
                        Field::new("status", Shape::String),
                        Field::optional("sessionToken", Shape::Secret),
                        Field::optional("stateToken", Shape::Secret),
                        Field::optional("member", MEMBER),
                    ],
                )),
            ),
            INVALID,
            RouteResponse::error(409, &["-19995"], "a member has the address"),
        ]),
    Route::post("/verify", "Verifies the address with the mailed code.")
        .token(TokenUse::Unused)
        .arguments(&[Argument::body("code", Shape::Secret), STATE_TOKEN])
        .responses(&[RouteResponse::new(200, SIGNED_IN), WRONG_CODE, NOT_ACTIVE, TOO_MANY]),
    Route::post("/resend-verification", "Mails another code.")
        .token(TokenUse::Unused)
        .arguments(&[STATE_TOKEN])
        .responses(&[
            RouteResponse::new(200, Shape::Object(&Schema::new("Resent", &[Field::new("stateToken", Shape::Secret)]))),
            WRONG_CODE,
            TOO_MANY,
        ]),
    Route::post("/apply-session-token", "Makes a session of a session token.")
        .token(TokenUse::IfAny)
        .arguments(&[
            Argument::body("sessionToken", Shape::Secret),
            Argument::query("cookie", Shape::Boolean).optional(),
        ])
        .responses(&[
            RouteResponse::new(
                200,
                Shape::Object(&Schema::new(
                    "Applied",
                    &[
                        Field::new("member", MEMBER),
                        Field::optional("accessToken", Shape::Secret),
                        Field::optional("expiresIn", Shape::Integer),
                    ],
                )),
            ),
            INVALID,
            RouteResponse::error(401, &["-19984"], "the session token is not valid, was used, or is too old"),
            NOT_ACTIVE,
        ]),
    Route::post("/logout", "Logs the browser out.")
        .token(TokenUse::Required)
        .responses(&[RouteResponse::NO_CONTENT, UNAUTHENTICATED]),
    Route::post("/send-set-password-email", "Mails a link that sets a password.")
        .token(TokenUse::Unused)
        .arguments(&[EMAIL, Argument::body("hideIgnoreMessage", Shape::Boolean).optional()])
        .responses(&[
            RouteResponse::new(200, Shape::Object(&Schema::new("Accepted", &[Field::new("accepted", Shape::Boolean)]))),
            INVALID,
        ]),
    Route::post("/set-password", "Sets a password with the mailed secret.")
        .token(TokenUse::Unused)
        .arguments(&[Argument::body("token", Shape::Secret), PASSWORD])
        .responses(&[
            RouteResponse::NO_CONTENT,
            INVALID,
            RouteResponse::error(401, &["-19972"], "the secret is unknown, used, or too old"),
        ]),
    Route::get("/current-member", "Returns the member who is logged in.")
        .token(TokenUse::IfAny)
        .arguments(&[Argument::query("fieldsets", Shape::String).optional()])
        .responses(&[
            RouteResponse::new(200, Shape::Object(&Schema::new("CurrentMember", &[Field::new("member", MEMBER)]))),
            INVALID,
        ]),
];

const EMAIL: Argument = Argument::body("email", Shape::Email);
const PASSWORD: Argument = Argument::body("password", Shape::Password);
const STATE_TOKEN: Argument = Argument::body("stateToken", Shape::Secret);
const MEMBER: Shape = Shape::User;
const SIGNED_IN: Shape =
    Shape::Object(&Schema::new("SignedIn", &[Field::new("sessionToken", Shape::Secret), Field::new("member", MEMBER)]));

const INVALID: RouteResponse = RouteResponse::error(400, &["-19988", "-18880"], "a field is missing or wrong");
const WRONG_CODE: RouteResponse = RouteResponse::error(400, &["VERIFICATION_FAILED"], "the code or the state is wrong");
const WRONG_PASSWORD: RouteResponse =
    RouteResponse::error(401, &["-19976"], "the member is unknown or the password is wrong");
const UNAUTHENTICATED: RouteResponse = RouteResponse::error(401, &["UNAUTHENTICATED"], "there is no valid token");
const NOT_ACTIVE: RouteResponse = RouteResponse::error(
    403,
    &["-19958", "-19956", "-19973"],
    "the member is pending, blocked, or must reset its password",
);
const UNVERIFIED: RouteResponse =
    RouteResponse::error(428, &["EMAIL_VERIFICATION_REQUIRED"], "the address must be verified first");
const TOO_MANY: RouteResponse = RouteResponse::error(429, &["-19959"], "there were too many tries or mails");

impl WixMembers {
    /// The routes for pages of the app's own, to nest into its router:
    /// `.nest("/wix", members.router())`. The [`AuthLayer`](gatekit_layer::AuthLayer) of the
    /// accounts must be mounted around them.
    ///
    /// | route | body | answer |
    /// | --- | --- | --- |
    /// | `POST /login` | `email`, `password` | `sessionToken`, `member` |
    /// | `POST /register` | `email`, `password`, `contactInfo`?, `privacyStatus`?, `profile`? | `status`, `sessionToken`?, `stateToken`?, `member`? |
    /// | `POST /verify` | `code`, `stateToken` | `sessionToken`, `member` |
    /// | `POST /resend-verification` | `stateToken` | `stateToken` |
    /// | `POST /apply-session-token` | `sessionToken` | `member`, and the browser is signed in; with `?cookie=false`, `accessToken`, `expiresIn` |
    /// | `POST /logout` | | 204 |
    /// | `POST /send-set-password-email` | `email`, `hideIgnoreMessage`? | `accepted` |
    /// | `POST /set-password` | `token`, `password` | 204 |
    /// | `GET /current-member?fieldsets=FULL` | | `member`, which is `null` if nobody is logged in |
    ///
    /// Bodies are JSON. What goes wrong is told as [`WixError`](crate::WixError) says. No answer is
    /// kept by a cache, and a POST that a page of another origin has sent is refused with 403.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        mount(
            &ROUTES,
            [
                Endpoint::new(login::handler),
                Endpoint::new(register::handler),
                Endpoint::new(verify::verify),
                Endpoint::new(verify::resend),
                Endpoint::new(apply_session_token::handler),
                Endpoint::new(logout::handler),
                Endpoint::new(set_password::send),
                Endpoint::new(set_password::set),
                Endpoint::new(current_member::handler),
            ],
        )
        .with_state(self.clone())
    }
}
