//! Which mail server, and how safe the way to it is: what a URL says, with safe answers where it
//! says nothing.

use std::borrow::Cow;
use std::fmt;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// What is wrong with the settings of an [`SmtpMailer`](super::SmtpMailer). The message says what
/// to do; none repeats the URL, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpConfigError {
    /// It is no URL.
    #[error("the mail server must be given as a URL such as smtps://user:password@mail.example.com ({0})")]
    Url(String),
    /// It is the URL of something else.
    #[error("the mail server's URL begins with `{0}:`; write smtps:// (TLS) or smtp:// (STARTTLS)")]
    Scheme(String),
    /// It names no host.
    #[error("the mail server's URL names no host; write smtps://mail.example.com")]
    NoHost,
    /// User and password must both be there, or neither.
    #[error(
        "the mail server's URL has a user without a password or the reverse; write smtps://user:password@host, with special \
         characters percent-encoded (`@` is %40, `/` is %2F, `:` is %3A)"
    )]
    HalfCredentials,
    /// User, password or name are not text once they are decoded.
    #[error(
        "user, password and name in the mail server's URL must be percent-encoded UTF-8 without control characters"
    )]
    NotText,
    /// `tls` says something else, or says it for `smtps`.
    #[error("`tls` in the mail server's URL must be `required`, `opportunistic` or `none`, and only with smtp://")]
    Tls,
    /// A parameter other than `tls`.
    #[error("the mail server's URL has the parameter `{0}`; only `tls` is known")]
    Parameter(String),
    /// The sender is no address.
    #[error(
        "the sender `{0}` is not an address; write no-reply@example.com or Example <no-reply@example.com>, on one line"
    )]
    From(String),
    /// The certificate cannot be read.
    #[error("the root certificate cannot be read; it must be PEM, beginning with -----BEGIN CERTIFICATE-----")]
    Certificate,
    /// TLS cannot be set up at all.
    #[error("TLS cannot be set up: {0}")]
    TlsSetup(String),
}

/// Where the mail server is and how to talk to it.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) hello: ClientId,
    pub(super) credentials: Option<Credentials>,
    pub(super) tls: Tls,
    /// Authorities trusted beside those of the system.
    roots: Vec<Certificate>,
}

/// How the connection is encrypted.
#[derive(Clone)]
pub(super) enum Tls {
    Wrapped(TlsParameters),
    Required(TlsParameters),
    Opportunistic(TlsParameters),
    None,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tls = match self.tls {
            Tls::Wrapped(_) => "from the first byte",
            Tls::Required(_) => "STARTTLS, required",
            Tls::Opportunistic(_) => "STARTTLS, if offered",
            Tls::None => "none",
        };
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &tls)
            .field("credentials", &self.credentials.as_ref().map(|_| format_args!("[redacted]").to_string()))
            .finish()
    }
}

impl Server {
    /// 1. `smtps` is TLS from the first byte.
    /// 2. `smtp` is what `tls` says.
    /// 3. If it says nothing: in clear to a loopback host, otherwise STARTTLS or nothing.
    pub(super) fn from_url(url: &str) -> Result<Self, SmtpConfigError> {
        let url = Url::parse(url).map_err(|error| SmtpConfigError::Url(error.to_string()))?;
        if !matches!(url.scheme(), "smtp" | "smtps") {
            return Err(SmtpConfigError::Scheme(url.scheme().to_owned()));
        }
        let (host, is_loopback) = host_of(&url)?;
        let parameters = || tls_parameters(&host, &[]);
        let (tls, port) = match (url.scheme(), tls_of(&url)?.as_deref()) {
            ("smtps", None) => (Tls::Wrapped(parameters()?), SUBMISSIONS_PORT),
            ("smtps", Some(_)) => return Err(SmtpConfigError::Tls),
            (_, Some("required")) => (Tls::Required(parameters()?), SUBMISSION_PORT),
            (_, Some("opportunistic")) => (Tls::Opportunistic(parameters()?), SUBMISSION_PORT),
            (_, Some("none")) => (Tls::None, SMTP_PORT),
            (_, None) if is_loopback => (Tls::None, SMTP_PORT),
            (_, None) => (Tls::Required(parameters()?), SUBMISSION_PORT),
            (_, Some(_)) => return Err(SmtpConfigError::Tls),
        };
        Ok(Self {
            hello: hello_of(&url)?,
            credentials: credentials_of(&url)?,
            port: url.port().unwrap_or(port),
            host,
            tls,
            roots: Vec::new(),
        })
    }

    /// The same, trusting one more authority.
    pub(super) fn trusting(mut self, pem: &[u8]) -> Result<Self, SmtpConfigError> {
        if !pem.windows(BEGIN.len()).any(|window| window == BEGIN) {
            return Err(SmtpConfigError::Certificate);
        }
        self.roots.push(Certificate::from_pem(pem).map_err(|_| SmtpConfigError::Certificate)?);
        let parameters = tls_parameters(&self.host, &self.roots).map_err(|_| SmtpConfigError::Certificate)?;
        self.tls = match self.tls {
            Tls::Wrapped(_) => Tls::Wrapped(parameters),
            Tls::Required(_) => Tls::Required(parameters),
            Tls::Opportunistic(_) => Tls::Opportunistic(parameters),
            Tls::None => Tls::None,
        };
        Ok(self)
    }
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

fn tls_parameters(host: &str, roots: &[Certificate]) -> Result<TlsParameters, SmtpConfigError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    for root in roots {
        builder = builder.add_root_certificate(root.clone());
    }
    builder.build().map_err(|error| SmtpConfigError::TlsSetup(error.to_string()))
}

/// The host as a resolver takes it, and whether it is this machine. In a URL that is not of the web
/// the parser leaves hosts as they are, so they are parsed here.
fn host_of(url: &Url) -> Result<(String, bool), SmtpConfigError> {
    let text = url.host_str().filter(|host| !host.is_empty()).ok_or(SmtpConfigError::NoHost)?;
    let decoded = decode(text)?;
    Ok(match Host::parse(&decoded).map_err(|error| SmtpConfigError::Url(error.to_string()))? {
        Host::Domain(name) => {
            let is_loopback = name == "localhost" || name.ends_with(".localhost");
            (name, is_loopback)
        }
        Host::Ipv4(address) => (address.to_string(), address.is_loopback()),
        Host::Ipv6(address) => (address.to_string(), address.is_loopback()),
    })
}

fn tls_of(url: &Url) -> Result<Option<String>, SmtpConfigError> {
    let mut tls = None;
    for (name, value) in url.query_pairs() {
        match &*name {
            "tls" if tls.is_none() => tls = Some(value.into_owned()),
            "tls" => return Err(SmtpConfigError::Tls),
            _ => return Err(SmtpConfigError::Parameter(name.into_owned())),
        }
    }
    Ok(tls)
}

fn hello_of(url: &Url) -> Result<ClientId, SmtpConfigError> {
    match url.path().trim_matches('/') {
        "" => Ok(ClientId::default()),
        name => {
            let name = decode(name)?;
            if name.contains(char::is_whitespace) { Err(SmtpConfigError::NotText) } else { Ok(ClientId::Domain(name)) }
        }
    }
}

fn credentials_of(url: &Url) -> Result<Option<Credentials>, SmtpConfigError> {
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(SmtpConfigError::HalfCredentials),
        (user, Some(password)) => Ok(Some(Credentials::new(decode(user)?, decode(password)?))),
    }
}

fn decode(text: &str) -> Result<String, SmtpConfigError> {
    let text = percent_decode_str(text).decode_utf8().map(Cow::into_owned).map_err(|_| SmtpConfigError::NotText)?;
    if text.contains(char::is_control) { Err(SmtpConfigError::NotText) } else { Ok(text) }
}
