//! What the verification mail says and where its link leads, as an app sets it.

use crate::ConfigError;

/// What the verification mail says and where its link leads: LoopBack's `verifyOptions`.
///
/// ```
/// use gatekit_core::VerifyOptions;
///
/// let mut options = VerifyOptions::default();
/// options.subject = "Welcome".into();
/// options.text = "Please open this link: {href}".into();
/// options.redirect = "/welcome".into();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// The sender; `None` for the mailer's own. LoopBack: `noreply@example.com`.
    pub from: Option<String>,
    /// The subject, one line. LoopBack: `Thanks for Registering`. Left as it is, it is said in the
    /// language of the mail; another one is sent as it is set, whatever the language.
    pub subject: String,
    /// The text, with `{href}` where the link goes. The same holds for it; the mail's HTML says
    /// what it says.
    pub text: String,
    /// Where the link leads in the end: a path of the own site, or a URL of a listed origin
    /// ([`Builder::redirect_origin`](crate::Builder::redirect_origin)). LoopBack: `/`.
    pub redirect: String,
    /// The link without its query, such as `https://app.example.com/verified`, in place of the
    /// route `confirm`. `uid`, `redirect` and `token` are appended.
    pub verify_href: Option<String>,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self {
            from: None,
            subject: "Thanks for Registering".into(),
            text: "Please verify your email by opening this link in a web browser:\n\t{href}".into(),
            redirect: "/".into(),
            verify_href: None,
        }
    }
}

impl VerifyOptions {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let mistake = if !self.text.contains("{href}") {
            "`text` must contain {href} where the link goes"
        } else if self.subject.contains(char::is_control) {
            "`subject` must be one line"
        } else {
            return Ok(());
        };
        Err(ConfigError::VerifyOptions(mistake))
    }
}
