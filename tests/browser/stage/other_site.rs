//! What can a page of another origin do? A server whose pages a test writes.

use axum::Router;
use axum::extract::State;
use axum::response::Html;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A server of one page, on a port of its own. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct OtherSite {
    port: u16,
    page: Arc<Mutex<String>>,
    server: AbortHandle,
}

impl OtherSite {
    /// Starts it.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let page = Arc::<Mutex<String>>::default();
        let app = Router::new().fallback(show).with_state(Arc::clone(&page));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }).abort_handle();
        Self { port, page, server }
    }

    /// From now on shows this in its page's body.
    pub(crate) fn show(&self, body: &str) {
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) =
            format!("<!doctype html><html lang=en><title>Another site</title><body>{body}</body></html>");
    }

    /// Of another origin but the same site as `http://localhost`: browsers send it `SameSite`
    /// cookies.
    pub(crate) fn same_site(&self) -> String {
        format!("http://localhost:{}/", self.port)
    }

    /// Of another site.
    pub(crate) fn cross_site(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }
}

impl Drop for OtherSite {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn show(State(page): State<Arc<Mutex<String>>>) -> Html<String> {
    Html(page.lock().unwrap_or_else(PoisonError::into_inner).clone())
}
