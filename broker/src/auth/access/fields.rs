//! The tables of the access file, read key by key. Every problem is kept with its line; no text of the file is
//! repeated in one, because it may be a secret.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::{Fault, Place, Problem, hint};

/// The problems of a file so far, and what is needed to find their lines.
pub(in crate::auth) struct Problems<'a> {
    name: &'a str,
    text: &'a str,
    found: Vec<Problem>,
}

/// A value, and where it begins in the file.
#[derive(Clone, Copy)]
pub(in crate::auth) struct At<T> {
    pub(in crate::auth) at: usize,
    pub(in crate::auth) value: T,
}

/// Something is wrong, and is among the problems.
#[derive(Debug)]
pub(in crate::auth) struct Told;

/// The keys of one table that were not yet read.
pub(in crate::auth) struct Table<'i> {
    /// What its keys are called in problems: `users`; empty for the whole file.
    path: &'static str,
    /// Where it begins.
    pub(in crate::auth) at: usize,
    entries: Vec<(String, usize, DeValue<'i>)>,
}

impl<'a> Problems<'a> {
    pub(in crate::auth) fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, found: Vec::new() }
    }

    /// Adds a problem at an offset of the text.
    pub(in crate::auth) fn add(&mut self, at: usize, key: &str, text: impl Into<String>) {
        let line = 1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        let place = Some(Place::File { name: self.name.to_owned(), line });
        self.found.push(Problem { place, key: key.to_owned(), fault: Fault::Value(text.into()) });
    }

    /// All of them, in the order of their lines.
    pub(in crate::auth) fn into_list(mut self) -> Vec<Problem> {
        self.found.sort_by(|a, b| a.place.cmp(&b.place));
        self.found
    }
}

impl<'i> Table<'i> {
    /// The whole file; `None` if it is not TOML.
    pub(in crate::auth) fn of_file(text: &'i str, problems: &mut Problems<'_>) -> Option<Self> {
        match DeTable::parse(text) {
            Ok(table) => Some(Self::new("", 0, table.into_inner())),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                problems.add(at, "", format!("not TOML: {}", error.message()));
                None
            }
        }
    }

    fn new(path: &'static str, at: usize, table: DeTable<'i>) -> Self {
        let entry = |(key, value): (Spanned<std::borrow::Cow<'i, str>>, Spanned<DeValue<'i>>)| {
            let at = key.span().start;
            (key.into_inner().into_owned(), at, value.into_inner())
        };
        Self { path, at, entries: table.into_iter().map(entry).collect() }
    }

    /// The tables `[[key]]`.
    pub(in crate::auth) fn tables(&mut self, key: &'static str, problems: &mut Problems<'_>) -> Vec<Self> {
        let Some(At { at, value }) = self.take(key) else { return Vec::new() };
        let DeValue::Array(items) = value else {
            problems.add(at, &self.name_of(key), format!("needs tables; begin each with a line [[{key}]]"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            let at = item.span().start;
            match item.into_inner() {
                DeValue::Table(table) => tables.push(Self::new(key, at, table)),
                _ => problems.add(
                    at,
                    &self.name_of(key),
                    format!("needs tables; begin each with a line [[{key}]]"),
                ),
            }
        }
        tables
    }

    /// The inline table `key = { ... }`; `path` is what its keys are called in problems.
    pub(in crate::auth) fn table(
        &mut self,
        key: &str,
        path: &'static str,
        problems: &mut Problems<'_>,
    ) -> Option<Self> {
        let At { at, value } = self.take(key)?;
        match value {
            DeValue::Table(table) => Some(Self::new(path, at, table)),
            other => {
                self.wrong_type(at, key, "a table, as in { key = \"value\" }", &other, problems);
                None
            }
        }
    }

    /// The text `key`.
    pub(in crate::auth) fn text(&mut self, key: &str, problems: &mut Problems<'_>) -> Option<At<String>> {
        let At { at, value } = self.take(key)?;
        match value {
            DeValue::String(text) => Some(At { at, value: text.into_owned() }),
            other => {
                self.wrong_type(at, key, "a text in quotes", &other, problems);
                None
            }
        }
    }

    /// The text `key`, which has to be there and not to be empty; `advice` says what to write.
    pub(in crate::auth) fn required(
        &mut self,
        key: &str,
        advice: &str,
        problems: &mut Problems<'_>,
    ) -> Option<At<String>> {
        if !self.has(key) {
            problems.add(self.at, &self.name_of(key), format!("is missing; {advice}"));
            return None;
        }
        self.filled(key, advice, problems)
    }

    /// The text `key`, which may be missing, but not empty.
    pub(in crate::auth) fn filled(
        &mut self,
        key: &str,
        advice: &str,
        problems: &mut Problems<'_>,
    ) -> Option<At<String>> {
        let text = self.text(key, problems)?;
        if text.value.is_empty() {
            problems.add(text.at, &self.name_of(key), format!("is empty; {advice}"));
            return None;
        }
        Some(text)
    }

    /// The whole number `key`, from 0 on.
    pub(in crate::auth) fn whole(&mut self, key: &str, problems: &mut Problems<'_>) -> Option<At<u64>> {
        let At { at, value } = self.take(key)?;
        if let DeValue::Integer(number) = &value
            && let Ok(value) = u64::from_str_radix(number.as_str(), number.radix())
        {
            return Some(At { at, value });
        }
        self.wrong_type(at, key, "a whole number from 0 on", &value, problems);
        None
    }

    /// The list of texts `key`.
    pub(in crate::auth) fn texts(
        &mut self,
        key: &str,
        problems: &mut Problems<'_>,
    ) -> Option<Vec<At<String>>> {
        const WANTED: &str = "a list of texts, as in [\"one\", \"two\"]";
        let At { at, value } = self.take(key)?;
        let DeValue::Array(items) = value else {
            self.wrong_type(at, key, WANTED, &value, problems);
            return None;
        };
        let mut texts = Vec::new();
        for item in items {
            let at = item.span().start;
            match item.into_inner() {
                DeValue::String(text) => texts.push(At { at, value: text.into_owned() }),
                other => self.wrong_type(at, key, WANTED, &other, problems),
            }
        }
        Some(texts)
    }

    /// The word `key`, one of `words`.
    pub(in crate::auth) fn word<T: Copy>(
        &mut self,
        key: &str,
        words: &[(&str, T)],
        problems: &mut Problems<'_>,
    ) -> Option<T> {
        let text = self.text(key, problems)?;
        self.meaning(key, &text, words, problems)
    }

    /// The words of the list `key`, each one of `words`.
    pub(in crate::auth) fn words<T: Copy>(
        &mut self,
        key: &str,
        words: &[(&str, T)],
        problems: &mut Problems<'_>,
    ) -> Option<Vec<T>> {
        let texts = self.texts(key, problems)?;
        Some(texts.iter().filter_map(|text| self.meaning(key, text, words, problems)).collect())
    }

    fn meaning<T: Copy>(
        &self,
        key: &str,
        text: &At<String>,
        words: &[(&str, T)],
        problems: &mut Problems<'_>,
    ) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == text.value);
        if found.is_none() {
            let names = || words.iter().map(|(word, _)| *word);
            let list = names().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
            let fault = format!("`{}` is none of {list}{}", text.value, hint(&text.value, names()));
            problems.add(text.at, &self.name_of(key), fault);
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// What was not read is not known: a problem for each key. `known` are all keys there are.
    pub(in crate::auth) fn finish(self, known: &[&str], elsewhere: &[&str], problems: &mut Problems<'_>) {
        for (key, at, _) in &self.entries {
            let advice = if elsewhere.contains(&key.as_str()) {
                format!("; `{key}` belongs above the first [[...]] of the file")
            } else {
                let near = hint(key, known.iter().copied());
                format!("{near}; there are {}", known.join(", "))
            };
            problems.add(*at, &self.name_of(key), format!("there is no such key{advice}"));
        }
    }

    /// What a key of this table is called in problems.
    pub(in crate::auth) fn name_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Whether `key` is there and was not yet read.
    pub(in crate::auth) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, ..)| name == key)
    }

    fn take(&mut self, key: &str) -> Option<At<DeValue<'i>>> {
        let place = self.entries.iter().position(|(name, ..)| name == key)?;
        let (_, at, value) = self.entries.swap_remove(place);
        Some(At { at, value })
    }

    fn wrong_type(
        &self,
        at: usize,
        key: &str,
        wanted: &str,
        found: &DeValue<'_>,
        problems: &mut Problems<'_>,
    ) {
        let found = match found {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "another number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        problems.add(at, &self.name_of(key), format!("needs {wanted}; this is {found}"));
    }
}
