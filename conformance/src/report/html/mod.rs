//! One page that needs nothing else: checks by targets, requirements by targets, and for each finding the clause, the
//! minimal script as a sequence chart, what went over the wire, and the replay token.

use std::fmt::Write;

use super::{CheckReport, FindingReport, Report};
use crate::run::Verdict;
use crate::{Requirement, Requirements};

mod chart;
mod text;

use text::{escaped, mark, name};

const STYLE: &str = include_str!("style.css");

/// The page of one report, or of several with a column for each.
pub fn html(reports: &[Report]) -> String {
    let mut page = Page { out: String::new(), list: Requirements::built_in() };
    let title = match reports {
        [one] => format!("Conformance of {}", name(one)),
        all => format!("Conformance of {} brokers", all.len()),
    };
    page.line(&format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
         <main>\n<h1>{title}</h1>",
        title = escaped(&title)
    ));
    page.line("<div class=\"targets\">");
    for report in reports {
        page.target(report);
    }
    page.line("</div>");
    page.checks(reports);
    page.requirements(reports);
    for (number, report) in reports.iter().enumerate() {
        page.findings(report, number, reports.len() > 1);
    }
    page.line("</main>\n</html>");
    page.out
}

struct Page {
    out: String,
    list: Requirements,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// What one broker is, and how it did.
    fn target(&mut self, report: &Report) {
        let target = &report.target;
        self.line(&format!("<section class=\"target\"><h2>{}</h2>", escaped(&name(report))));
        if let Some(problem) = &report.problem {
            self.line(&format!("<p class=\"fail\">{}</p>", escaped(problem)));
        }
        let mut tally = String::new();
        for verdict in ALL {
            let count = report.checks.iter().filter(|check| check.verdict == verdict).count();
            if count > 0 {
                let word = verdict.as_str();
                write!(tally, "<span class=\"chip {word}\">{} {count} {word}</span> ", mark(verdict))
                    .expect("a string takes all");
            }
        }
        self.line(&format!("<p>{tally}</p>"));
        let cases: u64 = report.checks.iter().map(|check| u64::from(check.cases)).sum();
        let seconds = report.checks.iter().map(|check| check.ms).sum::<u64>() as f64 / 1000.0;
        self.line(&format!(
            "<p class=\"quiet\">{} over {}, profiles {}; {cases} cases in {seconds:.1} s, seed {}</p>",
            escaped(&target.driver),
            escaped(&target.url),
            escaped(&target.profiles.join(", ")),
            report.seed
        ));
        for stale in &report.stale {
            self.line(&format!("<p class=\"stale\">Out of date: {}</p>", escaped(stale)));
        }
        self.line("</section>");
    }

    /// A table: a row for each check, a column for each target.
    fn checks(&mut self, reports: &[Report]) {
        let mut ids: Vec<(&str, &str)> = Vec::new();
        for check in reports.iter().flat_map(|report| &report.checks) {
            if !ids.iter().any(|(id, _)| *id == check.id) {
                ids.push((&check.id, &check.about));
            }
        }
        self.line("<h2>Checks</h2>");
        self.head(reports, "check");
        let mut family = "";
        for (id, about) in ids {
            let (of, short) = id.split_once('.').unwrap_or((id, id));
            if of != family {
                family = of;
                let span = reports.len() + 1;
                self.line(&format!("<tr class=\"family\"><th colspan=\"{span}\">{}</th></tr>", escaped(of)));
            }
            let mut row =
                format!("<tr><th scope=\"row\">{}<small>{}</small></th>", escaped(short), escaped(about));
            for (number, report) in reports.iter().enumerate() {
                row.push_str(&cell(report.checks.iter().find(|check| check.id == id), number));
            }
            self.line(&(row + "</tr>"));
        }
        self.line("</tbody></table></div>");
    }

    /// A table: a row for each requirement that was judged somewhere.
    fn requirements(&mut self, reports: &[Report]) {
        let rows: Vec<Requirement> = self
            .list
            .iter()
            .filter(|requirement| {
                reports.iter().any(|report| report.requirements.contains_key(requirement.id.as_str()))
            })
            .cloned()
            .collect();
        self.line("<details><summary><h2>Requirements</h2></summary>");
        self.head(reports, "requirement");
        for requirement in rows {
            let mut row = format!(
                "<tr><th scope=\"row\">{} <span class=\"quiet\">{}</span><small>{}</small></th>",
                requirement.id,
                text::level(requirement.level),
                escaped(&requirement.text)
            );
            for report in reports {
                let verdict = report.requirements.get(requirement.id.as_str());
                let (word, mark) = verdict.map_or(("", ""), |verdict| (verdict.as_str(), mark(*verdict)));
                write!(row, "<td class=\"{word}\" title=\"{word}\">{mark}</td>").expect("a string takes all");
            }
            self.line(&(row + "</tr>"));
        }
        self.line("</tbody></table></div></details>");
    }

    fn head(&mut self, reports: &[Report], what: &str) {
        let mut head = format!("<div class=\"wide\"><table><thead><tr><th>{what}</th>");
        for report in reports {
            let name = if reports.len() > 1 { name(report) } else { "verdict".to_owned() };
            write!(head, "<th>{}</th>", escaped(&name)).expect("a string takes all");
        }
        self.line(&(head + "</tr></thead><tbody>"));
    }

    /// All that was found at one target.
    fn findings(&mut self, report: &Report, number: usize, is_one_of_many: bool) {
        let found: Vec<&CheckReport> = report
            .checks
            .iter()
            .filter(|check| !check.findings.is_empty() || check.verdict == Verdict::Inconclusive)
            .collect();
        let whose = if is_one_of_many { format!(": {}", escaped(&name(report))) } else { String::new() };
        self.line(&format!("<h2>Findings{whose}</h2>"));
        if found.is_empty() {
            self.line("<p>None.</p>");
        }
        for check in found {
            self.line(&format!("<section class=\"found\" id=\"t{number}-{}\">", escaped(&check.id)));
            self.line(&format!("<h3>{} {}</h3>", chip(check.verdict), escaped(&check.id)));
            self.line(&format!("<p class=\"quiet\">{}</p>", escaped(&check.about)));
            if let Some(reason) = &check.reason {
                self.line(&format!("<p>{}</p>", escaped(reason)));
            }
            for finding in &check.findings {
                self.finding(finding);
            }
            self.line("</section>");
        }
    }

    fn finding(&mut self, finding: &FindingReport) {
        let (done, of) = finding.reproduced;
        self.line(&format!(
            "<article><h4>{} {} <span class=\"quiet\">{}</span></h4>",
            chip(finding.verdict),
            finding.requirement,
            finding.level
        ));
        if let Some(requirement) = self.list.get(&finding.requirement).cloned() {
            self.line(&format!(
                "<blockquote>{}<small>{}</small></blockquote>",
                escaped(&requirement.text),
                escaped(&requirement.source)
            ));
        }
        self.line(&format!("<p class=\"seen\">{}</p>", escaped(&finding.text)));
        self.line(&format!(
            "<p class=\"quiet\">Found in case {}; the script below broke it again {done} of {of} times.</p>",
            finding.case
        ));
        self.line(&format!("<pre class=\"script\">{}</pre>", escaped(&finding.script.to_string())));
        self.line(&format!("<div class=\"wide\">{}</div>", chart::svg(&finding.history)));
        self.line("<details><summary>What happened, event by event</summary><pre>");
        for event in &finding.history {
            self.line(&escaped(&text::event(event)));
        }
        self.line("</pre></details>");
        self.line(&format!(
            "<p>Again: <code class=\"token\">petasus-conformance replay {} --url ...</code></p></article>",
            escaped(&finding.token)
        ));
    }
}

/// In the order in which counts are told.
const ALL: [Verdict; 8] = [
    Verdict::Pass,
    Verdict::Fail,
    Verdict::Stale,
    Verdict::NonStrict,
    Verdict::Known,
    Verdict::Info,
    Verdict::Inconclusive,
    Verdict::Unsupported,
];

fn chip(verdict: Verdict) -> String {
    let word = verdict.as_str();
    format!("<span class=\"chip {word}\">{} {word}</span>", mark(verdict))
}

/// The verdict of a check at a target, with a link to what was found.
fn cell(check: Option<&CheckReport>, number: usize) -> String {
    let Some(check) = check else { return "<td></td>".to_owned() };
    let (word, mark) = (check.verdict.as_str(), mark(check.verdict));
    let is_told = !check.findings.is_empty() || check.verdict == Verdict::Inconclusive;
    let mark = if is_told {
        format!("<a href=\"#t{number}-{}\">{mark}</a>", escaped(&check.id))
    } else {
        mark.to_owned()
    };
    let why = check.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("<td class=\"{word}\" title=\"{}\">{mark}</td>", escaped(&format!("{word}{why}")))
}
