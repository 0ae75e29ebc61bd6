// SPDX-License-Identifier: Apache-2.0
//! Command-line words of a task, taken one option at a time.

use anyhow::bail;

/// The words after the task's name that no option has claimed yet.
#[derive(Debug)]
pub(crate) struct Options {
    words: Vec<String>,
}

impl Options {
    pub(crate) fn new(words: Vec<String>) -> Self {
        Self { words }
    }

    /// Whether `name` stands among the words; takes it out.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() < before
    }

    /// The word after `name`, if `name` is there; takes both out.
    pub(crate) fn value(&mut self, name: &str) -> anyhow::Result<Option<String>> {
        let Some(at) = self.words.iter().position(|word| word == name) else {
            return Ok(None);
        };
        self.words.remove(at);
        if at == self.words.len() {
            bail!("{name} needs a value");
        }
        Ok(Some(self.words.remove(at)))
    }

    /// The words that are left.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        std::mem::take(&mut self.words)
    }

    /// Fails when a word is left that no option claimed.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        if let Some(word) = self.words.first() {
            bail!("unexpected {word:?}; `cargo xtask help` lists the options");
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    fn options(text: &str) -> Options {
        Options::new(text.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn flags_and_values_are_taken_out() {
        let mut given = options("--exit --listen 127.0.0.1:9 extra");
        assert!(given.flag("--exit"));
        assert!(!given.flag("--exit"));
        assert_eq!(
            given.value("--listen").unwrap().as_deref(),
            Some("127.0.0.1:9")
        );
        assert_eq!(given.rest(), ["extra"]);
    }

    #[test]
    fn a_missing_value_and_an_unknown_word_are_errors() {
        assert!(options("--listen").value("--listen").is_err());
        assert!(options("--wrong").finish().is_err());
        assert!(options("").finish().is_ok());
    }
}
