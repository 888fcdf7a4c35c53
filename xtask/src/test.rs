//! `cargo xtask test`: runs the steps one after the other, goes on after a failure, and sums up.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use crate::report::{Row, summary};
use crate::steps::{ALL, Step};

/// What the command line asks for.
#[derive(Debug, PartialEq)]
struct Plan {
    /// Long soaks, too.
    full: bool,
    /// The steps to run, in their order.
    steps: Vec<&'static str>,
}

/// Runs the steps that `arguments` name.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let plan = match plan(arguments) {
        Ok(plan) => plan,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            return ExitCode::from(2);
        }
    };
    let start = Instant::now();
    let mut rows = Vec::new();
    let chosen: Vec<&Step> = ALL.iter().filter(|step| plan.steps.contains(&step.name)).collect();
    for (number, step) in chosen.iter().enumerate() {
        let at = start.elapsed().as_secs();
        println!(
            "\n==> [{}/{}] {}: {} (at {}:{:02})",
            number + 1,
            chosen.len(),
            step.name,
            step.about,
            at / 60,
            at % 60
        );
        let begin = Instant::now();
        let outcome = (step.run)(plan.full);
        for skip in &outcome.skips {
            println!("SKIPPED {}: {skip}", step.name);
        }
        if let Some(why) = &outcome.failure {
            println!("FAILED {}: {why}", step.name);
        }
        rows.push(Row { step: step.name, outcome, time: begin.elapsed() });
    }
    print!("\n==> all steps\n{}", summary(&rows, plan.full));
    let failed = rows.iter().any(|row| row.outcome.failure.is_some());
    ExitCode::from(u8::from(failed))
}

/// The steps with a line each, for the help text.
pub(crate) fn list_of_steps() -> String {
    let mut text = String::new();
    for step in ALL {
        let when = if step.only_full { " (only with --full, or by name)" } else { "" };
        let _ = writeln!(text, "  {:<10} {}{when}", step.name, step.about);
    }
    text
}

fn plan(arguments: &[String]) -> Result<Plan, String> {
    let full = arguments.iter().any(|argument| argument == "--full");
    let named: Vec<&String> = arguments.iter().filter(|argument| *argument != "--full").collect();
    if let Some(unknown) = named.iter().find(|name| ALL.iter().all(|step| step.name != name.as_str())) {
        return Err(format!("there is no step `{unknown}`; the steps are:\n{}", list_of_steps()));
    }
    let wanted = |step: &Step| {
        let by_name = named.iter().any(|name| step.name == name.as_str());
        by_name || (named.is_empty() && (full || !step.only_full))
    };
    Ok(Plan { full, steps: ALL.iter().filter(|step| wanted(step)).map(|step| step.name).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(arguments: &[&str]) -> Result<Plan, String> {
        plan(&arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn soaks_run_only_when_asked_for() {
        assert!(!plan_of(&[]).unwrap().steps.contains(&"soak"));
        assert!(plan_of(&["--full"]).unwrap().steps.contains(&"soak"));
        assert_eq!(plan_of(&["soak"]).unwrap().steps, ["soak"]);
    }

    #[test]
    fn named_steps_run_in_the_order_of_the_list() {
        let plan = plan_of(&["unit", "fmt", "--full"]).unwrap();
        assert_eq!(plan, Plan { full: true, steps: vec!["fmt", "unit"] });
    }

    #[test]
    fn an_unknown_step_is_named_and_the_known_ones_are_listed() {
        let problem = plan_of(&["units"]).unwrap_err();
        assert!(problem.contains("`units`") && problem.contains("autobahn"), "{problem}");
    }
}
