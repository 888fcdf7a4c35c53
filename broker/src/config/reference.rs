//! The printed reference: every key with its type, range, default, variable and meaning, as a file that loads.

use std::fmt::Write;

use serde_json::Value;

use super::keys::{self, Key, Kind, Least, Section};

const HEAD: &str = "\
# Petasus: every key of the configuration with its default.
#
# Read from petasus.toml in the working directory (or --config FILE), then from the environment, then from the
# command line: the later one wins. In the environment, lists are separated by commas.
";

/// Width of the printed comments.
const WIDTH: usize = 110;

/// The reference of all keys. It is itself a configuration: the default one.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    for section in keys::sections() {
        print_section(&mut page, section);
    }
    page
}

fn print_section(page: &mut String, section: &Section) {
    if !section.name.is_empty() {
        page.push('\n');
        comment(page, &section.meaning);
        line(page, format_args!("[{}]", section.name));
    }
    for key in &section.keys {
        page.push('\n');
        comment(page, &key.meaning);
        if let Kind::Choice(choices) = &key.kind {
            for (word, meaning) in choices {
                comment(page, &format!("  \"{word}\": {meaning}"));
            }
        }
        comment(page, &facts(key));
        line(page, format_args!("{} = {}", key.name, value(&key.default)));
    }
}

/// One line: type, range, default, variable.
fn facts(key: &Key) -> String {
    let kind = match &key.kind {
        Kind::Text => "Text",
        Kind::List => "List of texts",
        Kind::Switch => "`true` or `false`",
        Kind::Whole => "Whole number",
        Kind::Seconds => "Number, fractions allowed",
        Kind::Choice(_) => "One of these words",
    };
    let mut facts = kind.to_owned();
    match key.least {
        Some(Least::Above(least)) => append(&mut facts, format_args!(", more than {least}")),
        Some(Least::From(least)) => append(&mut facts, format_args!(", at least {least}")),
        Some(Least::ZeroOrFrom(least)) => append(&mut facts, format_args!(", 0 or at least {least}")),
        None => {}
    }
    if let Some(maximum) = key.maximum {
        append(&mut facts, format_args!(", at most {maximum}"));
    }
    append(&mut facts, format_args!(". Default {}. Environment {}.", value(&key.default), key.variable()));
    facts
}

fn value(value: &Value) -> String {
    // JSON and TOML write texts, numbers and lists of texts alike.
    value.to_string()
}

/// Appends a text as comment lines of at most [`WIDTH`] characters; spaces at its start indent all of them.
fn comment(page: &mut String, text: &str) {
    let indent = &text[..text.len() - text.trim_start().len()];
    let mut row = String::new();
    for word in text.split_whitespace() {
        if !row.is_empty() && row.chars().count() + word.chars().count() + indent.len() + 3 > WIDTH {
            line(page, format_args!("# {indent}{row}"));
            row.clear();
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row.push_str(word);
    }
    line(page, format_args!("# {indent}{row}"));
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    append(page, text);
    page.push('\n');
}

fn append(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("writing to a String never fails");
}
