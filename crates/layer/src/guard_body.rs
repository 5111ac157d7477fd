//! The response body of a guarded service: the inner service's, or the guard's own.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The response body of a service behind a [`Guard`](crate::Guard): the body of the inner
    /// service, or the refusal.
    ///
    /// It is a [`Body`] wherever the inner one is, with the same errors and trailers. The type of
    /// its data must be one that can be made from [`Bytes`]; almost every body has `Bytes` itself.
    /// So a guard may stand around a compression layer, a file service, a gRPC service or another
    /// guard.
    ///
    /// Outside of axum, where the inner body is no [`Body`] at all, take it out with
    /// [`into_inner`](Self::into_inner).
    #[derive(Clone, Debug)]
    pub struct GuardBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[derive(Clone, Debug)]
    #[project = KindProj]
    enum Kind<B> {
        Inner { #[pin] body: B },
        HookVeto { bytes: Bytes },
    }
}

impl<B> GuardBody<B> {
    pub(crate) fn inner(body: B) -> Self {
        Self { kind: Kind::Inner { body } }
    }

    pub(crate) fn refusal(bytes: Bytes) -> Self {
        Self { kind: Kind::HookVeto { bytes } }
    }

    /// The body of the inner service.
    ///
    /// # Errors
    ///
    /// The body of the refusal, if the guard did not let the request through.
    pub fn into_inner(self) -> Result<B, Bytes> {
        match self.kind {
            Kind::Inner { body } => Ok(body),
            Kind::HookVeto { bytes } => Err(bytes),
        }
    }
}

impl<B> Body for GuardBody<B>
where
    B: Body,
    B::Data: From<Bytes>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().kind.project() {
            KindProj::Inner { body } => body.poll_frame(cx),
            KindProj::HookVeto { bytes } if bytes.is_empty() => Poll::Ready(None),
            KindProj::HookVeto { bytes } => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes).into())))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner { body } => body.is_end_stream(),
            Kind::HookVeto { bytes } => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body } => body.size_hint(),
            // A length fits into 64 bits.
            Kind::HookVeto { bytes } => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}
