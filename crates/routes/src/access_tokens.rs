//! `/{id}/accessTokens`: a user's tokens as LoopBack's relation.

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gatekit_core::{
    Account, Auth, Filter, IssueToken, IssueTokenError, IssuedToken, Method, TokenDigest, TokenRecord, UserId, Where,
};
use gatekit_layer::ErrorResponse;
use gatekit_web::{Argument, Field, Route, RouteResponse, Schema, Shape};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::call::{Call, unavailable};
use crate::declared::{BAD_FILTER, COUNT, DENIED, UNKNOWN_USER};
use crate::errors::IntoError;
use crate::feature::{Feature, call};
use crate::reply::{Json, NoContent};
use crate::ttl::ttl;
use crate::{Answers, UserApi};

const ROUTES: [Route; 7] = [
    Route::get("/{id}/accessTokens", "Returns the user's tokens, without their secrets.")
        .method(Method::GET_ACCESS_TOKENS)
        .arguments(&[ID, Argument::anywhere("filter", Shape::Any).optional()])
        .responses(&[RouteResponse::new(200, Shape::Array(&TOKEN)), BAD_FILTER, DENIED, UNKNOWN_USER]),
    Route::post("/{id}/accessTokens", "Issues a token for the user, or several tokens at once.")
        .method(Method::CREATE_ACCESS_TOKENS)
        .arguments(&[ID, TTL, SCOPES])
        .responses(&[
            RouteResponse::new(200, Shape::OneOf(&[TOKEN, Shape::Array(&TOKEN)])),
            RouteResponse::error(400, &["INVALID_TTL", "INVALID_SCOPES"], "the body is wrong"),
            RouteResponse::error(400, &["TOO_MANY_TOKENS"], "the array is longer than 100"),
            DENIED,
            RouteResponse::error(403, &["ACCOUNT_NOT_ACTIVE"], "the account is not active"),
            UNKNOWN_USER,
        ]),
    Route::delete("/{id}/accessTokens", "Ends all tokens of the user.")
        .method(Method::DELETE_ACCESS_TOKENS)
        .arguments(&[ID])
        .responses(&[RouteResponse::NO_CONTENT, DENIED, UNKNOWN_USER]),
    Route::get("/{id}/accessTokens/count", "Counts the user's tokens.")
        .method(Method::COUNT_ACCESS_TOKENS)
        .arguments(&[ID, Argument::anywhere("where", Shape::Any).optional()])
        .responses(&[RouteResponse::new(200, COUNT), BAD_FILTER, DENIED, UNKNOWN_USER]),
    Route::get("/{id}/accessTokens/{fk}", "Returns one of the user's tokens.")
        .method(Method::FIND_BY_ID_ACCESS_TOKENS)
        .arguments(&[ID, FK])
        .responses(&[RouteResponse::new(200, TOKEN), DENIED, UNKNOWN_USER, NO_TOKEN]),
    Route::put("/{id}/accessTokens/{fk}", "Changes the lifetime and the scopes of one of the user's tokens.")
        .method(Method::UPDATE_BY_ID_ACCESS_TOKENS)
        .arguments(&[ID, FK, TTL, SCOPES])
        .responses(&[
            RouteResponse::new(200, TOKEN),
            RouteResponse::error(400, &["INVALID_TTL", "INVALID_SCOPES"], "the body is wrong"),
            DENIED,
            UNKNOWN_USER,
            NO_TOKEN,
        ]),
    Route::delete("/{id}/accessTokens/{fk}", "Ends one of the user's tokens.")
        .method(Method::DESTROY_BY_ID_ACCESS_TOKENS)
        .arguments(&[ID, FK])
        .responses(&[RouteResponse::NO_CONTENT, DENIED, UNKNOWN_USER, NO_TOKEN]),
];

const ID: Argument = Argument::path("id", Shape::Id);
const FK: Argument = Argument::path("fk", Shape::String);
const TTL: Argument = Argument::body("ttl", Shape::Integer).optional();
const SCOPES: Argument = Argument::body("scopes", Shape::Array(&Shape::String)).optional();
const NO_TOKEN: RouteResponse = RouteResponse::error(404, &[], "the user has no such token");

const TOKEN: Shape = Shape::Object(&Schema::new(
    "AccessToken",
    &[
        Field::new("id", Shape::String),
        Field::new("ttl", Shape::Integer),
        Field::optional("scopes", Shape::Array(&Shape::String)),
        Field::new("created", Shape::Time),
        Field::new("userId", Shape::Id),
        Field::optional("principalType", Shape::String),
    ],
));

/// LoopBack's relation, which by default nobody may use.
///
/// | route | answer |
/// | --- | --- |
/// | `GET /{id}/accessTokens` | 200, the tokens; with `filter` some of them |
/// | `POST /{id}/accessTokens` with `{"ttl"?, "scopes"?}` | 200, a new token, its secret as `id`; of an array, an array |
/// | `DELETE /{id}/accessTokens` | 204, and all have ended |
/// | `GET /{id}/accessTokens/count` | 200 `{"count": 5}`; with `where` of some |
/// | `GET /{id}/accessTokens/{fk}` | 200, the token |
/// | `PUT /{id}/accessTokens/{fk}` with `{"ttl"?, "scopes"?}` | 200, the token |
/// | `DELETE /{id}/accessTokens/{fk}` | 204, and it has ended |
///
/// Different from LoopBack, where who may read these routes can log in as anybody: a token's `id`
/// is its handle (`TokenRecord::handle`), not its secret, which is stored nowhere. `{fk}` is a
/// handle, or the secret, which its holder has. An id chosen by the client is not taken, and `ttl`
/// is cut to `policy.tokens.max_ttl`.
///
/// | answer | when |
/// | --- | --- |
/// | 400 `INVALID_TTL`, `INVALID_SCOPES` | the body is wrong |
/// | 400 `TOO_MANY_TOKENS` | the array is longer than 100 |
/// | 403 `ACCOUNT_NOT_ACTIVE` | the account is blocked or pending |
/// | 401 `AUTHORIZATION_REQUIRED` | the access control list says no |
/// | 404 `MODEL_NOT_FOUND` | there is no such user |
/// | 404 | the user has no such token |
pub fn access_tokens<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    feature().alone(api)
}

pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new(
        "access_tokens",
        &ROUTES,
        [call(list), call(create), call(delete_all), call(count), call(find), call(update), call(destroy)],
    )
}

/// A new token, secret included, as LoopBack's AccessToken.
#[derive(Serialize)]
pub(crate) struct NewToken {
    #[serde(flatten)]
    token: IssuedToken,
    #[serde(rename = "principalType", skip_serializing_if = "Option::is_none")]
    principal_type: Option<&'static str>,
}

impl NewToken {
    pub(crate) fn of<U: Account>(answers: &Answers, token: IssuedToken) -> Self {
        Self { token, principal_type: principal_type::<U>(answers) }
    }
}

/// The name of the user type, where tokens show it.
fn principal_type<U: Account>(answers: &Answers) -> Option<&'static str> {
    answers.show_principal_type.then(U::model_name)
}

/// A stored token as JSON, LoopBack's members in LoopBack's order.
pub(crate) fn token_json<U: Account>(answers: &Answers, token: &TokenRecord) -> Map<String, Value> {
    let mut json = Map::new();
    json.insert("id".into(), token.handle().into());
    json.insert("ttl".into(), token.ttl.into());
    if let Some(scopes) = &token.scopes {
        json.insert("scopes".into(), json!(scopes));
    }
    json.insert("created".into(), json!(token.created));
    json.insert("userId".into(), json!(token.user_id));
    json.extend(principal_type::<U>(answers).map(|name| ("principalType".to_owned(), name.into())));
    json
}

async fn list<U: Account>(mut call: Call<U>) -> Result<Response, ErrorResponse> {
    let id = call.id().await?;
    let filter = call.arguments().object("filter")?;
    call.authorize(Some(&id)).await?;
    let user = call.find_instance(&id).await?;
    let filter = Filter::from_json(&Value::Object(filter.unwrap_or_default()));
    let filter = filter.map_err(|error| error.into_error(U::model_name()))?;
    let tokens = call.auth.list_tokens(&user.id()).await.map_err(unavailable)?;
    let tokens =
        filter.query.select(tokens.iter().map(|token| Value::Object(token_json::<U>(&call.answers, token))).collect());
    let tokens: Vec<Value> = tokens.into_iter().map(|token| filter.fields.apply(token)).collect();
    Ok(Json(tokens).into_response())
}

async fn count<U: Account>(mut call: Call<U>) -> Result<Response, ErrorResponse> {
    let id = call.id().await?;
    let condition = call.arguments().object("where")?;
    call.authorize(Some(&id)).await?;
    let user = call.find_instance(&id).await?;
    let condition = Where::from_json(&Value::Object(condition.unwrap_or_default()));
    let condition = condition.map_err(|error| error.into_error(U::model_name()))?;
    let tokens = call.auth.list_tokens(&user.id()).await.map_err(unavailable)?;
    let count =
        tokens.iter().filter(|token| condition.matches(&Value::Object(token_json::<U>(&call.answers, token)))).count();
    Ok(Json(json!({ "count": count })).into_response())
}

async fn create<U: Account>(mut call: Call<U>) -> Result<Response, ErrorResponse> {
    let id = call.id().await?;
    let several = call.body.take_array();
    let body = call.take_body();
    let body = if several.is_some() { Map::new() } else { body.into_object_or_empty()? };
    call.authorize(Some(&id)).await?;
    let user = call.find_instance(&id).await?.id();
    let Some(several) = several else {
        return Ok(Json(issue(&call, &user, options(&body)?).await?).into_response());
    };
    // All are read before the first is made.
    let several: Vec<IssueToken> = read_several(&call.auth, &several)?;
    let mut tokens = Vec::new();
    for options in several {
        tokens.push(issue(&call, &user, options).await?);
    }
    Ok(Json(tokens).into_response())
}

async fn issue<U: Account>(call: &Call<U>, user: &UserId, options: IssueToken) -> Result<NewToken, ErrorResponse> {
    let token = call.auth.issue_token(user, options).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(NewToken::of::<U>(&call.answers, token))
}

/// The most tokens that one request may make.
const MAX_BATCH: usize = 100;

fn read_several<U: Account>(auth: &Auth<U>, bodies: &[Value]) -> Result<Vec<IssueToken>, ErrorResponse> {
    if bodies.len() > MAX_BATCH {
        let message = format!("no more than {MAX_BATCH} tokens can be made at once");
        return Err(ErrorResponse::new(StatusCode::BAD_REQUEST, message).code("TOO_MANY_TOKENS"));
    }
    let not_an_object = || ErrorResponse::new(StatusCode::BAD_REQUEST, "Value is not an object.");
    let read = |body: &Value| {
        let options = options(body.as_object().ok_or_else(not_an_object)?)?;
        match auth.effective_ttl(options.ttl) {
            Some(_) => Ok(options),
            None => Err(IssueTokenError::InvalidTtl.into_error(U::model_name())),
        }
    };
    bodies.iter().map(read).collect()
}

async fn delete_all<U: Account>(mut call: Call<U>) -> Result<NoContent, ErrorResponse> {
    let id = call.id().await?;
    call.authorize(Some(&id)).await?;
    let user = call.find_instance(&id).await?;
    call.auth.logout_everywhere(&user.id(), None).await.map_err(unavailable)?;
    Ok(NoContent)
}

async fn find<U: Account>(mut call: Call<U>) -> Result<Response, ErrorResponse> {
    let (id, name) = (call.id().await?, call.parameter("fk").await?);
    call.authorize(Some(&id)).await?;
    let user = call.find_instance(&id).await?;
    let token = call.auth.find_token(&user.id(), &name).await.map_err(unavailable)?;
    let token = token.ok_or_else(|| no_token(&name))?;
    Ok(Json(named::<U>(&call.answers, &token, &name)).into_response())
}

async fn update<U: Account>(mut call: Call<U>) -> Result<Response, ErrorResponse> {
    let (id, name) = (call.id().await?, call.parameter("fk").await?);
    let body = call.take_body().into_object_or_empty()?;
    call.authorize(Some(&id)).await?;
    let user = call.find_instance(&id).await?;
    if body.get("userId").is_some_and(|other| crate::call::id_of(other) != Some(user.id())) {
        return Err(ErrorResponse::new(StatusCode::BAD_REQUEST, "a token cannot be given to another user"));
    }
    let token = call.auth.update_token(&user.id(), &name, options(&body)?).await;
    let token = token.map_err(|error| error.into_error(U::model_name()))?.ok_or_else(|| no_token(&name))?;
    Ok(Json(named::<U>(&call.answers, &token, &name)).into_response())
}

async fn destroy<U: Account>(mut call: Call<U>) -> Result<NoContent, ErrorResponse> {
    let (id, name) = (call.id().await?, call.parameter("fk").await?);
    call.authorize(Some(&id)).await?;
    let user = call.find_instance(&id).await?;
    let ended = call.auth.revoke_token(&user.id(), &name).await.map_err(unavailable)?;
    if ended { Ok(NoContent) } else { Err(no_token(&name)) }
}

/// A token by the name it was asked for: who names it by its secret, as LoopBack's clients do,
/// knows the secret.
fn named<U: Account>(answers: &Answers, token: &TokenRecord, name: &str) -> Map<String, Value> {
    let mut json = token_json::<U>(answers, token);
    if TokenDigest::of(name) == token.digest {
        json.insert("id".into(), name.into());
    }
    json
}

fn no_token(name: &str) -> ErrorResponse {
    let message = format!("No instance with id {name} found for AccessToken");
    ErrorResponse::new(StatusCode::NOT_FOUND, message)
}

fn options(body: &Map<String, Value>) -> Result<IssueToken, ErrorResponse> {
    let mut options = IssueToken::default();
    options.ttl = ttl(body.get("ttl"))?;
    options.scopes = match body.get("scopes") {
        None | Some(Value::Null) => None,
        Some(Value::Array(scopes)) => {
            let texts: Option<Vec<String>> = scopes.iter().map(|scope| scope.as_str().map(str::to_owned)).collect();
            Some(texts.ok_or_else(invalid_scopes)?)
        }
        Some(_) => return Err(invalid_scopes()),
    };
    Ok(options)
}

fn invalid_scopes() -> ErrorResponse {
    ErrorResponse::new(StatusCode::BAD_REQUEST, "scopes must be an array of texts").code("INVALID_SCOPES")
}
