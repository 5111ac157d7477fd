//! `--name value` arguments.

use std::{collections::HashMap, str::FromStr};

use crate::Result;

/// The arguments of a command: words, and options that begin with `--`.
#[derive(Debug, Default)]
pub struct Args {
    words: Vec<String>,
    options: HashMap<String, String>,
}

impl Args {
    /// Reads the process's arguments. Those named in `flags` take no value.
    ///
    /// # Errors
    /// When an option is unknown or has no value.
    pub fn from_env(options: &[&str], flags: &[&str]) -> Result<Self> {
        let mut args = Self::default();
        let mut rest = std::env::args().skip(1);
        while let Some(word) = rest.next() {
            let Some(name) = word.strip_prefix("--") else {
                args.words.push(word);
                continue;
            };
            let value = if flags.contains(&name) {
                String::new()
            } else if options.contains(&name) {
                rest.next().ok_or_else(|| format!("--{name} needs a value"))?
            } else {
                return Err(format!("unknown option --{name}; there are {options:?} and {flags:?}").into());
            };
            args.options.insert(name.to_owned(), value);
        }
        Ok(args)
    }

    /// The first word.
    pub fn command(&self) -> Option<&str> {
        self.words.first().map(String::as_str)
    }

    /// Whether a flag was given.
    pub fn has(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    /// The value of an option.
    ///
    /// # Errors
    /// When it does not parse.
    pub fn get<T: FromStr>(&self, name: &str) -> Result<Option<T>> {
        let Some(value) = self.options.get(name) else {
            return Ok(None);
        };
        value.parse().map(Some).map_err(|_| format!("--{name} cannot be {value:?}").into())
    }
}
