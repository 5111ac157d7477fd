//! Which of the texts in a request is its token.

use std::ops::ControlFlow;

use gatekit_core::{TokenDigest, TokenForm};

use super::found::{Candidate, Found};

/// A search through the places for tokens, by the rules of [`TokenSources`](crate::TokenSources):
///
/// 1. A place without a token is passed over, and so is a text that says there is none:
///    `undefined`, `null`.
/// 2. The first text in the authenticator's own form ends the search, valid or not.
/// 3. If there is none, the first text counts that could be a token. `Basic` and other schemes come
///    after all others.
/// 4. What cannot be a token counts if there is nothing else, and the authenticator refuses it.
///
/// With LoopBack's order the first text that could be a token ends the search too, and so does an
/// empty one in the query.
pub(super) struct Search<'a, F> {
    form: F,
    loopbacks_order: bool,
    best: Option<(Rank, Found<'a>)>,
}

/// How good a find is. The lower, the better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Ending,
    Possible,
    PossibleInBorrowedForm,
    Foreign,
}

impl<'a, F: Fn(&str) -> TokenForm> Search<'a, F> {
    pub(super) fn new(form: F, loopbacks_order: bool) -> Self {
        Self { form, loopbacks_order, best: None }
    }

    /// Takes a text into account. `Break` if the search ends with it.
    pub(super) fn offer(&mut self, candidate: Candidate<'a>) -> ControlFlow<()> {
        if candidate.is_nothing() {
            return ControlFlow::Continue(());
        }
        let rank = match (self.form)(&candidate.token) {
            TokenForm::Own => Rank::Ending,
            TokenForm::Foreign => Rank::Foreign,
            _ if candidate.borrowed_form => Rank::PossibleInBorrowedForm,
            _ if self.loopbacks_order => Rank::Ending,
            _ => Rank::Possible,
        };
        self.keep(rank, Found::Token(candidate))
    }

    /// The query has a parameter for the token, and it is empty.
    pub(super) fn offer_empty_parameter(&mut self) -> ControlFlow<()> {
        if self.loopbacks_order {
            return self.keep(Rank::Ending, Found::Token(Candidate::sent("")));
        }
        ControlFlow::Continue(())
    }

    /// The session has a token.
    #[cfg_attr(not(feature = "tower-sessions"), expect(dead_code, reason = "only sessions hold digests"))]
    pub(super) fn offer_session(&mut self, digest: TokenDigest) -> ControlFlow<()> {
        self.keep(Rank::Ending, Found::Session(digest))
    }

    pub(super) fn into_found(self) -> Option<Found<'a>> {
        self.best.map(|(_, found)| found)
    }

    fn keep(&mut self, rank: Rank, found: Found<'a>) -> ControlFlow<()> {
        if self.best.as_ref().is_none_or(|(best, _)| rank < *best) {
            self.best = Some((rank, found));
        }
        if rank == Rank::Ending { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
