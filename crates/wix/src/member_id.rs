//! The ids of a site and of its members. Both are GUIDs on the wire.

use std::fmt;

use gatekit_core::UserId;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;

/// The id of a site: what Wix calls `metaSiteId`. It is no secret. Choose one and keep it: tokens
/// and the ids of members are bound to it.
///
/// ```
/// use gatekit_wix::SiteId;
///
/// let site = SiteId::new("1ff46a96-dea6-49da-83ba-5164fb62d839")?;
/// assert_eq!(site.to_string(), "1ff46a96-dea6-49da-83ba-5164fb62d839");
/// # Ok::<_, gatekit_wix::InvalidSiteId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SiteId(String);

/// A text that is no GUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the id of a site: write a GUID in lower case, such as 1ff46a96-dea6-49da-83ba-5164fb62d839")]
pub struct InvalidSiteId(String);

impl SiteId {
    /// From a GUID in lower case.
    ///
    /// # Errors
    ///
    /// [`InvalidSiteId`].
    pub fn new(guid: impl Into<String>) -> Result<Self, InvalidSiteId> {
        let guid = guid.into();
        if parse_guid(&guid).is_some() { Ok(Self(guid)) } else { Err(InvalidSiteId(guid)) }
    }

    /// The GUID.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Another GUID that belongs to this site, always the same for the same `what`.
    pub(crate) fn derive(&self, what: &str) -> String {
        let mac = self.mac(&[b"derived ", what.as_bytes()]);
        write_guid(versioned(mac.iter().take(16).fold(0, |bits, byte| (bits << 8) | u128::from(*byte))))
    }

    /// SHA-256 with the site's id as its key. It is no secret, and need be none: it only keeps
    /// apart what is of different sites.
    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()) else { return [0; 32] };
        parts.iter().fold(mac, |mac, part| mac.chain_update(part)).finalize().into_bytes().into()
    }

    /// The first bits of it, at most 64.
    fn bits(&self, label: &[u8], value: u64, bits: u32) -> u64 {
        let mac = self.mac(&[label, &value.to_be_bytes()]);
        let whole = mac.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte));
        whole >> (64 - bits)
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a member, as clients of Wix know it: a GUID, made of the user's id and bound to the
/// site, so that nothing has to be stored for it.
///
/// A user whose id is a number gets a UUID of version 8 (RFC 9562 §5.8). Its bits are 64 for the
/// number, mixed so that neighbours do not look alike, and 58 that only this site's id has for it.
/// A user whose id is a text, such as a UUID, has that text.
///
/// ```
/// use gatekit_core::UserId;
/// use gatekit_wix::{MemberId, SiteId};
///
/// let site = SiteId::new("1ff46a96-dea6-49da-83ba-5164fb62d839")?;
/// let id = MemberId::of(&site, &UserId::from(7));
/// assert_eq!(id.as_str().len(), 36);
/// assert_eq!(id.user_id(&site), Some(UserId::from(7)));
/// # Ok::<_, gatekit_wix::InvalidSiteId>(())
/// ```
///
/// It is a name and no secret: who knows the site's id can tell the number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct MemberId(String);

/// Bits of the UUID that are the site's.
const CHECK_BITS: u32 = 58;
/// Longer texts are nobody's id.
const MAX_BYTES: usize = 512;

impl MemberId {
    /// Of this user.
    #[must_use]
    pub fn of(site: &SiteId, user: &UserId) -> Self {
        match user {
            UserId::Int(id) => {
                let id = u64::from_be_bytes(id.to_be_bytes());
                let check = site.bits(b"check", id, CHECK_BITS);
                let mixed = id ^ site.bits(b"mask", check, 64);
                Self(write_guid(pack(mixed, check)))
            }
            UserId::Text(id) => Self(id.clone()),
        }
    }

    /// As somebody wrote it.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The GUID.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whose it is; `None` if it is the id of another site's member, or of nobody's.
    #[must_use]
    pub fn user_id(&self, site: &SiteId) -> Option<UserId> {
        if let Some((mixed, check)) = parse_guid(&self.0).and_then(unpack) {
            let id = mixed ^ site.bits(b"mask", check, 64);
            return (site.bits(b"check", id, CHECK_BITS) == check)
                .then(|| UserId::Int(i64::from_be_bytes(id.to_be_bytes())));
        }
        let sound = !self.0.is_empty() && self.0.len() <= MAX_BYTES && !self.0.contains('\0');
        sound.then(|| UserId::Text(self.0.clone()))
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the four bits of the version and the two of the variant are.
const VERSION_SHIFT: u32 = 76;
const VARIANT_SHIFT: u32 = 62;

/// 128 bits, of which six become version 8 and RFC 9562's variant.
fn versioned(bits: u128) -> u128 {
    let free = !((0xf << VERSION_SHIFT) | (0b11 << VARIANT_SHIFT));
    (bits & free) | (8 << VERSION_SHIFT) | (0b10 << VARIANT_SHIFT)
}

/// 64 bits and 58 into the 122 that a UUID has room for: 48 before the version, 12 between version
/// and variant, 62 after.
fn pack(mixed: u64, check: u64) -> u128 {
    let all = (u128::from(mixed) << CHECK_BITS) | u128::from(check);
    let (high, middle, low) = (all >> 74, (all >> 62) & 0xfff, all & ((1 << 62) - 1));
    versioned((high << 80) | (middle << 64) | low)
}

fn unpack(guid: u128) -> Option<(u64, u64)> {
    if versioned(guid) != guid {
        return None;
    }
    let (high, middle, low) = (guid >> 80, (guid >> 64) & 0xfff, guid & ((1 << 62) - 1));
    let all = (high << 74) | (middle << 62) | low;
    let mixed = u64::try_from(all >> CHECK_BITS).ok()?;
    Some((mixed, u64::try_from(all & ((1 << CHECK_BITS) - 1)).ok()?))
}

fn write_guid(bits: u128) -> String {
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits >> 96,
        (bits >> 80) & 0xffff,
        (bits >> 64) & 0xffff,
        (bits >> 48) & 0xffff,
        bits & 0xffff_ffff_ffff
    )
}

/// The 128 bits of a GUID in lower case: one text for each.
fn parse_guid(text: &str) -> Option<u128> {
    let bits = u128::from_str_radix(&text.replace('-', ""), 16).ok()?;
    (write_guid(bits) == text).then_some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> SiteId {
        SiteId::new("1ff46a96-dea6-49da-83ba-5164fb62d839").unwrap()
    }

    #[test]
    fn a_members_id_is_a_guid_and_leads_back_to_the_user() {
        let mut seen = std::collections::HashSet::new();
        for id in (-50..1000).chain([i64::MIN, i64::MAX, 1 << 40]) {
            let member = MemberId::of(&site(), &id.into());
            let text = member.as_str();
            assert!(parse_guid(text).is_some() && text.as_bytes()[14] == b'8', "{text}");
            assert!(matches!(text.as_bytes()[19], b'8'..=b'b'), "{text}");
            assert_eq!(member.user_id(&site()), Some(id.into()));
            assert!(seen.insert(member));
        }
    }

    /// What tokens and links hold of it must not change from one version to the next.
    #[test]
    fn a_members_id_stays_what_it_is() {
        assert_eq!(MemberId::of(&site(), &1.into()).as_str(), "c4edf538-fb07-81eb-aff3-6942ab6ecd64");
        assert_eq!(site().derive("members"), "622cb6df-03b2-8ad4-ad75-5c7ba5311b8f");
    }

    #[test]
    fn another_site_has_other_ids() {
        let other = SiteId::new("9bec58e6-6411-4991-8e5d-0ada9182b95e").unwrap();
        let member = MemberId::of(&site(), &7.into());
        assert_ne!(member, MemberId::of(&other, &7.into()));
        assert_eq!(member.user_id(&other), None);
        assert_ne!(site().derive("members"), other.derive("members"));
    }

    #[test]
    fn an_id_that_was_changed_is_nobodys() {
        let member = MemberId::of(&site(), &7.into());
        for index in [0, 7, 9, 16, 20, 35] {
            let mut text = member.as_str().to_owned();
            let new = if text.as_bytes()[index] == b'0' { "1" } else { "0" };
            text.replace_range(index..=index, new);
            assert_eq!(MemberId::from_text(&text).user_id(&site()), None, "{text}");
        }
    }

    #[test]
    fn a_text_is_its_own_id() {
        for id in ["8831eed6-928e-4f85-b80a-e1e48fb7c4fd", "507f1f77bcf86cd799439011", "7"] {
            let member = MemberId::of(&site(), &id.into());
            assert_eq!((member.as_str(), member.user_id(&site())), (id, Some(id.into())));
        }
        for text in ["", "a\0", &"x".repeat(513)] {
            assert_eq!(MemberId::from_text(text).user_id(&site()), None);
        }
    }

    #[test]
    fn a_site_has_a_guid() {
        for text in [
            "",
            "1FF46A96-DEA6-49DA-83BA-5164FB62D839",
            "1ff46a96dea649da83ba5164fb62d839",
            "1ff46a96-dea6-49da-83ba-5164fb62d83",
            "1ff46a96-dea6-49da-83ba-5164fb62d83é",
            "+ff46a96-dea6-49da-83ba-5164fb62d839",
        ] {
            assert_eq!(SiteId::new(text), Err(InvalidSiteId(text.into())));
        }
    }
}
