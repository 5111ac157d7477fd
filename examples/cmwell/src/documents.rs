//! What the permissions are about: texts at paths below `/docs`, in memory. An app has its own
//! routes in their place.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::routing::get;

/// Bytes of one document.
const MAX_BYTES: usize = 64 * 1024;
/// How many documents there may be.
const MAX_DOCUMENTS: usize = 1000;

type Documents = Arc<RwLock<BTreeMap<String, String>>>;

/// `GET`, `PUT` and `DELETE /docs/{*path}`. Nobody is asked here who calls: the filter around has
/// done that.
pub(crate) fn routes() -> Router {
    let welcome = BTreeMap::from([("welcome".to_owned(), "Everybody may read this.\n".to_owned())]);
    Router::new()
        .route("/docs/{*path}", get(read).put(write).delete(remove))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
        .with_state(Arc::new(RwLock::new(welcome)))
}

async fn read(State(documents): State<Documents>, Path(path): Path<String>) -> Result<String, StatusCode> {
    let documents = documents.read().unwrap_or_else(PoisonError::into_inner);
    documents.get(&path).cloned().ok_or(StatusCode::NOT_FOUND)
}

async fn write(State(documents): State<Documents>, Path(path): Path<String>, text: String) -> StatusCode {
    let mut documents = documents.write().unwrap_or_else(PoisonError::into_inner);
    if documents.len() >= MAX_DOCUMENTS && !documents.contains_key(&path) {
        return StatusCode::INSUFFICIENT_STORAGE;
    }
    documents.insert(path, text);
    StatusCode::NO_CONTENT
}

async fn remove(State(documents): State<Documents>, Path(path): Path<String>) -> StatusCode {
    let mut documents = documents.write().unwrap_or_else(PoisonError::into_inner);
    if documents.remove(&path).is_some() { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}
