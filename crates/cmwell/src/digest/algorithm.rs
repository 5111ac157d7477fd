//! The hashes of Digest, and the values that they are made of (RFC 7616 §3.4).

use md5::Md5;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A hash of RFC 7616, as `algorithm` names it. Its `-sess` forms are not offered: nothing here
/// needs them.
///
/// SHA-512-256 is not offered either: curl before 8.7 hashes with another function under that name,
/// and so does an example of the RFC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Sha256,
    /// By setting alone. Broken as a hash, and fast to guess passwords with.
    Md5,
}

impl Algorithm {
    /// As in the challenge.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        }
    }

    /// What a client means. Without the parameter it is MD5, as before there was the parameter.
    pub(super) fn named(name: Option<&str>) -> Option<Self> {
        let name = name.unwrap_or("MD5");
        [Self::Sha256, Self::Md5].into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// `H(parts[0]:parts[1]:..)` in lower-case hex.
    pub(super) fn hash(self, parts: &[&str]) -> Zeroizing<String> {
        let text = Zeroizing::new(parts.join(":"));
        match self {
            Self::Sha256 => hex(&Sha256::digest(text.as_bytes())),
            Self::Md5 => hex(&Md5::digest(text.as_bytes())),
        }
    }

    /// What the server keeps in place of the password, sealed: who has it can log in.
    pub(super) fn ha1(self, name: &str, realm: &str, password: &str) -> Zeroizing<String> {
        self.hash(&[name, realm, password])
    }

    /// By what a user is found whose client hides the name.
    pub(super) fn userhash(self, name: &str, realm: &str) -> String {
        self.hash(&[name, realm]).to_string()
    }
}

/// What goes into the answer beside the secret.
pub(super) struct Asked<'a> {
    pub(super) nonce: &'a str,
    /// `nc` as sent, `cnonce`, and `qop`; `None` for the shape of RFC 2069.
    pub(super) quality: Option<(&'a str, &'a str, &'a str)>,
    pub(super) uri: &'a str,
}

impl Asked<'_> {
    /// What a client that knows `ha1` answers.
    pub(super) fn response(&self, algorithm: Algorithm, ha1: &str, method: &str) -> Zeroizing<String> {
        let ha2 = algorithm.hash(&[method, self.uri]);
        match self.quality {
            Some((nc, cnonce, qop)) => algorithm.hash(&[ha1, self.nonce, nc, cnonce, qop, &ha2]),
            None => algorithm.hash(&[ha1, self.nonce, &ha2]),
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> Zeroizing<String> {
    use std::fmt::Write;
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "00112233445566778899aabbccddeeff";

    fn asked<'a>(uri: &'a str, with_qop: bool) -> Asked<'a> {
        Asked { nonce: NONCE, quality: with_qop.then_some(("00000001", "0a4f113b", "auth")), uri }
    }

    /// DG-10
    #[test]
    fn the_vectors_of_rfc_7616() {
        let asked = Asked {
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            quality: Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "auth")),
            uri: "/dir/index.html",
        };
        let vectors = [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ];
        for (algorithm, expected) in vectors {
            let ha1 = algorithm.ha1("Mufasa", "http-auth@example.org", "Circle of Life");
            assert_eq!(*asked.response(algorithm, &ha1, "GET"), expected, "{algorithm:?}");
        }
    }

    #[test]
    fn the_vectors_of_cm_well() {
        let md5 = Algorithm::Md5.ha1("myUser", "cmwell", "myPassword");
        assert_eq!(*md5, "ee353fd2f50582713313895ccfab4315");
        let sha = Algorithm::Sha256.ha1("myUser", "cmwell", "myPassword");
        assert_eq!(*sha, "a3c111d06441e33cb4f992aae5ba2f3d8b0bfa0ea1b904c1c6960074bfac1741");
        assert_eq!(
            Algorithm::Sha256.userhash("myUser", "cmwell"),
            "f66fa9779d2adc617bda1fb0363c403906fff64e02e649257470eba2197db228"
        );
        let vectors = [
            (Algorithm::Md5, &md5, asked("/_login", false), "98be88a4367573ea727e4b6674daa935"),
            (Algorithm::Md5, &md5, asked("/_login?exp=3d", false), "900f0f976358264a349d2d341dfb532c"),
            (Algorithm::Md5, &md5, asked("/_login", true), "35875cfb6bd530d2a33a516a8461ad66"),
            (
                Algorithm::Sha256,
                &sha,
                asked("/_login", true),
                "6df6febb858677ab9701ab890e45f0f87766c5c7e2a052b3b3bf0b96d5f73cdb",
            ),
            (
                Algorithm::Sha256,
                &sha,
                asked("/_login?exp=3d%205h", true),
                "8ff227263109c76c098dff2c5b3a2910df85d3fb92d0551fc0604b41cfa2f7d7",
            ),
        ];
        for (algorithm, ha1, asked, expected) in vectors {
            assert_eq!(*asked.response(algorithm, ha1, "GET"), expected, "{algorithm:?} {}", asked.uri);
        }
        // What CM-Well took for the answer of every user without a credential.
        let empty = asked("/_login", false).response(Algorithm::Md5, "", "GET");
        assert_eq!(*empty, "e20570ffa72243c83448d9d99fe663e8");
    }

    #[test]
    fn an_algorithm_has_no_case_and_none_named_is_md5() {
        assert_eq!(Algorithm::named(None), Some(Algorithm::Md5));
        assert_eq!(Algorithm::named(Some("sha-256")), Some(Algorithm::Sha256));
        for unknown in ["", "SHA256", "SHA-256-sess", "MD5-sess", "SHA-512-256", "none"] {
            assert_eq!(Algorithm::named(Some(unknown)), None, "{unknown}");
        }
    }
}
