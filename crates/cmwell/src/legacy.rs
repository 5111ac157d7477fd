//! Old ways of CM-Well that an app can offer to clients that know no other. All are off by default.

/// CM-Well's old ways, each off unless it is named. Each costs something; turn on what a client
/// needs, until it has been replaced.
///
/// ```
/// use gatekit_cmwell::Legacy;
///
/// let legacy = Legacy { token2_header: true, ..Legacy::default() };
/// assert!(!legacy.get_operations);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one way, by its name")]
pub struct Legacy {
    /// Digest also with MD5, offered before SHA-256. Clients that know only MD5 read the first
    /// challenge alone, and give up if it is for SHA-256: npm's `urllib` and
    /// `@mhoc/axios-digest-auth`, Python's `urllib.request` before 3.14.
    ///
    /// It costs: whoever records an answer can try out many billions of passwords a second, and so
    /// can whoever gets at the credential that is kept. curl, and any other client that takes the
    /// first challenge that it knows, uses MD5 from then on.
    pub md5: bool,
    /// Digest also in the form of RFC 2069: MD5, without `qop`.
    ///
    /// It costs: nothing of the client's own goes into an answer, so that a server in between can
    /// have prepared for it.
    pub rfc2069: bool,
    /// `GET /_auth?op=…`, with everything in the query, beside `POST /_auth`.
    ///
    /// It costs: passwords stay in histories, in the logs of servers and proxies, and a GET changes
    /// something (ASVS 14.2.1).
    pub get_operations: bool,
    /// A token in the query: `?token=…`.
    ///
    /// It costs: the token stays in histories, logs and `Referer` headers (ASVS 14.2.1, RFC 9700
    /// §4.3.2). The layer keeps it out of what inner services see.
    pub token_in_query: bool,
    /// A token in the header `X-CM-WELL-TOKEN2`, which comes before `X-CM-WELL-TOKEN`.
    ///
    /// It costs: one more place where a proxy in front must not let a foreign token through.
    pub token2_header: bool,
    /// A token in a cookie that the page has set by script: `X-CM-WELL-TOKEN2`, then
    /// `X-CM-WELL-TOKEN`.
    ///
    /// It costs: what a script can set a script can read, so that one injected script takes the
    /// token along; and a neighbouring host can plant one. The layer's cross-origin check applies.
    pub cookies: bool,
    /// `exp` as CM-Well reads it: see [`Leniency::Lenient`](crate::Leniency::Lenient).
    ///
    /// It costs: a token that lives for another time than was meant. `2months` is two minutes,
    /// `1.5d` five days.
    pub lenient_exp: bool,
}
