//! Where Gatekit answers otherwise on purpose: `tests/loopback/deviations.toml`.

use std::collections::BTreeMap;

use gatekit_tests::Answer;
use serde_json::Value;

use super::compare::is_body;
use super::names::Names;

/// The file, read.
#[derive(Debug, Default)]
pub(super) struct Deviations {
    /// Names of reasons, and what they say.
    pub(super) reasons: BTreeMap<String, String>,
    /// Differences that no exchange shows, by name, with what differs and why.
    unrecorded: BTreeMap<String, String>,
    pub(super) entries: Vec<Deviation>,
}

/// One exchange that differs: why, and what is answered instead.
#[derive(Debug, Default)]
pub(super) struct Deviation {
    pub(super) file: String,
    pub(super) number: u32,
    pub(super) reason: String,
    status: u16,
    /// `error.code` of the answer; empty if the error has none.
    code: Option<String>,
    /// The whole body.
    body: Option<String>,
}

impl Deviations {
    /// Reads the part of TOML that the file needs: comments, tables, and keys with a text or a
    /// number. Anything else is an error.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut file = Self::default();
        let (mut in_reasons, mut in_unrecorded) = (false, false);
        for (n, line) in text.lines().enumerate() {
            let at = |message: &str| format!("deviations.toml, line {}: {message}: {line}", n + 1);
            let line = line.trim();
            match line {
                "" => {}
                _ if line.starts_with('#') => {}
                "[reasons]" => (in_reasons, in_unrecorded) = (true, false),
                "[unrecorded]" => (in_reasons, in_unrecorded) = (false, true),
                "[[deviation]]" => {
                    (in_reasons, in_unrecorded) = (false, false);
                    file.entries.push(Deviation::default());
                }
                _ => {
                    let (key, value) = line.split_once(" = ").ok_or_else(|| at("no key and value"))?;
                    if in_reasons || in_unrecorded {
                        let reason = text_of(value).filter(|text| !text.is_empty()).ok_or_else(|| at("no text"))?;
                        let table = if in_reasons { &mut file.reasons } else { &mut file.unrecorded };
                        if table.insert(key.to_owned(), reason).is_some() {
                            return Err(at("it is there twice"));
                        }
                    } else {
                        let entry = file.entries.last_mut().ok_or_else(|| at("outside of a table"))?;
                        entry.set(key, value).ok_or_else(|| at("not a key of a deviation"))?;
                    }
                }
            }
        }
        file.check()?;
        Ok(file)
    }

    fn check(&self) -> Result<(), String> {
        for entry in &self.entries {
            let of = format!("deviations.toml: {} [{}]", entry.file, entry.number);
            if !self.reasons.contains_key(&entry.reason) {
                return Err(format!("{of}: {:?} is not among the reasons", entry.reason));
            }
            if entry.status == 0 || (entry.code.is_none() && entry.body.is_none()) {
                return Err(format!("{of}: it does not say what is answered instead: `status`, and `code` or `body`"));
            }
            if self.entries.iter().filter(|other| (&other.file, other.number) == (&entry.file, entry.number)).count()
                > 1
            {
                return Err(format!("{of} is there twice"));
            }
        }
        match self.reasons.keys().find(|reason| !self.entries.iter().any(|entry| entry.reason == **reason)) {
            Some(reason) => Err(format!("deviations.toml: nothing deviates for the reason {reason:?}")),
            None => Ok(()),
        }
    }

    pub(super) fn find(&self, file: &str, number: u32) -> Option<&Deviation> {
        self.entries.iter().find(|entry| entry.file == file && entry.number == number)
    }
}

impl Deviation {
    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "file" => self.file = text_of(value)?,
            "number" => self.number = value.parse().ok()?,
            "reason" => self.reason = text_of(value)?,
            "status" => self.status = value.parse().ok()?,
            "code" => self.code = Some(text_of(value)?),
            "body" => self.body = Some(text_of(value)?),
            _ => return None,
        }
        Some(())
    }

    /// What the answer is if it is not the one stated; `None` if it is.
    pub(super) fn difference(&self, answer: &Answer, names: &Names) -> Option<String> {
        let code = || {
            let body: Value = serde_json::from_str(&answer.body).ok()?;
            Some(body.get("error")?.get("code").and_then(Value::as_str).unwrap_or_default().to_owned())
        };
        let stated = answer.status.as_u16() == self.status
            && self.code.as_ref().is_none_or(|wanted| code().as_ref() == Some(wanted))
            && self.body.as_ref().is_none_or(|wanted| is_body(wanted, &answer.body, names));
        (!stated).then(|| "deviates otherwise than deviations.toml says".into())
    }
}

/// A literal text, `'…'`, or a basic one, `"…"`, whose escapes are those of JSON.
fn text_of(value: &str) -> Option<String> {
    match value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(literal) if !literal.contains('\'') => Some(literal.to_owned()),
        _ => serde_json::from_str(value).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"
[reasons]
no-5xx = "Bad input is never a server error."

# why
[[deviation]]
file = "02-token"
number = 50
reason = "no-5xx"
status = 401
body = '{"a":1}'
"#;

    #[test]
    fn a_sound_file_is_read() {
        let file = Deviations::parse(SAMPLE).unwrap();
        assert_eq!(file.reasons["no-5xx"], "Bad input is never a server error.");
        let entry = file.find("02-token", 50).unwrap();
        assert_eq!((entry.status, entry.body.as_deref()), (401, Some(r#"{"a":1}"#)));
        assert!(file.find("02-token", 51).is_none());
    }

    #[test]
    fn what_proves_nothing_is_refused() {
        for (broken, message) in [
            (SAMPLE.replace("\"no-5xx\"", "\"other\""), "is not among the reasons"),
            (SAMPLE.replace("status = 401\n", ""), "does not say what is answered instead"),
            (SAMPLE.replace("body =", "# body ="), "does not say what is answered instead"),
            (format!("{SAMPLE}{}", &SAMPLE[SAMPLE.find("[[").unwrap()..]), "is there twice"),
            (SAMPLE.replace("[reasons]", "[reasons]\nunused = \"x\""), "nothing deviates for the reason"),
            (SAMPLE.replace("status", "stat"), "line 10: not a key"),
            (SAMPLE.replace("'{\"a\":1}'", "{}"), "line 11: not a key"),
        ] {
            let error = Deviations::parse(&broken).unwrap_err();
            assert!(error.contains(message), "{message}: {error}");
        }
    }
}
