//! The table of `top`.

use std::fmt::Write;

use super::Rates;
use super::look::{Counts, Look};
use crate::client::clock;

/// Topics that are listed.
const TOPICS: usize = 15;

/// A look as text, without a newline at its end.
pub(super) fn draw(title: &str, look: &Look, rates: Option<&Rates>) -> String {
    let mut text = format!("{title}  {}\n\n", clock::now());
    row(&mut text, "sessions", look.sessions.as_ref().map(|count| (*count, roles(look))), rates, 0);
    let subscriptions = look.subscriptions.as_ref().map(|counts| (counts.all() as u64, kinds(counts)));
    row(&mut text, "subscriptions", subscriptions, rates, 2);
    let registrations = look.registrations.as_ref().map(|counts| (counts.all() as u64, kinds(counts)));
    row(&mut text, "registrations", registrations, rates, 4);
    if let Ok(topics) = &look.topics
        && !topics.is_empty()
    {
        let _ = write!(text, "\n{:>12}  topic\n", "subscribers");
        for (topic, subscribers) in topics.iter().take(TOPICS) {
            let _ = writeln!(text, "{subscribers:>12}  {topic}");
        }
        if topics.len() > TOPICS {
            let _ = writeln!(text, "{:>12}  and {} more", "", topics.len() - TOPICS);
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// One line: how many there are, how many come and go, and of which kinds. `first`: the first of its two rates.
fn row(
    text: &mut String,
    name: &str,
    found: Result<(u64, String), &String>,
    rates: Option<&Rates>,
    first: usize,
) {
    match found {
        Ok((count, kinds)) => {
            let _ = write!(text, "{name:<14}{count:>8}");
            if let Some(rates) = rates {
                let _ = write!(text, "  {:>9} {:>9}", rate('+', rates[first]), rate('-', rates[first + 1]));
            }
            let _ = writeln!(text, "  {kinds}");
        }
        // It begins with `refused`, and names what for.
        Err(reason) => {
            let _ = writeln!(text, "{name:<14}       -  {reason}");
        }
    }
}

fn rate(sign: char, rate: Option<f64>) -> String {
    rate.map_or_else(|| format!("{sign}?/s"), |rate| format!("{sign}{rate:.1}/s"))
}

fn roles(look: &Look) -> String {
    match &look.roles {
        Ok(roles) => {
            let roles: Vec<String> = roles.iter().map(|(role, count)| format!("{role} {count}")).collect();
            format!("by role: {}", roles.join(", "))
        }
        Err(reason) => format!("roles {reason}"),
    }
}

fn kinds(counts: &Counts) -> String {
    format!("exact {}, prefix {}, wildcard {}", counts.exact, counts.prefix, counts.wildcard)
}
