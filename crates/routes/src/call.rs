//! One call of a method, in the order of checks LoopBack has (the contract's §2.4): token, body,
//! types of arguments, authorization, required arguments.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use gatekit_core::{
    AccessRequest, Account, AclErrorStatus, Auth, Authenticated, Decision, MailOptions, Method, TokenDigest,
    TokenRecord, TokenSecret, Unavailable, UserId,
};
use gatekit_layer::{AuthRejection, Caller, ErrorResponse, PresentedToken};
use gatekit_web::{Route, TokenUse, client, mail_options, mounted_mail_options};
use serde_json::{Map, Value};

use crate::arguments::{Arguments, too_deep};
use crate::body::Args;
use crate::errors::IntoError;
use crate::qs;
use crate::{Answers, UserApi};

/// A call that has come so far that its token and body are known.
pub(crate) struct Call<U: Account> {
    pub(crate) auth: Auth<U>,
    pub(crate) answers: Arc<Answers>,
    method: Method,
    /// One of these the token must have. LoopBack's `accessScopes`.
    scopes: &'static [&'static str],
    /// Who calls, if anybody asked.
    caller: Result<Authenticated<U>, AuthRejection>,
    /// Whether anybody did.
    asked: bool,
    /// A token that is none of this model's users; it may be one of another model's.
    foreign: Option<TokenDigest>,
    parts: Parts,
    /// The body, until somebody takes it.
    pub(crate) body: Args,
    is_json: bool,
}

/// In the extensions of a request whose path has no id of ours: the name of a route, which to
/// LoopBack is one. A parameter of the prefix that happens to be called `id` is not it.
#[derive(Clone, Copy)]
pub(crate) struct NameIsId;

impl<U: Account> Call<U> {
    /// Token and body. The token of a request to a method that everybody may call is looked at only
    /// if the policy says so: such a request asks no store about it.
    pub(crate) async fn begin(api: UserApi<U>, route: &'static Route, request: Request) -> Result<Self, ErrorResponse> {
        let UserApi { auth, answers } = api;
        // A row about all methods is all that could open a route that no method is declared for.
        let (method, token) = (route.method.unwrap_or(Method::ANY), route.token);
        let (mut parts, body) = request.into_parts();
        let auth = auth.for_client(client(&auth, &parts));
        let strict = answers.expired_token_fails_open_routes;
        let wanted = token != TokenUse::IfNeeded || strict || !auth.is_open(method);
        let caller = match wanted {
            true if token == TokenUse::IfAny && !strict => ask_anybody(&mut parts).await?,
            true => ask_caller(&mut parts).await?,
            false => Err(AuthRejection::Missing),
        };
        let foreign = match &caller {
            Err(AuthRejection::Invalid) => PresentedToken::from_request_parts(&mut parts, &()).await.ok(),
            _ => None,
        };
        let foreign = foreign.map(|PresentedToken(token)| TokenDigest::of(token.expose()));
        let body = Args::read(auth.policy(), &answers, &parts.headers, body).await?;
        let (scopes, is_json) = (&[TokenRecord::DEFAULT_SCOPE], body.is_json());
        Ok(Self { auth, answers, method, scopes, caller, asked: wanted, foreign, parts, body, is_json })
    }

    /// For a method that asks for other scopes than the default one.
    pub(crate) fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }

    fn has_scope(&self, token: &TokenRecord) -> bool {
        self.scopes.iter().any(|scope| token.has_scope(scope))
    }

    /// How the mails of this request are written: with links to the prefix the route is mounted
    /// under, in the language the client prefers.
    pub(crate) async fn mails(&mut self) -> MailOptions {
        mounted_mail_options(&self.auth, &mut self.parts).await
    }

    /// How a notice of this request is written, which has no link to a route.
    pub(crate) fn notices(&self) -> MailOptions {
        mail_options(&self.auth, &self.parts.headers)
    }

    /// The id in the path, decoded. One that cannot be decoded is answered before it is asked who
    /// wants to know, as in LoopBack.
    pub(crate) async fn id(&mut self) -> Result<String, ErrorResponse> {
        let id = self.parameter("id").await?;
        match self.answers.current_user_literal {
            Some(literal) if literal == id => {
                // Also on an open route: here the caller says whom it is about.
                if !self.asked {
                    self.caller = ask_caller(&mut self.parts).await?;
                    self.asked = true;
                }
                let caller = self.caller.as_ref().map_err(AuthRejection::to_error)?;
                Ok(caller.principal.id().to_string())
            }
            _ => Ok(id),
        }
    }

    /// A parameter of the path, decoded. On a path without it (a name of a route asked for with
    /// another method, which to LoopBack is an id) it is the last segment.
    pub(crate) async fn parameter(&mut self, name: &str) -> Result<String, ErrorResponse> {
        let path = self.parts.uri.path().to_owned();
        let params = RawPathParams::from_request_parts(&mut self.parts, &()).await;
        if let Some(bad) = path.split('/').find(|segment| !is_decodable(segment)) {
            return Err(undecodable(bad));
        }
        let last = path.rsplit('/').next().unwrap_or_default();
        // axum says no more than that one of them is not UTF-8.
        let params = params.map_err(|_| undecodable(last))?;
        // A prefix may have parameters too; ours is the last, where the route has it.
        let is_last_segment = self.parts.extensions.get::<NameIsId>().is_some();
        let found = params.iter().filter(|(key, _)| *key == name && !is_last_segment).last();
        Ok(found.map_or(last, |(_, value)| value).to_owned())
    }

    /// What the request has besides its body.
    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Whether the body was sent as JSON, which no page of another origin can do unasked.
    pub(crate) fn body_is_json(&self) -> bool {
        self.is_json
    }

    /// The query, as the `qs` package reads it.
    pub(crate) fn query(&self) -> Result<Map<String, Value>, ErrorResponse> {
        qs::parse(self.parts.uri.query().unwrap_or_default()).map_err(too_deep)
    }

    /// Body, query and headers, for arguments that may be in any of them: `filter`, `uid`.
    pub(crate) fn arguments(&self) -> Arguments<'_> {
        Arguments::new(&self.body, self.parts.uri.query(), &self.parts.headers)
    }

    /// An argument that is an object, from query or header: `where` of a method whose body is the
    /// data.
    pub(crate) fn query_object(&self, name: &'static str) -> Result<Option<Map<String, Value>>, ErrorResponse> {
        Arguments::new(&Args::default(), self.parts.uri.query(), &self.parts.headers).object(name)
    }

    /// The body.
    pub(crate) fn take_body(&mut self) -> Args {
        std::mem::take(&mut self.body)
    }

    /// Whether the caller may call the method, on the user whose id is `target` if it is about one.
    pub(crate) async fn authorize(&self, target: Option<&str>) -> Result<(), ErrorResponse> {
        if let Some(target) = target
            && self.is_allowed_to_other_owner(target).await?
        {
            return Ok(());
        }
        let caller = self.caller.as_ref().ok();
        let token = caller.and_then(|caller| caller.token.as_ref());
        let scope = self.scopes.iter().find(|scope| token.is_some_and(|token| token.has_scope(scope)));
        let scope = scope.unwrap_or(&TokenRecord::DEFAULT_SCOPE);
        let access = AccessRequest { method: self.method, caller, target };
        let decision = self.auth.authorize_in_scope(scope, &access).await;
        match decision.map_err(unavailable)? {
            decision if decision.is_allowed() => return Ok(()),
            Decision::InsufficientScope => return Err(AuthRejection::InsufficientScope.to_error()),
            _ => {}
        }
        Err(match (&self.caller, self.answers.acl_error_status) {
            (Err(rejection), _) => rejection.to_error(),
            (Ok(_), AclErrorStatus::Forbidden) => {
                ErrorResponse::new(StatusCode::FORBIDDEN, "Access Denied").code("ACCESS_DENIED")
            }
            (Ok(_), AclErrorStatus::NotFound) => {
                let (model, id) = (U::model_name(), target.unwrap_or("undefined"));
                let message = format!("could not find {model} with id {id}");
                ErrorResponse::new(StatusCode::NOT_FOUND, message).code("MODEL_NOT_FOUND")
            }
            (Ok(_), _) => AuthRejection::Missing.to_error(),
        })
    }

    /// Whether the method is allowed to a user of another model that owns the user whose id is
    /// `target`.
    async fn is_allowed_to_other_owner(&self, target: &str) -> Result<bool, ErrorResponse> {
        let Some(digest) = &self.foreign else { return Ok(false) };
        let owner = self.auth.find_other_owner(digest, target).await.map_err(unavailable)?;
        let Some(owner) = owner else { return Ok(false) };
        let scope = self.scopes.iter().find(|scope| owner.token.has_scope(scope));
        let scope = scope.unwrap_or(&TokenRecord::DEFAULT_SCOPE);
        let decision = self.auth.authorize_other_owner(scope, self.method, &owner, target).await;
        match decision.map_err(unavailable)? {
            Decision::InsufficientScope => Err(AuthRejection::InsufficientScope.to_error()),
            decision => Ok(decision.is_allowed()),
        }
    }

    /// As [`authorize`](Self::authorize), for a method about the caller's own account: a token of
    /// another model over the same store gets 403, as in LoopBack.
    pub(crate) async fn authorize_own(&self) -> Result<(), ErrorResponse> {
        if let Some(digest) = &self.foreign
            && self.auth.is_of_another_model(digest).await.map_err(unavailable)?
        {
            return Err(ErrorResponse::new(StatusCode::FORBIDDEN, "Access Denied"));
        }
        self.authorize(None).await
    }

    /// The caller, who must be somebody, and the stored token.
    pub(crate) fn require_caller(&self) -> Result<(&U, &TokenRecord), ErrorResponse> {
        let caller = self.caller.as_ref().map_err(AuthRejection::to_error)?;
        let token = caller.token.as_ref().ok_or_else(|| AuthRejection::Invalid.to_error())?;
        if !self.has_scope(token) {
            return Err(AuthRejection::InsufficientScope.to_error());
        }
        Ok((&caller.principal, token))
    }

    /// Why there is no caller, if there is none.
    pub(crate) fn rejection(&self) -> Option<&AuthRejection> {
        self.caller.as_ref().err()
    }

    /// The token by which the caller is known, if there is one.
    pub(crate) fn token(&self) -> Option<&TokenRecord> {
        self.caller.as_ref().ok()?.token.as_ref()
    }

    /// The token of the request, if no user here has it as an access token: a mailed secret looks
    /// like one.
    pub(crate) async fn unknown_token(&mut self) -> Option<TokenSecret> {
        if !matches!(self.caller, Err(AuthRejection::Invalid)) {
            return None;
        }
        let presented = PresentedToken::from_request_parts(&mut self.parts, &()).await.ok();
        presented.map(|PresentedToken(secret)| secret)
    }

    /// The user whose id this is. The caller is at hand already; others cost a query.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<U>, ErrorResponse> {
        if let Ok(caller) = &self.caller
            && caller.principal.id().is_named(id)
        {
            return Ok(Some(caller.principal.clone()));
        }
        self.auth.find_user_named(id).await.map_err(unavailable)
    }

    /// Whether this is the id of the caller, if there is one.
    pub(crate) fn is_about_caller(&self, id: &str) -> bool {
        self.caller.as_ref().is_ok_and(|caller| caller.principal.id().is_named(id))
    }

    /// [`find`](Self::find), with LoopBack's 404 of a method that is called on a user.
    pub(crate) async fn find_instance(&self, id: &str) -> Result<U, ErrorResponse> {
        self.find(id).await?.ok_or_else(|| no_instance(id))
    }
}

/// Who calls. An expired token and a store that fails are answered at once, before the body is
/// read; nobody at all is answered later, in the place LoopBack has for it.
async fn ask_caller<U: Account>(parts: &mut Parts) -> Result<Result<Authenticated<U>, AuthRejection>, ErrorResponse> {
    match ask_anybody(parts).await? {
        Err(rejection @ AuthRejection::Expired) => Err(rejection.to_error()),
        caller => Ok(caller),
    }
}

/// Who calls, where an expired token is nobody's.
async fn ask_anybody<U: Account>(parts: &mut Parts) -> Result<Result<Authenticated<U>, AuthRejection>, ErrorResponse> {
    match Caller::<U>::from_request_parts(parts, &()).await {
        Ok(Caller(caller)) => Ok(Ok(caller)),
        Err(rejection @ (AuthRejection::Missing | AuthRejection::Invalid | AuthRejection::Expired)) => {
            Ok(Err(rejection))
        }
        Err(rejection) => Err(rejection.to_error()),
    }
}

/// LoopBack's 404 of a method that is called on a user who is not there.
pub(crate) fn no_instance(id: &str) -> ErrorResponse {
    ErrorResponse::new(StatusCode::NOT_FOUND, format!("could not find a model with id {id}")).code("MODEL_NOT_FOUND")
}

/// LoopBack's 404 of a method that looks for a user.
pub(crate) fn unknown<U: Account>(id: &str) -> ErrorResponse {
    let message = format!("Unknown \"{}\" id \"{id}\".", U::model_name());
    ErrorResponse::new(StatusCode::NOT_FOUND, message).code("MODEL_NOT_FOUND")
}

/// An id as a client wrote it: a number where it is written as one.
pub(crate) fn id_of(value: &Value) -> Option<UserId> {
    match value {
        Value::Number(number) => number.as_i64().map(UserId::Int),
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => {
            let number = text.parse().ok().map(UserId::Int).filter(|id| id.is_named(text));
            Some(number.unwrap_or_else(|| UserId::from(text.as_str())))
        }
        _ => None,
    }
}

pub(crate) fn unavailable(error: Unavailable) -> ErrorResponse {
    error.into_error("")
}

fn undecodable(segment: &str) -> ErrorResponse {
    ErrorResponse::new(StatusCode::BAD_REQUEST, format!("Failed to decode param '{segment}'")).name("URIError")
}

/// Whether two hex digits follow each `%`. axum leaves others as they are.
fn is_decodable(segment: &str) -> bool {
    segment.split('%').skip(1).all(|after| after.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2)
}
