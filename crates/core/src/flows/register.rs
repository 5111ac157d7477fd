//! A new user.

use serde_json::Value;

use crate::{
    Account, AccountStatus, Auth, CreateUserError, Event, Identifier, IdentifierKind, MailOptions, NewUser, Password,
    PasswordError, PasswordOwner, Refusal, StoreError, Unavailable, UserOperation, email,
};

/// Longer names and realms are refused, in bytes: LoopBack's SQL columns hold 512.
const MAX_NAME_BYTES: usize = 512;

/// Somebody wants to sign up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Register<P> {
    /// The address. Required.
    pub email: Option<String>,
    /// The name, if any. An empty one is none.
    pub username: Option<String>,
    /// The realm, if any.
    pub realm: Option<String>,
    /// The password. Required.
    pub password: Option<Password>,
    /// Whether the address was proven. Code may say so; a client never can (the route sets it to `Some(false)` or `None`).
    pub email_verified: Option<bool>,
    /// Whether the user may log in. Code may say so; a client never can (routes and pages leave it active).
    pub status: AccountStatus,
    /// What was found wrong while the request was read, such as a number where a text belongs. It is reported together with
    /// what else is wrong.
    pub problems: Vec<FieldError>,
    /// The app's own fields.
    pub profile: P,
    /// How the verification mail is written.
    pub mails: MailOptions,
}

impl<P: Default> Register<P> {
    /// With address and password, and the profile's default.
    #[must_use]
    pub fn email(email: impl Into<String>, password: impl Into<Password>) -> Self {
        Self { email: Some(email.into()), password: Some(password.into()), ..Self::with_profile(P::default()) }
    }
}

impl<P> Register<P> {
    /// With a profile, and the rest set field by field.
    #[must_use]
    pub fn with_profile(profile: P) -> Self {
        Self {
            email: None,
            username: None,
            realm: None,
            password: None,
            email_verified: None,
            status: AccountStatus::Active,
            problems: Vec::new(),
            profile,
            mails: MailOptions::default(),
        }
    }

    /// With a name.
    #[must_use]
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// In this realm.
    #[must_use]
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Not to log in before somebody approves of it: [`AccountStatus::Pending`]. It needs a store with
    /// [`UserOperation::Status`](crate::UserOperation::Status).
    #[must_use]
    pub fn status(mut self, status: AccountStatus) -> Self {
        self.status = status;
        self
    }

    /// With routes mounted under this prefix.
    #[must_use]
    pub fn mount(mut self, prefix: impl Into<String>) -> Self {
        self.mails.mount = prefix.into();
        self
    }

    /// With the verification mail written like this.
    #[must_use]
    pub fn mails(mut self, options: MailOptions) -> Self {
        self.mails = options;
        self
    }
}

/// Why nobody was registered.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The password is not accepted. HTTP status 422.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Fields are missing, malformed or taken. HTTP status 422.
    #[error("the user is not valid: {}", .0.iter().map(|e| format!("{} {}", e.field, e.message)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// A hook refused it. HTTP status 403.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It cannot be done now. HTTP status 503. If the store did not answer in time, the user may exist.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<StoreError> for RegisterError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

/// What is wrong with one field. Codes and messages are LoopBack's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// The field's name in JSON.
    pub field: String,
    /// `presence`, `uniqueness`, `custom.email`, ...
    pub code: String,
    /// What is wrong, to be read after the field's name.
    pub message: String,
    /// What was sent; `None` for nothing. Never a password.
    pub value: Option<Value>,
}

impl FieldError {
    /// A field that is wrong.
    #[must_use]
    pub fn new(
        field: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
        value: Option<Value>,
    ) -> Self {
        Self { field: field.into(), code: code.into(), message: message.into(), value }
    }

    pub(crate) fn taken(kind: IdentifierKind, value: &str) -> Self {
        match kind {
            IdentifierKind::Email => Self::new("email", "uniqueness", "Email already exists", Some(value.into())),
            IdentifierKind::Username => Self::new("username", "uniqueness", "User already exists", Some(value.into())),
        }
    }
}

impl FieldError {
    /// What serde says of a profile: a missing field is named, anything else is told as it is.
    #[must_use]
    pub fn of_profile(error: &serde_json::Error) -> Self {
        let message = error.to_string();
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
        match missing {
            Some(field) => Self::new(field, "presence", "can't be blank", None),
            None => Self::new("profile", "custom.type", message, None),
        }
    }
}

impl<U: Account> Auth<U> {
    /// Registers a user.
    ///
    /// 1. The password is checked against the policy.
    /// 2. Password and address are there; the address is one (isemail 3.2.0's rules); name and realm are printable.
    /// 3. Neither address nor name is in use.
    /// 4. Hooks may refuse.
    /// 5. The password is hashed and the user stored. Of two at the same time the store's unique index takes one.
    /// 6. Where the policy requires a proven address, the mail with the link is sent.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, MemoryStore, Register, RegisterError};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let ada = auth.register(Register::email("Ada@Example.com", "correct horse battery").username("ada")).await?;
    /// assert_eq!(ada.email.as_deref(), Some("ada@example.com"));
    ///
    /// let again = auth.register(Register::email("ada@example.com", "another long password")).await;
    /// assert!(matches!(again, Err(RegisterError::Invalid(errors)) if errors[0].code == "uniqueness"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RegisterError`].
    pub async fn register(&self, register: Register<U::Profile>) -> Result<U, RegisterError> {
        let auth = &*self.0;
        let Register { email, username, realm, password, email_verified, status, problems, profile, mails } = register;
        if let Some(password) = &password {
            let owner =
                PasswordOwner { email: email.as_deref(), username: username.as_deref(), realm: realm.as_deref() };
            self.check_new_password(password, owner)?;
        }
        let username = username.filter(|name| !name.is_empty());
        let realm = realm.filter(|realm| !realm.is_empty());
        let mut errors = Vec::new();
        let sound = |field: &str| problems.iter().all(|problem| problem.field != field);
        if password.is_none() {
            errors.push(FieldError::new("password", "presence", "can't be blank", None));
        }
        check_name("username", username.as_deref(), &mut errors);
        check_name("realm", realm.as_deref(), &mut errors);
        if sound("email") {
            check_email(email.as_deref(), &mut errors);
        }
        errors.extend(problems);

        let mut new = NewUser {
            namespace: auth.policy.namespace(realm.as_deref()),
            realm,
            username,
            email: email.map(|email| auth.policy.canonical_email(&email)),
            email_verified,
            password: None,
            status,
            profile,
        };
        self.check_unique(&new, &mut errors).await?;
        let (true, Some(password)) = (errors.is_empty(), password) else {
            return Err(RegisterError::Invalid(errors));
        };
        for hooks in &auth.hooks {
            self.ask_hook::<RegisterError>(hooks.before_register(&mut new)).await?;
        }
        // A store that keeps no status would take the user for active.
        if new.status != AccountStatus::Active && !self.supports(UserOperation::Status) {
            return Err(StoreError::Unsupported(UserOperation::Status.as_str()).into());
        }
        new.password = Some(self.hash_password(password).await?);
        let (email, username) = (new.email.clone(), new.username.clone());
        let stored = self.bounded(auth.users.create_user(new)).await.map_err(|error| match error {
            CreateUserError::Store(error) => RegisterError::Unavailable(error.into()),
            CreateUserError::Taken(kind) => {
                let value = match kind {
                    IdentifierKind::Email => email,
                    IdentifierKind::Username => username,
                };
                RegisterError::Invalid(vec![FieldError::taken(kind, &value.unwrap_or_default())])
            }
        })?;
        self.emit(Event::Registered { user: stored.user.clone() }).await;
        self.verify_new_user(&stored.user, &mails).await;
        Ok(stored.user)
    }

    /// Names what is taken, all of it. The index has the last word; this is for the answer.
    async fn check_unique(&self, new: &NewUser<U::Profile>, errors: &mut Vec<FieldError>) -> Result<(), StoreError> {
        let wanted =
            [(IdentifierKind::Email, "email", &new.email), (IdentifierKind::Username, "username", &new.username)];
        for (kind, field, value) in wanted {
            let Some(value) = value.as_ref().filter(|_| errors.iter().all(|e| e.field != field)) else { continue };
            let identifier = Identifier { namespace: new.namespace.clone(), kind, value: value.clone() };
            if self.bounded(self.0.users.find_user_by(&identifier)).await?.is_some() {
                errors.push(FieldError::taken(kind, value));
            }
        }
        Ok(())
    }
}

pub(crate) fn check_email(address: Option<&str>, errors: &mut Vec<FieldError>) {
    match address {
        None | Some("") => {
            errors.push(FieldError::new("email", "presence", "can't be blank", address.map(Value::from)))
        }
        Some(address) if !email::is_valid(address) => {
            errors.push(FieldError::new("email", "custom.email", "is invalid", Some(address.into())));
        }
        Some(_) => {}
    }
}

pub(crate) fn check_name(field: &str, name: Option<&str>, errors: &mut Vec<FieldError>) {
    if name.is_some_and(|name| name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control)) {
        errors.push(FieldError::new(field, "custom.string", "is invalid", name.map(Value::from)));
    }
}
