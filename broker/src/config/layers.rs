//! A configuration from its sources: the file, the environment, the command line, in rising order.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::{
    Config, ConfigError, Fault, Place, Problem,
    keys::{self, Key, Kind},
    nearest,
};

/// Variables that begin like keys and are read by the command line instead.
const OTHER_VARIABLES: [&str; 2] = ["PETASUS_URL", "PETASUS_CONFIG"];

/// What the sources said so far. Add them in rising order of rank, a later one replaces the values of an earlier
/// one, then [`Layers::build`].
///
/// ```
/// use petasus_broker::config::Layers;
///
/// let mut layers = Layers::default();
/// layers.file("petasus.toml", "[limits]\nmessage = 1000");
/// layers.environment([("PETASUS_LIMITS_MESSAGE".to_owned(), "2000".to_owned())]);
/// layers.flag("--listen", "listen", &["http://*:80".to_owned()]);
/// assert_eq!(layers.build().unwrap().limits.message, 2000);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// By path: the value of highest rank so far.
    entries: BTreeMap<String, Entry>,
    /// What was wrong on the way.
    problems: Vec<Problem>,
}

/// A value that was set.
#[derive(Clone, Debug)]
struct Entry {
    key: &'static Key,
    value: Value,
    place: Place,
}

impl Layers {
    /// Adds the text of a file; `name` is what messages call it.
    pub fn file(&mut self, name: &str, text: &str) {
        let line = |offset: usize| 1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
        let place = |offset| Place::File { name: name.to_owned(), line: line(offset) };
        let table = match DeTable::parse(text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                let place = place(error.span().map_or(0, |span| span.start));
                let fault = Fault::Syntax(error.message().to_owned());
                return self.problems.push(Problem { place: Some(place), key: String::new(), fault });
            }
        };
        for (name, value) in table {
            let at = name.span().start;
            let name = name.into_inner();
            match value.into_inner() {
                DeValue::Table(fields) if is_section(&name) => {
                    for (field, value) in fields {
                        let at = place(field.span().start);
                        self.file_key(&name, &field.into_inner(), value.into_inner(), at);
                    }
                }
                value => self.file_key("", &name, value, place(at)),
            }
        }
    }

    fn file_key(&mut self, section: &str, name: &str, value: DeValue<'_>, place: Place) {
        if let Some(key) = keys::find(section, name) {
            return self.set(Entry { key, value: json(value), place });
        }
        let fault = if section.is_empty() && is_section(name) {
            Fault::IsSection(name.to_owned())
        } else {
            Fault::UnknownKey { hint: keys::hint(section, name) }
        };
        let key = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
        self.problems.push(Problem { place: Some(place), key, fault });
    }

    /// Adds the environment: the variables that begin with `PETASUS_`; others are passed over. Lists are separated
    /// by commas.
    pub fn environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in variables {
            if !name.starts_with("PETASUS_") || OTHER_VARIABLES.contains(&name.as_str()) {
                continue;
            }
            let place = Place::Variable(name.clone());
            if let Some(key) = keys::keys().find(|key| key.variable() == name) {
                self.set_text(key, &split(key, &value), place);
                continue;
            }
            let variables: Vec<_> = keys::keys().map(Key::variable).collect();
            let known = variables.iter().map(String::as_str).chain(OTHER_VARIABLES);
            let fault = Fault::UnknownVariable { hint: nearest::hint(&name, known) };
            self.problems.push(Problem { place: Some(place), key: String::new(), fault });
        }
    }

    /// Adds a command line flag that sets `key` (`section.name`). Of a key that is no list, the last value counts.
    pub fn flag(&mut self, flag: &str, key: &str, values: &[String]) {
        let place = Place::Flag(flag.to_owned());
        let (section, name) = key.split_once('.').unwrap_or(("", key));
        if let Some(found) = keys::find(section, name) {
            return self.set_text(found, values, place);
        }
        let fault = Fault::UnknownKey { hint: keys::hint(section, name) };
        self.problems.push(Problem { place: Some(place), key: key.to_owned(), fault });
    }

    /// The configuration, or every problem of it. Keys that no source set have their defaults.
    pub fn build(mut self) -> Result<Config, ConfigError> {
        let mut tables = Map::new();
        let mut broken = Vec::new();
        for (path, entry) in &self.entries {
            match entry.check() {
                Ok(()) => entry.insert_into(&mut tables),
                Err(fault) => {
                    let place = Some(entry.place.clone());
                    self.problems.push(Problem { place, key: path.clone(), fault });
                    broken.push(path.clone());
                }
            }
        }
        let config = Config::deserialize(Value::Object(tables)).unwrap_or_else(|error| {
            // Not reached as far as we know: each entry was read by itself before.
            let fault = Fault::Value(error.to_string());
            self.problems.push(Problem { place: None, key: String::new(), fault });
            Config::default()
        });
        if let Err(error) = config.validate() {
            // A check across keys says nothing new about a key that is already known to be wrong.
            let news = error.problems.into_iter().filter(|problem| !broken.contains(&problem.key));
            self.problems.extend(news.map(|problem| {
                let other = || self.entries.get(problem.fault.other()?);
                let entry = self.entries.get(&problem.key).or_else(other);
                let place = entry.map(|entry| entry.place.clone());
                Problem { place, ..problem }
            }));
        }
        self.problems.sort_by_key(|problem| (problem.place.is_none(), problem.place.clone()));
        if self.problems.is_empty() { Ok(config) } else { Err(ConfigError { problems: self.problems }) }
    }

    /// Sets a key from text; lists take all the texts, everything else the last.
    fn set_text(&mut self, key: &'static Key, texts: &[String], place: Place) {
        let last = texts.last().map(|text| text.trim()).unwrap_or_default();
        let value = match key.kind {
            Kind::List => Value::from(texts),
            Kind::Text | Kind::Choice(_) => Value::from(last),
            Kind::Switch => last.parse::<bool>().map_or_else(|_| Value::from(last), Value::from),
            Kind::Whole => last.parse::<i64>().map_or(Value::Null, Value::from),
            Kind::Seconds => last
                .parse::<u32>()
                .map(Value::from)
                .or_else(|_| last.parse::<f64>().map(Value::from))
                .unwrap_or_default(),
        };
        if value.is_null() {
            let fault = Fault::NotANumber(last.to_owned());
            self.problems.push(Problem { place: Some(place), key: key.path(), fault });
        } else {
            self.set(Entry { key, value, place });
        }
    }

    fn set(&mut self, entry: Entry) {
        self.entries.insert(entry.key.path(), entry);
    }
}

impl Entry {
    /// Checks the value by itself: type, range, and whether the struct's own type reads it.
    fn check(&self) -> Result<(), Fault> {
        self.key.check(&self.value)?;
        let mut tables = Map::new();
        self.insert_into(&mut tables);
        Config::deserialize(Value::Object(tables)).map(drop).map_err(|error| Fault::Value(error.to_string()))
    }

    fn insert_into(&self, tables: &mut Map<String, Value>) {
        let Key { section, name, .. } = self.key;
        let table = if section.is_empty() {
            tables
        } else {
            let table = tables.entry(section).or_insert_with(|| Value::Object(Map::new()));
            table.as_object_mut().expect("only tables are inserted under the name of a section")
        };
        table.insert(name.clone(), self.value.clone());
    }
}

fn is_section(name: &str) -> bool {
    keys::sections().iter().any(|section| section.name == name)
}

/// A value of the file. What no key takes (dates, tables) only has to stay recognisable as such.
fn json(value: DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.into_owned()),
        DeValue::Integer(number) => {
            let exact = i64::from_str_radix(number.as_str(), number.radix()).map(Value::from);
            exact.unwrap_or_else(|_| json_number(number.as_str()))
        }
        DeValue::Float(number) => json_number(number.as_str()),
        DeValue::Boolean(flag) => Value::from(flag),
        DeValue::Array(items) => items.into_iter().map(|item| json(item.into_inner())).collect(),
        DeValue::Datetime(_) | DeValue::Table(_) => Value::Object(Map::new()),
    }
}

/// JSON has no infinity and no NaN: those become null, which no key takes.
fn json_number(text: &str) -> Value {
    text.parse::<f64>().map_or(Value::Null, Value::from)
}

/// The items of a comma separated list. In a list of URLs, an item without `://` belongs to the one before it: the
/// comma in `http://*:80?dialects=mercury,pinghub:/ping` separates dialects.
fn split(key: &Key, text: &str) -> Vec<String> {
    if key.kind != Kind::List {
        return vec![text.to_owned()];
    }
    let mut items: Vec<String> = Vec::new();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        match items.last_mut() {
            Some(last) if key.name == "listen" && !item.contains("://") => {
                last.push(',');
                last.push_str(item);
            }
            _ => items.push(item.to_owned()),
        }
    }
    items
}
