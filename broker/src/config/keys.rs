//! The list of all keys, read from the schema of [`Config`]: what the loader, the checks and the reference share.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::{Config, nearest, problem::Fault};

/// What kind of value a key takes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// A list of texts.
    List,
    /// `true` or `false`.
    Switch,
    /// A whole number.
    Whole,
    /// A number of seconds.
    Seconds,
    /// One of these words, each with its meaning.
    Choice(Vec<(String, String)>),
}

/// One key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// Its section; empty for the keys above all sections.
    pub(super) section: String,
    /// Its name in the section.
    pub(super) name: String,
    /// What it takes.
    pub(super) kind: Kind,
    /// The lower end of its range.
    pub(super) least: Option<Least>,
    /// The greatest value.
    pub(super) maximum: Option<f64>,
    /// What it is without being set.
    pub(super) default: Value,
    /// The text of its field.
    pub(super) meaning: String,
}

/// The lower end of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Least {
    /// This value, or more.
    From(f64),
    /// More than this value.
    Above(f64),
    /// Zero, which means never; or this value, or more.
    ZeroOrFrom(f64),
}

/// One section.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// Its name; empty for the keys above all sections.
    pub(super) name: String,
    /// The text of its field.
    pub(super) meaning: String,
    /// Its keys in the order of the struct.
    pub(super) keys: Vec<Key>,
}

static SECTIONS: LazyLock<Vec<Section>> = LazyLock::new(read_schema);

/// All sections: first the nameless one, then the named ones in the order of the struct.
pub(super) fn sections() -> &'static [Section] {
    &SECTIONS
}

/// All keys.
pub(super) fn keys() -> impl Iterator<Item = &'static Key> {
    sections().iter().flat_map(|section| &section.keys)
}

/// The key of this section and name.
pub(super) fn find(section: &str, name: &str) -> Option<&'static Key> {
    keys().find(|key| key.section == section && key.name == name)
}

/// Where a wrong key name was probably meant to go, as a phrase; may be empty.
pub(super) fn hint(section: &str, name: &str) -> String {
    let elsewhere = keys().find(|key| key.name == name).map(Key::path);
    let beside = || {
        let sections = sections().iter().filter(|_| section.is_empty()).map(|section| section.name.as_str());
        let names = keys().filter(|key| key.section == section).map(|key| key.name.as_str());
        let prefix = if section.is_empty() { String::new() } else { format!("{section}.") };
        nearest::nearest(name, sections.chain(names)).map(|name| format!("{prefix}{name}"))
    };
    let anywhere = || {
        let near = nearest::nearest(name, keys().map(|key| key.name.as_str()))?;
        keys().find(|key| key.name == near).map(Key::path)
    };
    let found = elsewhere.or_else(beside).or_else(anywhere);
    found.map_or_else(String::new, |path| format!(" (did you mean `{path}`?)"))
}

impl Key {
    /// `section.name`, or `name` above all sections.
    pub(super) fn path(&self) -> String {
        if self.section.is_empty() { self.name.clone() } else { format!("{}.{}", self.section, self.name) }
    }

    /// The name of its environment variable: `PETASUS_SECTION_NAME`.
    pub(super) fn variable(&self) -> String {
        format!("PETASUS_{}", self.path().replace('.', "_").to_uppercase())
    }

    /// Checks type, choice and range of a value.
    pub(super) fn check(&self, value: &Value) -> Result<(), Fault> {
        let wrong =
            |expected: &str| Err(Fault::Type { expected: expected.to_owned(), found: describe(value) });
        match &self.kind {
            Kind::Text if !value.is_string() => wrong("a text in quotes"),
            Kind::List if !value.as_array().is_some_and(|list| list.iter().all(Value::is_string)) => {
                wrong("a list of texts, as in [\"one\", \"two\"]")
            }
            Kind::Whole if !value.is_i64() && !value.is_u64() => wrong("a whole number"),
            Kind::Seconds if !value.is_number() => wrong("a number of seconds, as in 30 or 0.5"),
            Kind::Choice(choices) => match value.as_str() {
                Some(word) if choices.iter().any(|(choice, _)| choice == word) => Ok(()),
                Some(word) => Err(unknown_choice(word, choices)),
                None => wrong("a text in quotes"),
            },
            Kind::Whole | Kind::Seconds => self.check_range(value.as_f64().unwrap_or(f64::NAN)),
            Kind::Switch if !value.is_boolean() => wrong("true or false"),
            Kind::Text | Kind::List | Kind::Switch => Ok(()),
        }
    }

    fn check_range(&self, value: f64) -> Result<(), Fault> {
        match self.least {
            Some(Least::Above(minimum)) if value <= minimum => return Err(Fault::NotAbove { minimum }),
            Some(Least::From(minimum)) if value < minimum => return Err(Fault::TooSmall { minimum }),
            Some(Least::ZeroOrFrom(minimum)) if value != 0.0 && value < minimum => {
                return Err(Fault::TooSmallButNotZero { minimum });
            }
            _ => {}
        }
        match self.maximum {
            Some(maximum) if value > maximum => Err(Fault::TooLarge { maximum }),
            _ => Ok(()),
        }
    }
}

fn unknown_choice(word: &str, choices: &[(String, String)]) -> Fault {
    let words = || choices.iter().map(|(choice, _)| choice.as_str());
    let list = words().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    Fault::Choice { found: word.to_owned(), hint: nearest::hint(word, words()), choices: list }
}

fn describe(value: &Value) -> String {
    match value {
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a table".to_owned(),
        Value::Null => "not a number".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn read_schema() -> Vec<Section> {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<Config>();
    let mut top = read_section("", schema.as_value());
    let mut sections = Vec::new();
    top.keys.retain(|key| {
        let field = &schema.as_value()["properties"][&key.name];
        let is_section = field["properties"].is_object();
        if is_section {
            sections.push(read_section(&key.name, field));
        }
        !is_section
    });
    sections.insert(0, top);
    sections
}

fn read_section(name: &str, schema: &Value) -> Section {
    let fields =
        schema["properties"].as_object().expect("a section is a struct, whose schema has properties");
    let keys = fields.iter().map(|(field, schema)| read_key(name, field, schema)).collect();
    Section { name: name.to_owned(), meaning: text(&schema["description"]), keys }
}

fn read_key(section: &str, name: &str, schema: &Value) -> Key {
    let choices = |list: &Vec<Value>| {
        list.iter().map(|choice| (text(&choice["const"]), text(&choice["description"]))).collect()
    };
    let kind = match (schema["oneOf"].as_array(), schema["type"].as_str()) {
        (Some(list), _) => Kind::Choice(choices(list)),
        (_, Some("array")) => Kind::List,
        (_, Some("boolean")) => Kind::Switch,
        (_, Some("integer")) => Kind::Whole,
        (_, Some("number")) => Kind::Seconds,
        _ => Kind::Text,
    };
    // The first one is a keyword of ours; what it says takes several of the standard's.
    let least = |keyword: &str, least: fn(f64) -> Least| schema[keyword].as_f64().map(least);
    let least = least("minimumUnlessZero", Least::ZeroOrFrom)
        .or_else(|| least("exclusiveMinimum", Least::Above))
        .or_else(|| least("minimum", Least::From));
    Key {
        section: section.to_owned(),
        name: name.to_owned(),
        kind,
        least,
        maximum: schema["maximum"].as_f64(),
        default: schema["default"].clone(),
        meaning: text(&schema["description"]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_key_has_a_meaning_a_default_and_a_variable_of_its_own() {
        let mut variables = BTreeSet::from(["PETASUS_URL".to_owned(), "PETASUS_CONFIG".to_owned()]);
        for key in keys() {
            assert!(!key.meaning.is_empty(), "{} is not documented", key.path());
            assert!(!key.default.is_null(), "{} has no default", key.path());
            assert!(variables.insert(key.variable()), "{} is there twice", key.variable());
            if let Kind::Choice(choices) = &key.kind {
                assert!(choices.iter().all(|(_, meaning)| !meaning.is_empty()), "{}", key.path());
            }
        }
        assert_eq!(keys().count(), 45);
    }

    #[test]
    fn hints_look_beside_and_elsewhere() {
        for (section, name, hint) in [
            ("limits", "mesage", " (did you mean `limits.message`?)"),
            ("", "message", " (did you mean `limits.message`?)"),
            ("", "limit", " (did you mean `limits`?)"),
            ("outbox", "mode", " (did you mean `mode`?)"),
            ("", "listen_on", " (did you mean `listen`?)"),
            ("", "qqqq", ""),
        ] {
            assert_eq!(super::hint(section, name), hint, "{section}.{name}");
        }
    }
}
