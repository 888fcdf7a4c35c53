//! `SPEC.md`: the list of requirements for people, written from `spec/requirements.toml`.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::{Level, Requirement, Requirements, Testable, check};

/// The document. Each requirement has an anchor, `#REQ-BUS-001`.
pub fn document(list: &Requirements) -> String {
    let mut families: BTreeMap<&str, Vec<&Requirement>> = BTreeMap::new();
    for requirement in list.iter() {
        families.entry(requirement.id.family()).or_default().push(requirement);
    }
    let checks = checks();
    let mut text = format!(
        "# The requirements\n\nVersion {}. Generated from [spec/requirements.toml](spec/requirements.toml): change that, \
         then run `UPDATE=1 cargo test -p petasus-conformance --test spec`.\n\nA requirement applies to a broker that is \
         judged by one of its profiles and has all of its capabilities.\n",
        list.spec()
    );
    for (family, requirements) in families {
        write!(text, "\n## {family}\n").expect("a string takes all");
        for requirement in requirements {
            entry(&mut text, requirement, checks.get(requirement.id.as_str()));
        }
    }
    text
}

/// The names of the checks that can find each requirement broken.
fn checks() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut checks: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for card in check::all().iter().map(|check| check.card()) {
        for id in card.requirements {
            checks.entry(id).or_default().push(card.name);
        }
    }
    checks
}

fn entry(text: &mut String, requirement: &Requirement, checks: Option<&Vec<&str>>) {
    let level = match requirement.level {
        Level::Must => "MUST",
        Level::Should => "SHOULD",
        Level::May => "MAY",
    };
    let testable = match requirement.testable {
        Testable::History => "by what clients see",
        Testable::Status => "by one answer",
        Testable::Timing => "by a bound on time",
        Testable::Config => "on a broker configured for it",
        Testable::No => "not at all",
    };
    let id = &requirement.id;
    let mut line = |line: String| writeln!(text, "{line}").expect("a string takes all");
    line(format!("\n### <a id=\"{id}\"></a>{id} ({level})\n\n{}\n", requirement.text));
    line(format!("- Source: {}", requirement.source));
    let caps = if requirement.caps.is_empty() {
        String::new()
    } else {
        format!("; needs {}", requirement.caps.join(", "))
    };
    line(format!("- Profiles: {}{caps}", requirement.profiles.join(", ")));
    match (checks, &requirement.untested) {
        (Some(checks), _) => line(format!("- Judged {testable}: {}", checks.join(", "))),
        (None, Some(reason)) => line(format!("- Judged {testable}: {reason}")),
        (None, None) => line(format!("- Judged {testable}; by no check of the harness yet")),
    }
}
