//! The XML of `JUnit`, as build servers read it.

use std::fmt::Write;

use super::{CheckReport, Report};
use crate::run::Verdict;

/// One suite, one case for each check.
pub fn junit(report: &Report) -> String {
    let count = |is: fn(&CheckReport) -> bool| report.checks.iter().filter(|check| is(check)).count();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let mut line = |text: String| {
        xml.push_str(&text);
        xml.push('\n');
    };
    line(format!(
        "<testsuites>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        escaped(&format!("petasus-conformance {} {}", report.target.driver, report.target.url)),
        report.checks.len(),
        count(|check| is_failure(check.verdict)),
        count(|check| check.verdict == Verdict::Inconclusive),
        count(|check| check.verdict == Verdict::Unsupported),
    ));
    for check in &report.checks {
        line(case(check));
    }
    line("</testsuite>\n</testsuites>".to_owned());
    xml
}

fn is_failure(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Fail | Verdict::Stale)
}

fn case(check: &CheckReport) -> String {
    let (family, name) = check.id.split_once('.').unwrap_or(("", &check.id));
    let seconds = check.ms as f64 / 1000.0;
    let head = format!(
        "<testcase classname=\"{}\" name=\"{}\" time=\"{seconds:.3}\"",
        escaped(family),
        escaped(name)
    );
    let reason = escaped(check.reason.as_deref().unwrap_or_default());
    let mut text = String::new();
    for finding in &check.findings {
        let (done, of) = finding.reproduced;
        write!(
            text,
            "{} ({}): {}\nscript: {}\nreproduced {done} of {of}; replay with {}\n\n",
            finding.requirement,
            finding.verdict.as_str(),
            finding.text,
            finding.script,
            finding.token
        )
        .expect("a string takes all");
    }
    let ids: Vec<&str> = check.findings.iter().map(|finding| finding.requirement.as_str()).collect();
    let (ids, text) = (escaped(&ids.join(" ")), escaped(&text));
    match check.verdict {
        Verdict::Unsupported => format!("{head}><skipped message=\"{reason}\"/></testcase>"),
        Verdict::Inconclusive => format!("{head}><error message=\"{reason}{ids}\">{text}</error></testcase>"),
        verdict if is_failure(verdict) => {
            format!("{head}><failure message=\"{reason}{ids}\">{text}</failure></testcase>")
        }
        _ if !text.is_empty() => format!("{head}><system-out>{text}</system-out></testcase>"),
        _ => format!("{head}/>"),
    }
}

/// For XML 1.0, which cannot hold most control characters at all.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(letter),
            _ if letter.is_control() || "\u{fffe}\u{ffff}".contains(letter) => escaped.push('\u{fffd}'),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(escaped("<a & \"b\">\0\u{ffff}é\n"), "&lt;a &amp; &quot;b&quot;&gt;\u{fffd}\u{fffd}é\n");
    }
}
