//! A list of users, written while it is read.
//!
//! A list that fits into one page of the store is a body like any other. A longer one is written a
//! page at a time, each of which is read when the client has taken the one before: what a request
//! costs in memory is a page, whatever there is in the table and however slow the client is. Such a
//! body has no length and so no `ETag`.
//!
//! What goes wrong after the first page breaks the body off, which every HTTP client sees: a list
//! is never shorter without a sign.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::{IntoResponse, Response};
use gatekit_core::{Account, Auth, Fields, Unavailable, UserCursor, UserPage, UserQuery};
use gatekit_layer::ErrorResponse;
use http_body::Frame;

use crate::Answers;
use crate::call::{Call, unavailable};
use crate::reply::json_response;
use crate::shape::loaded;

/// The users a query finds, as a JSON array.
pub(crate) async fn user_list<U: Account>(
    call: &Call<U>,
    query: UserQuery,
    fields: Fields,
) -> Result<Response, ErrorResponse> {
    let mut list =
        List { auth: call.auth.clone(), answers: Arc::clone(&call.answers), query, fields, has_begun: false };
    let page = call.auth.find_users_page(&list.query, None).await.map_err(unavailable)?;
    let mut first = Vec::new();
    let next = list.write(page, &mut first);
    let body = match next {
        None => Body::from(first),
        Some(next) => Body::new(Pages { first: Some(first.into()), next: Some(list.read(next)) }),
    };
    Ok(json_response(body).into_response())
}

/// How the users are looked for and shown.
struct List<U: Account> {
    auth: Auth<U>,
    answers: Arc<Answers>,
    query: UserQuery,
    fields: Fields,
    has_begun: bool,
}

/// The list with its next page.
type NextPage<U> = Pin<Box<dyn Future<Output = (List<U>, Result<UserPage<U>, Unavailable>)> + Send>>;

impl<U: Account> List<U> {
    fn read(self, from: UserCursor) -> NextPage<U> {
        Box::pin(async move {
            let page = self.auth.find_users_page(&self.query, Some(from)).await;
            (self, page)
        })
    }

    /// Adds a page to the text. Returns where the next one begins.
    fn write(&mut self, page: UserPage<U>, text: &mut Vec<u8>) -> Option<UserCursor> {
        if !self.has_begun {
            text.push(b'[');
        }
        for user in &page.users {
            let length = text.len();
            if self.has_begun {
                text.push(b',');
            }
            let shown = self.fields.apply(loaded(&self.answers, user));
            match serde_json::to_writer(&mut *text, &shown) {
                Ok(()) => self.has_begun = true,
                // A JSON value always serializes.
                Err(_) => text.truncate(length),
            }
        }
        self.has_begun = true;
        if page.next.is_none() {
            text.push(b']');
        }
        page.next
    }
}

/// The pages of a long list.
struct Pages<U: Account> {
    first: Option<Bytes>,
    /// `None` behind the last one.
    next: Option<NextPage<U>>,
}

impl<U: Account> HttpBody for Pages<U> {
    type Data = Bytes;
    type Error = Unavailable;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Unavailable>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        loop {
            let Some(next) = &mut self.next else { return Poll::Ready(None) };
            let (mut list, page) = ready!(next.as_mut().poll(cx));
            self.next = None;
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    tracing::error!(%error, "a list of users broke off: its next page could not be read");
                    return Poll::Ready(Some(Err(error)));
                }
            };
            let mut text = Vec::new();
            if let Some(next) = list.write(page, &mut text) {
                self.next = Some(list.read(next));
            }
            if !text.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(text.into()))));
            }
        }
    }
}
