//! A new user: what is checked, how it is stored, and the sign-up that does not tell whose
//! addresses have an account.

use serde::Serialize;

use crate::flow_error::flow_error;
use crate::{
    Account, AccountStatus, Auth, CreateUserError, Event, FieldError, FieldErrors, FieldProblem, HookVeto, Identifier,
    IdentifierKind, MailOptions, Need, NewUser, Password, PasswordError, PasswordHash, PasswordOwner, StoreError,
    StoredUser, UserId, UserOperation, profile,
};

/// Somebody wants to sign up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Register<P> {
    /// The id that the user is to have. For an importer; a client never chooses it.
    pub id: Option<UserId>,
    /// The address. Required, unless
    /// [`policy.identifiers.email_required`](crate::IdentifierPolicy::email_required) is off and
    /// there is a name.
    pub email: Option<String>,
    /// The name, if any. An empty one is none.
    pub username: Option<String>,
    /// The realm, if any.
    pub realm: Option<String>,
    /// The password. Required, unless [`has_no_password`](Self::has_no_password) is set.
    pub password: Option<Password>,
    /// Whether the account is to have no password: nobody logs in with one before a password reset
    /// or [`Auth::set_password`](crate::Auth::set_password) gives it one. Code may say so; routes
    /// and pages never do.
    pub has_no_password: bool,
    /// Whether the address was verified. Code may say so; a client never can (the route sets it to
    /// `Some(false)` or `None`).
    pub email_verified: Option<bool>,
    /// Whether the user may log in. Code may say so; a client never can (routes and pages leave it
    /// active).
    pub status: AccountStatus,
    /// What was found wrong while the request was read, such as a number where a text belongs. It
    /// is reported together with what else is wrong.
    pub problems: Vec<FieldError>,
    /// The app's own fields.
    pub profile: P,
    /// How the verification mail is written.
    pub mails: MailOptions,
    /// How the mail is written that the owner of the address gets if it has an account already: see
    /// [`Auth::sign_up`](crate::Auth::sign_up). Its page is one that needs no token, such as the
    /// one where a new password is asked for.
    pub notices: MailOptions,
}

impl<P: Default> Register<P> {
    /// With address and password, and the profile's default.
    #[must_use]
    pub fn email(email: impl Into<String>, password: impl Into<Password>) -> Self {
        Self { email: Some(email.into()), password: Some(password.into()), ..Self::with_profile(P::default()) }
    }

    /// With an address and no password, and the profile's default: for an account that logs in by
    /// another way, or that gets its password by mail.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, Login, LoginError, MemoryStore, Register};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let ada = auth.register(Register::without_password("ada@example.com")).await?;
    /// let refused = auth.login(Login::email("ada@example.com", "")).await;
    /// assert!(matches!(refused, Err(LoginError::InvalidCredentials)));
    ///
    /// auth.set_password(&ada.id, "correct horse battery".into(), None).await?;
    /// auth.login(Login::email("ada@example.com", "correct horse battery")).await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn without_password(email: impl Into<String>) -> Self {
        Self { email: Some(email.into()), has_no_password: true, ..Self::with_profile(P::default()) }
    }
}

impl<P> Register<P> {
    /// With a profile, and the rest set field by field.
    #[must_use]
    pub fn with_profile(profile: P) -> Self {
        Self {
            id: None,
            email: None,
            username: None,
            realm: None,
            password: None,
            has_no_password: false,
            email_verified: None,
            status: AccountStatus::Active,
            problems: Vec::new(),
            profile,
            mails: MailOptions::default(),
            notices: MailOptions::default(),
        }
    }

    /// With this id: for an importer, which keeps the ids of another system. It needs a store with
    /// [`UserOperation::GivenId`](crate::UserOperation::GivenId). An id in use is
    /// [`RegisterError::Invalid`] with the field `id`.
    #[must_use]
    pub fn id(mut self, id: impl Into<UserId>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// With a name.
    #[must_use]
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// In this realm. A realm that a client has chosen belongs here only if
    /// [`Policy::clients_set_realm`](crate::Policy::clients_set_realm) says so.
    #[must_use]
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Not to log in before somebody approves of it: [`AccountStatus::Pending`]. It needs a store
    /// with [`UserOperation::Status`](crate::UserOperation::Status).
    #[must_use]
    pub fn status(mut self, status: AccountStatus) -> Self {
        self.status = status;
        self
    }

    /// With routes mounted under this prefix.
    #[must_use]
    pub fn mount(mut self, prefix: impl Into<String>) -> Self {
        self.mails.mount = Some(prefix.into());
        self
    }

    /// With the verification mail written like this.
    #[must_use]
    pub fn mails(mut self, options: MailOptions) -> Self {
        self.mails = options;
        self
    }

    /// With the mail to the owner of an address that has an account written like this.
    #[must_use]
    pub fn notices(mut self, options: MailOptions) -> Self {
        self.notices = options;
        self
    }
}

/// The outcome of a sign-up. See [`Auth::sign_up`](crate::Auth::sign_up).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SignUp<U> {
    /// The user is stored.
    Registered(Box<U>),
    /// The address must be verified, and a mail is on its way to its owner. Whether a user was
    /// stored is not told, not even to the app: [`Event::Registered`](crate::Event::Registered) and
    /// [`Event::SignUpRepeated`](crate::Event::SignUpRepeated) tell it.
    CheckMail(CheckMail),
}

/// What a sign-up has sent, as it is stored if it is new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckMail {
    /// The realm, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// The name, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The address.
    pub email: String,
}

flow_error! {
    /// Why nobody was registered. Where the error is `Unavailable` and the store did not say
    /// whether it has stored the user, the user may exist; then it gets its mail, and the event is
    /// raised.
    pub enum RegisterError {}
    or {
        /// The password is not accepted.
        Password(PasswordError),
        /// Fields are missing, malformed or taken.
        Invalid(FieldErrors),
        /// A hook refused it.
        Refused(HookVeto),
    }
}

impl<U: Account> Auth<U> {
    /// Registers a user, and tells what is taken. It is for the app's own code; what an anonymous
    /// caller asks for goes through [`sign_up`](Self::sign_up).
    ///
    /// 1. The password is checked against the policy.
    /// 2. Password and address are there (or a name, where
    ///    [`policy.identifiers.email_required`](crate::IdentifierPolicy::email_required) is off);
    ///    the address is one that mail can be sent to; name and realm are printable; the profile is
    ///    no larger and no deeper than the policy allows. Address and name are stored in one
    ///    spelling, by the rules of [`normalize`](crate::normalize), unless the policy says
    ///    otherwise.
    /// 3. Neither address nor name is in use.
    /// 4. Hooks may refuse.
    /// 5. The password is hashed and the user stored. Of two at the same time the store's unique
    ///    index takes one.
    /// 6. Where the policy requires a verified address, the mail with the link is sent.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, FieldProblem, MemoryStore, Register, RegisterError};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let ada = auth.register(Register::email("Ada@Example.com", "correct horse battery").username("ada")).await?;
    /// assert_eq!(ada.email.as_deref(), Some("ada@example.com"));
    ///
    /// let again = auth.register(Register::email("ada@example.com", "another long password")).await;
    /// assert!(matches!(again, Err(RegisterError::Invalid(errors)) if errors[0].problem == FieldProblem::Taken));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RegisterError`].
    pub async fn register(&self, register: Register<U::Profile>) -> Result<U, RegisterError> {
        let mut checked = self.check_registration(register, false).await?;
        checked.new.password = self.admit_registration(&mut checked).await?;
        match self.store_registration(checked.new, &checked.mails).await? {
            Ok(user) => Ok(user),
            Err(taken) => Err(RegisterError::Invalid(taken.into())),
        }
    }

    /// Registers a user for an anonymous caller: what the routes and pages call.
    ///
    /// Where an address must be verified and `policy.reveal.taken_email` is off, the result is the
    /// same whether or not the address has an account (ASVS 6.3.8), after the same work: the same
    /// checks, the same hashing, as many writes, one mail. If it has one, nothing is stored of the
    /// sign-up, and the owner of the address gets a mail: that there is an account and how to get a
    /// new password, or, while the address is unverified, the link that verifies it.
    /// [`Hooks::before_register`](crate::Hooks::before_register) is called in both cases.
    ///
    /// A name that is taken is told: names are public, and the user has to choose another one. The
    /// name of such a sign-up stays reserved for `policy.identifiers.reserved_name_ttl`, so that
    /// trying it again does not tell whether the sign-up has stored a user.
    ///
    /// Everywhere else this is [`register`](Self::register).
    ///
    /// # Errors
    ///
    /// [`RegisterError`].
    pub async fn sign_up(&self, register: Register<U::Profile>) -> Result<SignUp<U>, RegisterError> {
        if !self.0.policy.hides_taken_email() || register.email_verified == Some(true) {
            return Ok(SignUp::Registered(Box::new(self.register(register).await?)));
        }
        let mut checked = self.check_registration(register, true).await?;
        let hash = self.admit_registration(&mut checked).await?;
        let Checked { mut new, taken, mails, notices, .. } = checked;
        new.password = hash;
        let seen = CheckMail {
            realm: new.realm.clone(),
            username: new.username.clone(),
            email: new.email.clone().unwrap_or_default(),
        };
        let name = new.username.as_deref().map(|name| (new.namespace.clone(), name.to_owned()));
        let owner = match taken {
            Some(owner) => Some(owner),
            None => {
                let address = self.identifier_of(&new.namespace, IdentifierKind::Email, &seen.email);
                match self.store_registration(new, &mails).await? {
                    Ok(_) => None,
                    // Another request was quicker.
                    Err(taken) if taken.field == "email" => self.bounded(self.0.users.find_user_by(&address)).await?,
                    Err(taken) => return Err(RegisterError::Invalid(taken.into())),
                }
            }
        };
        if let Some(owner) = owner {
            let auth = self.clone();
            self.change(|_| async move {
                auth.reserve_name(name).await?;
                Ok::<_, RegisterError>(auth.tell_owner(&owner, &mails, &notices).await?)
            })
            .await?;
        }
        Ok(SignUp::CheckMail(seen))
    }

    /// What is wrong with the names of a sign-up, or missing: all that can be told without asking
    /// the store, and step 2 of [`register`](Self::register) but for the profile. For code that
    /// reads a sign-up itself, and wants to tell all mistakes at once.
    #[must_use]
    pub fn check_sign_up(&self, names: PasswordOwner<'_>, has_password: bool) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if !has_password {
            errors.push(FieldError::missing("password", None));
        }
        let given = |name: Option<&str>| name.filter(|name| !name.is_empty()).is_some();
        // Without a name or an address nobody could log in.
        if !self.0.policy.requires_email() && !given(names.email) && !given(names.username) {
            errors.push(FieldError::missing("username", None));
        }
        errors.extend(self.check_name("username", names.username));
        errors.extend(self.check_name("realm", names.realm));
        errors.extend(self.check_email(names.email));
        errors
    }

    /// Steps 1 to 3 of [`register`](Self::register). With `hide`, an address that is taken is no
    /// error.
    async fn check_registration(
        &self,
        register: Register<U::Profile>,
        hide: bool,
    ) -> Result<Checked<U>, RegisterError> {
        let auth = &*self.0;
        let Register {
            id, email, username, realm, password, has_no_password, email_verified, status, problems, ..
        } = register;
        let Register { profile, mails, notices, .. } = register;
        if let Some(password) = &password {
            let owner =
                PasswordOwner { email: email.as_deref(), username: username.as_deref(), realm: realm.as_deref() };
            self.check_new_password(password, owner)?;
        }
        let username = username.filter(|name| !name.is_empty());
        let realm = realm.filter(|realm| !realm.is_empty());
        let email = email.filter(|email| !email.is_empty() || auth.policy.requires_email());
        let mut errors = Vec::new();
        let sound = |field: &str| problems.iter().all(|problem| problem.field != field);
        let names = PasswordOwner { email: email.as_deref(), username: username.as_deref(), realm: realm.as_deref() };
        errors.extend(self.check_sign_up(names, password.is_some() || has_no_password).into_iter().filter(|error| {
            // What was found wrong with the address before is told instead.
            error.field != "email" || sound("email")
        }));
        errors.extend(problems);

        let typed = [email.clone().unwrap_or_default(), username.clone().unwrap_or_default()];
        let new = NewUser {
            id,
            namespace: auth.policy.namespace(realm.as_deref()),
            realm,
            username: username.map(|name| auth.policy.canonical_username(&name)),
            email: email.map(|email| auth.policy.canonical_email(&email)),
            email_verified,
            password: None,
            status,
            profile,
        };
        if let Err(error) = profile::check(&auth.policy, &new.profile) {
            errors.push(*error);
        }
        let taken = self.check_unique(&new, &typed, hide, &mut errors).await?;
        if errors.is_empty() {
            Ok(Checked { new, password, taken, mails, notices })
        } else {
            Err(RegisterError::Invalid(errors.into()))
        }
    }

    /// Steps 4 and 5, up to the hash. They are the same for an address that is taken.
    async fn admit_registration(&self, checked: &mut Checked<U>) -> Result<Option<PasswordHash>, RegisterError> {
        let auth = &*self.0;
        for hooks in &auth.hooks {
            self.ask_hook::<RegisterError>(hooks.before_register(&mut checked.new)).await?;
        }
        // A hook may have filled in more of it.
        profile::check(&auth.policy, &checked.new.profile).map_err(|error| RegisterError::Invalid((*error).into()))?;
        // A store that keeps no status would take the user for active.
        if checked.new.status != AccountStatus::Active && !self.supports(UserOperation::Status) {
            return Err(StoreError::Missing(Need::Users(UserOperation::Status)).into());
        }
        // A store that keeps no ids would give out another one.
        if checked.new.id.is_some() && !self.supports(UserOperation::GivenId) {
            return Err(StoreError::Missing(Need::Users(UserOperation::GivenId)).into());
        }
        match &checked.password {
            Some(password) => Ok(Some(self.hash_password(password.clone()).await?)),
            None => Ok(None),
        }
    }

    /// Step 5 and 6. The inner error names the field that another request has taken meanwhile.
    async fn store_registration(
        &self,
        new: NewUser<U::Profile>,
        mails: &MailOptions,
    ) -> Result<Result<U, FieldError>, RegisterError> {
        let (auth, mails) = (self.clone(), mails.clone());
        self.change(|mut change| async move {
            let (email, username) = (new.email.clone(), new.username.clone());
            let stored = match auth.commit_new_user(&mut change, new).await {
                Ok(stored) => stored,
                Err(CreateUserError::Store(error)) => return Err(error.into()),
                Err(CreateUserError::Taken(kind)) => {
                    let value = match kind {
                        IdentifierKind::Email => email,
                        IdentifierKind::Username => username,
                    };
                    return Ok(Err(FieldError::taken(kind, &value.unwrap_or_default())));
                }
                Err(CreateUserError::IdTaken(id)) => {
                    return Ok(Err(FieldError::new("id", FieldProblem::Taken, Some(id_as_json(&id)))));
                }
                Err(CreateUserError::InvalidId(id)) => {
                    return Ok(Err(FieldError::new("id", FieldProblem::InvalidId, Some(id_as_json(&id)))));
                }
            };
            auth.emit(Event::Registered { user: stored.user.clone() }).await;
            auth.verify_new_user(&stored.user, &mails).await;
            Ok(Ok(stored.user))
        })
        .await
    }

    /// Names what is taken, all of it; with `hide`, returns the user that has the address in place
    /// of an error. The index has the last word; this is for the response.
    async fn check_unique(
        &self,
        new: &NewUser<U::Profile>,
        [email, username]: &[String; 2],
        hide: bool,
        errors: &mut Vec<FieldError>,
    ) -> Result<Option<StoredUser<U>>, StoreError> {
        let wanted = [
            (IdentifierKind::Email, "email", &new.email, email),
            (IdentifierKind::Username, "username", &new.username, username),
        ];
        let mut owner = None;
        for (kind, field, value, typed) in wanted {
            let Some(value) = value.as_ref().filter(|_| errors.iter().all(|e| e.field != field)) else { continue };
            let identifier = self.identifier_of(&new.namespace, kind, value);
            let found = self.users_called(&identifier, typed).await?.into_iter().next();
            match (found, kind) {
                (Some(found), IdentifierKind::Email) if hide => owner = Some(found),
                (Some(_), _) => errors.push(FieldError::taken(kind, value)),
                (None, IdentifierKind::Username) if hide && self.is_reserved(&new.namespace, value).await? => {
                    errors.push(FieldError::taken(kind, value));
                }
                (None, _) => {}
            }
        }
        Ok(owner)
    }

    fn identifier_of(&self, namespace: &str, kind: IdentifierKind, value: &str) -> Identifier {
        Identifier { namespace: namespace.to_owned(), kind, value: value.to_owned() }
    }
}

fn id_as_json(id: &UserId) -> serde_json::Value {
    match id {
        UserId::Int(number) => (*number).into(),
        UserId::Text(text) => text.as_str().into(),
    }
}

/// A registration in which nothing is wrong.
struct Checked<U: Account> {
    new: NewUser<U::Profile>,
    /// `None` for an account without one.
    password: Option<Password>,
    /// The user that has the address, where that is hidden.
    taken: Option<StoredUser<U>>,
    mails: MailOptions,
    notices: MailOptions,
}
