//! The value that the layer leaves in a request for the extractors: its settings and, once an
//! extractor has asked, the caller.

use std::any::{TypeId, type_name};
use std::sync::{Arc, OnceLock};

use gatekit_core::{PublicUrl, Timestamp, TokenForm, TokenRecord, TokenSecret};
use http::Extensions;
use http::request::Parts;

use crate::again::watched;
use crate::denial::Denial;
use crate::erased::{BoxFuture, ErasedAuthenticated, Typed};
use crate::lookup::Lookup;
use crate::request_head::RequestHead;
use crate::settings::Settings;
use crate::source::{Credential, Found, QueryToken};
use crate::{AuthRejection, ClientIp};

/// One a request. It does not name the principal's type, so that
/// [`AccessToken`](crate::AccessToken) needs none, and so that an extractor for another type can
/// say which one there is.
///
/// It is made for every request, also for those that ask for nobody, so it is small and holds
/// nothing that has to be looked up.
#[derive(Clone)]
pub(crate) struct Context {
    settings: Arc<Settings>,
    /// What was cut out of the query, also by layers further out; the other sources are looked at
    /// when somebody asks.
    query: Vec<QueryToken>,
    /// What was found, which the layer reads when it has the response.
    lookup: Arc<OnceLock<Lookup>>,
    /// Whether a guard has found that the token has a scope that this route asks for, and not the
    /// one of routes that ask for none.
    in_scope: bool,
    /// Whether there is another layer on the way of this request. Both may have the same cookie.
    stacked: bool,
    /// What a layer further out left, whose principal may be of another type.
    outer: Option<Box<Context>>,
}

/// [`Context::knowing`] for a user type that a layer was told, without its name.
pub(crate) type Knowing = for<'a> fn(&'a mut Parts) -> BoxFuture<'a, Result<&'a mut Context, AuthRejection>>;

pub(crate) fn knowing<P: Clone + Send + Sync + 'static>(
    parts: &mut Parts,
) -> BoxFuture<'_, Result<&mut Context, AuthRejection>> {
    Box::pin(Context::knowing::<P>(parts))
}

/// In place of a user type: whoever is known on the route, whatever type the authenticator has for
/// it.
///
/// It is what [`HasRole`](crate::HasRole) and [`Scoped`](crate::Scoped) ask about unless a type is
/// named, so that they need none. Where layers for several user types are stacked, it is the caller
/// who was found already, or else of the innermost layer that knows one; name the type there.
#[derive(Clone, Copy, Debug)]
pub enum AnyUser {}

impl Context {
    /// Puts a new one into `extensions`. What is returned will hold what was found, for the layer
    /// when it has the response.
    pub(crate) fn insert(
        extensions: &mut Extensions,
        settings: Arc<Settings>,
        query: Vec<QueryToken>,
    ) -> Arc<OnceLock<Lookup>> {
        let lookup = Arc::new(OnceLock::new());
        let context =
            Self { settings, query, lookup: Arc::clone(&lookup), in_scope: false, stacked: false, outer: None };
        if let Some(mut outer) = extensions.insert(context)
            && let Some(context) = extensions.get_mut::<Self>()
        {
            context.query.extend(outer.query.iter().cloned());
            (context.stacked, outer.stacked) = (true, true);
            context.outer = Some(Box::new(outer));
        }
        lookup
    }

    /// What is found, for a layer that has the response later.
    pub(crate) fn lookup(&self) -> Arc<OnceLock<Lookup>> {
        Arc::clone(&self.lookup)
    }

    /// The context whose principal is a `P`, with the caller known; for [`AnyUser`] the one that
    /// knew a caller already, or else the first that does, from the innermost outwards. An
    /// authenticator is asked at most once a request.
    pub(crate) async fn knowing<P: Clone + Send + Sync + 'static>(
        parts: &mut Parts,
    ) -> Result<&mut Self, AuthRejection> {
        let (context, head) = split(parts);
        if TypeId::of::<P>() == TypeId::of::<AnyUser>() {
            return context.ok_or_else(|| not_mounted("its user type"))?.resolve_any(&head).await;
        }
        let context = context.ok_or_else(|| not_mounted(type_name::<P>()))?.of::<P>()?;
        if context.lookup.get().is_none() {
            let answer = context.ask_for::<P>(&head).await;
            context.remember(answer, &head);
        }
        context.known()?;
        Ok(context)
    }

    /// The innermost context, with the caller known.
    pub(crate) async fn innermost(parts: &mut Parts) -> Result<&mut Self, AuthRejection> {
        let (context, head) = split(parts);
        let context = context.ok_or_else(|| not_mounted("its user type"))?;
        if context.lookup.get().is_none() {
            let answer = context.ask(&head).await;
            context.remember(answer, &head);
        }
        context.known()?;
        Ok(context)
    }

    /// The token as it came, unchecked. It may be a secret of the kit that is no token of the
    /// authenticator.
    pub(crate) fn presented(parts: &mut Parts) -> Result<String, AuthRejection> {
        let (context, head) = split(parts);
        let context = context.ok_or_else(|| not_mounted("its user type"))?;
        // Of stacked layers the innermost that finds something.
        let mut found = context.outwards().map(|context| {
            let form = |text: &str| match TokenSecret::is_well_formed(text) {
                true => TokenForm::Own,
                false => context.settings.authenticator.token_form(text),
            };
            context.find_token(&head, form)
        });
        let found =
            found.find(|found| !matches!(found, Err(AuthRejection::Missing))).unwrap_or(Err(AuthRejection::Missing))?;
        Ok(found.token().ok_or(AuthRejection::Invalid)?.into_owned())
    }

    /// The innermost context whose principal is a `P`.
    fn of<P: 'static>(&mut self) -> Result<&mut Self, AuthRejection> {
        let innermost = self.settings.authenticator.principal_name();
        let mut context = self;
        while !context.settings.authenticator.as_any().is::<Typed<P>>() {
            context = context.outer.as_deref_mut().ok_or_else(|| other_principal(type_name::<P>(), innermost))?;
        }
        Ok(context)
    }

    /// Of several contexts, the one that was asked already and said yes; or else the first that
    /// does, from here outwards.
    async fn resolve_any(&mut self, head: &RequestHead<'_>) -> Result<&mut Self, AuthRejection> {
        let knowing = self.outwards().position(|context| context.answered().is_some());
        if let Some(depth) = knowing {
            let mut context = self;
            for _ in 0..depth {
                context = context.outer.as_deref_mut().ok_or(AuthRejection::Missing)?;
            }
            return Ok(context);
        }
        let mut refusal = None;
        let mut context = Some(self);
        while let Some(here) = context {
            if here.lookup.get().is_none() {
                let answer = here.ask(head).await;
                here.remember(answer, head);
            }
            match here.known().map(|_| ()) {
                Ok(()) => return Ok(here),
                Err(failure) if !failure.is_anonymous() => return Err(failure),
                Err(other) => refusal = refusal.or(Some(other)),
            }
            context = here.outer.as_deref_mut();
        }
        Err(refusal.unwrap_or(AuthRejection::Missing))
    }

    /// The caller, whatever its token is for.
    pub(crate) fn known(&self) -> Result<&dyn ErasedAuthenticated, AuthRejection> {
        match self.lookup.get().map(|lookup| &lookup.answer) {
            Some(Ok(caller)) => Ok(&**caller),
            Some(Err(rejection)) => Err(AuthRejection::clone(rejection)),
            None => Err(AuthRejection::Missing),
        }
    }

    /// Keeps the answer for the rest of the request, and for the layer.
    fn remember(&self, answer: Result<Arc<dyn ErasedAuthenticated>, AuthRejection>, head: &RequestHead<'_>) {
        let ended_cookie = answer.as_ref().is_err_and(|rejection| self.has_ended_cookie(rejection, head));
        // It is set once: nobody asks twice.
        let _ = self.lookup.set(Lookup { answer: answer.map_err(Box::new), ended_cookie });
    }

    /// Whether a token was refused that has ended and stood in the layer's cookie.
    ///
    /// A text that is not in the form of the authenticator's own tokens is left alone: something
    /// else may have set the cookie. So is a token that the authenticator does not know, if another
    /// layer has looked at the request too: it may be that layer's.
    fn has_ended_cookie(&self, rejection: &AuthRejection, head: &RequestHead<'_>) -> bool {
        let ended = match rejection {
            AuthRejection::Expired => true,
            AuthRejection::Invalid => !self.stacked,
            _ => false,
        };
        let sources = &self.settings.sources;
        #[cfg(feature = "tower-sessions")]
        let ended = ended && !sources.has_session();
        let form = |text: &str| self.settings.authenticator.token_form(text);
        let in_cookie = || {
            let in_cookie = sources.token_cookie()?.find(head.headers)?;
            let found = sources.find(head.headers, &self.query, form).filter(Found::is_ambient)?;
            Some(found.token()? == in_cookie && form(&in_cookie) == TokenForm::Own)
        };
        ended && in_cookie().unwrap_or(false)
    }

    /// The caller, if its token is for this route: it has the scope that a guard has asked for, or
    /// else the one of routes that ask for none.
    pub(crate) fn admitted(&self) -> Result<&dyn ErasedAuthenticated, AuthRejection> {
        let caller = self.known()?;
        if self.in_scope || caller.has_scope(TokenRecord::DEFAULT_SCOPE) {
            Ok(caller)
        } else {
            Err(AuthRejection::InsufficientScope)
        }
    }

    /// Admits the caller if its token has any of these scopes; from here on nothing in this request
    /// asks for another.
    pub(crate) fn require_scope<S: AsRef<str>>(&mut self, scopes: &[S]) -> Result<(), AuthRejection> {
        let caller = self.known()?;
        if !scopes.iter().any(|scope| caller.has_scope(scope.as_ref())) {
            return Err(AuthRejection::InsufficientScope);
        }
        self.in_scope = true;
        Ok(())
    }

    /// Whether the caller, whose token must be for this route, is in a role.
    pub(crate) async fn is_in_role(&self, role: &str) -> Result<bool, AuthRejection> {
        let caller = self.admitted()?;
        self.settings.authenticator.is_in_role(caller, role).await.map_err(AuthRejection::Unavailable)
    }

    /// What time it is for the issuer of the tokens.
    pub(crate) fn now(&self) -> Timestamp {
        self.settings.authenticator.now()
    }

    /// Asks an authenticator whose principal is known to be a `P`, which spares the future that
    /// hides it.
    async fn ask_for<P: Clone + Send + Sync + 'static>(
        &self,
        head: &RequestHead<'_>,
    ) -> Result<Arc<dyn ErasedAuthenticated>, AuthRejection> {
        let Some(authenticator) = self.settings.authenticator.as_any().downcast_ref::<Typed<P>>() else {
            return self.ask(head).await;
        };
        let credential = self.find(head).await?;
        let caller = Arc::new(authenticator.ask(&credential).await?);
        Ok(watched(caller, &credential, &self.settings.authenticator))
    }

    async fn ask(&self, head: &RequestHead<'_>) -> Result<Arc<dyn ErasedAuthenticated>, AuthRejection> {
        let credential = self.find(head).await?;
        let authenticator = &self.settings.authenticator;
        Ok(watched(authenticator.resolve(&credential).await?, &credential, authenticator))
    }

    /// The token as it stands in the request, or its digest as it stands in the session.
    async fn find<'a>(&'a self, head: &RequestHead<'a>) -> Result<Credential<'a>, AuthRejection> {
        let form = |text: &str| self.settings.authenticator.token_form(text);
        #[cfg(feature = "tower-sessions")]
        let found = if self.settings.sources.has_session() {
            let sources = &self.settings.sources;
            let found = sources.find_or_load(head.headers, &self.query, head.session.as_ref(), form).await?;
            self.same_origin(found, head)?
        } else {
            self.find_token(head, form)?
        };
        #[cfg(not(feature = "tower-sessions"))]
        let found = self.find_token(head, form)?;
        found.credential().ok_or(AuthRejection::Invalid)
    }

    /// The token as it stands in the request.
    fn find_token<'a>(
        &'a self,
        head: &RequestHead<'a>,
        form: impl Fn(&str) -> TokenForm,
    ) -> Result<Found<'a>, AuthRejection> {
        self.same_origin(self.settings.sources.find(head.headers, &self.query, form), head)
    }

    /// Refuses what a browser sends without being asked, if another origin's page had it sent.
    fn same_origin<'a>(&self, found: Option<Found<'a>>, head: &RequestHead<'_>) -> Result<Found<'a>, AuthRejection> {
        let found = found.ok_or(AuthRejection::Missing)?;
        let forged = found.is_ambient() && self.settings.cross_origin.refuses(head.method, head.uri, head.headers);
        if forged { Err(self.settings.report_cross_origin(head.headers, head.ip)) } else { Ok(found) }
    }

    /// What it takes to report that the caller was refused something; `None` if nobody is known.
    pub(crate) fn denial(&self) -> Option<Denial> {
        let caller = Arc::clone(self.lookup.get()?.answer.as_ref().ok()?);
        Some(Denial { settings: Arc::clone(&self.settings), caller })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The answer, if somebody asked already and it was yes.
    pub(crate) fn answered(&self) -> Option<&dyn ErasedAuthenticated> {
        self.lookup.get()?.caller()
    }

    /// This context, and then those of the layers further out.
    pub(crate) fn outwards(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |context| context.outer.as_deref())
    }
}

fn split(parts: &mut Parts) -> (Option<&mut Context>, RequestHead<'_>) {
    let Parts { method, uri, headers, extensions, .. } = parts;
    #[cfg(feature = "tower-sessions")]
    let session = {
        let mut contexts = extensions.get::<Context>().into_iter().flat_map(Context::outwards);
        let wanted = contexts.any(|context| context.settings.sources.has_session());
        wanted.then(|| crate::session::session(extensions))
    };
    let ip = ClientIp::from_extensions(extensions).map(|ClientIp(ip)| ip);
    let head = RequestHead {
        method,
        uri,
        headers,
        ip,
        #[cfg(feature = "tower-sessions")]
        session,
    };
    (extensions.get_mut(), head)
}

/// The settings of the innermost layer whose users are `U`s.
pub(crate) fn settings_of<U: 'static>(extensions: &Extensions) -> Option<&Settings> {
    let mut contexts = extensions.get::<Context>()?.outwards();
    let context = contexts.find(|context| context.settings.authenticator.as_any().is::<Typed<U>>())?;
    Some(&context.settings)
}

/// The settings of the innermost layer.
pub(crate) fn innermost_settings(extensions: &Extensions) -> Option<&Settings> {
    extensions.get::<Context>().map(|context| &*context.settings)
}

/// Where users reach the app, as the innermost [`AuthLayer`](crate::AuthLayer) around the route
/// knows it (`Builder::public_url`). Its [`prefix`](PublicUrl::prefix) is what a proxy has cut off
/// the request's path: links that browsers follow begin with it.
///
/// ```
/// use http::request::Parts;
///
/// /// Where browsers find the page `/welcome` of the app.
/// fn welcome(parts: &Parts) -> String {
///     match gatekit_layer::public_url(&parts.extensions) {
///         Some(url) => url.outside("/welcome"),
///         None => "/welcome".into(),
///     }
/// }
/// ```
#[must_use]
pub fn public_url(extensions: &Extensions) -> Option<&PublicUrl> {
    extensions.get::<Context>()?.outwards().find_map(|context| context.settings.authenticator.public_url())
}

fn not_mounted(wanted: &str) -> AuthRejection {
    AuthRejection::Misconfigured(format!(
        "no AuthLayer is mounted on this route. Add `.layer(AuthLayer::new(auth))` to the router, after (below) its routes and the \
         layers that ask for a caller, with an authenticator for {wanted}"
    ))
}

fn other_principal(wanted: &str, there: &str) -> AuthRejection {
    AuthRejection::Misconfigured(format!(
        "the AuthLayer on this route knows callers as {there}, but the handler asks for {wanted}. Write \
         `AuthUser<{there}>` in the handler, or mount an AuthLayer whose authenticator has {wanted}"
    ))
}
