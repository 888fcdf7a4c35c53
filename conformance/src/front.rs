//! The harness under `cargo test`: each check is a trial, which is passed over with a reason where it makes no sense.

/// The whole `tests/conformance.rs` of a broker's own package, with `harness = false` in its `Cargo.toml`:
///
/// ```no_run
/// petasus_conformance::suite! {
///     driver = "mercury",
///     command = "target/debug/my-broker --listen {addr}",
///     without = "payload.binary",
///     expectations = "conformance-expectations.toml",
/// }
/// ```
///
/// Each line is a function of [`Suite`](crate::front::Suite): `launch = my_broker::start` in place of `command` starts it
/// in this process. `conformance.toml` in the folder of the package goes before this, and the environment before that.
#[macro_export]
macro_rules! suite {
    ($($key:ident = $value:expr),* $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            $crate::front::Suite::new(env!("CARGO_MANIFEST_DIR"))$(.$key($value))*.main()
        }
    };
}

use std::any::Any;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::driver::Target;
use crate::launch::{LaunchCommand, Launched, Ready};
use crate::report::Report;
use crate::run::{Expectations, Pace, Verdict};
use crate::settings::{self, Settings, SettingsError, Setup};
use crate::{Requirements, report};
use crate::{check, command};

/// What a package holds against the list of requirements: [`suite!`](crate::suite) makes one, and runs it.
pub struct Suite {
    settings: Settings,
    /// Where `conformance.toml` is looked for.
    folder: PathBuf,
    start: Option<Start>,
}

/// Starts a broker. What it lives in is kept until the end.
type Start = Box<dyn FnOnce() -> Result<(String, Box<dyn Any>), String>>;

/// All that trials share.
struct Stage {
    setup: Setup,
    target: Target,
    url: String,
    pace: Pace,
    list: Requirements,
    report: Mutex<Report>,
}

impl Suite {
    /// One for the package in this folder, without settings: our own broker is launched.
    pub fn new(folder: &str) -> Self {
        Self { settings: Settings::default(), folder: folder.into(), start: None }
    }

    /// The dialect: `mercury`.
    #[must_use]
    pub fn driver(mut self, name: &str) -> Self {
        self.settings.driver = Some(name.to_owned());
        self
    }

    /// The command of the adapter for the driver `exec`.
    ///
    /// # Panics
    /// It has no word, or a quote is not closed.
    #[must_use]
    pub fn adapter(mut self, line: &str) -> Self {
        self.settings.command = self.words(line);
        self
    }

    /// A broker that runs already: `ws://HOST:PORT`.
    #[must_use]
    pub fn url(mut self, url: &str) -> Self {
        self.settings.url = Some(url.to_owned());
        self
    }

    /// The command that starts the broker, with `{addr}` or `{port}` where its address goes. A program with a slash in
    /// its name lies in the folder of the package.
    ///
    /// # Panics
    /// It has no word, or a quote is not closed.
    #[must_use]
    pub fn command(mut self, line: &str) -> Self {
        let command = self.words(line);
        let ready = Ready::Tcp;
        self.settings.launch = Some(LaunchCommand { command, ready, template: None });
        self
    }

    /// Starts the broker with a function, which gives its address, and something that ends it when it is dropped.
    #[must_use]
    pub fn launch<B: Any, E: std::fmt::Display>(
        mut self,
        start: impl FnOnce() -> Result<(String, B), E> + 'static,
    ) -> Self {
        self.start = Some(Box::new(move || match start() {
            Ok((url, broker)) => Ok((url, Box::new(broker))),
            Err(error) => Err(error.to_string()),
        }));
        self
    }

    /// The realm that is joined, in dialects that have such.
    #[must_use]
    pub fn realm(mut self, name: &str) -> Self {
        self.settings.realm = Some(name.to_owned());
        self
    }

    /// By what to judge it: names of profiles, with blanks between them.
    #[must_use]
    pub fn profile(mut self, names: &str) -> Self {
        self.settings.profiles = split(names);
        self
    }

    /// What it has beyond its dialect: names of capabilities.
    #[must_use]
    pub fn with(mut self, names: &str) -> Self {
        self.settings.with = split(names);
        self
    }

    /// What it lacks.
    #[must_use]
    pub fn without(mut self, names: &str) -> Self {
        self.settings.without = split(names);
        self
    }

    /// The longest message, in bytes.
    #[must_use]
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.settings.max_message = Some(bytes);
        self
    }

    /// `quick`, `default` or `soak`.
    #[must_use]
    pub fn budget(mut self, name: &str) -> Self {
        self.settings.budget = Some(name.to_owned());
        self
    }

    /// The file of expected failures, in the folder of the package.
    #[must_use]
    pub fn expectations(mut self, file: &str) -> Self {
        self.settings.expectations = Some(self.folder.join(file));
        self
    }

    /// Runs the checks as tests, with the arguments of the program. The exit status is 0 or 1; 2 if the settings are
    /// wrong, 3 if it could not be found out, and 4 if every trial is passed over.
    pub fn main(self) -> ExitCode {
        self.run(&Arguments::from_args())
    }

    /// The same with these arguments.
    pub fn run(self, arguments: &Arguments) -> ExitCode {
        if arguments.list {
            let trials = check::all().into_iter().map(|check| Trial::test(check.card().name, || Ok(())));
            return libtest_mimic::run(arguments, trials.collect()).exit_code();
        }
        let told = |(status, problem): (u8, String)| {
            eprintln!("conformance: {problem}");
            ExitCode::from(status)
        };
        match self.prepare() {
            Ok((_broker, stage)) => conclude(arguments, stage),
            Err(problem) => told(problem),
        }
    }

    fn words(&self, line: &str) -> Vec<String> {
        let words = command::words(line).expect("a command has a word, and its quotes are closed");
        settings::placed(words, &self.folder)
    }

    /// The broker, and all that trials need; or the exit status, and why.
    fn prepare(self) -> Result<(Box<dyn Any>, Stage), (u8, String)> {
        let wrong = |error: SettingsError| (2, error.to_string());
        let config = std::env::var_os("CONFORMANCE_CONFIG").map(PathBuf::from);
        let file = Settings::from_file(config.as_deref(), &self.folder).map_err(wrong)?;
        let above = Settings::from_env().map_err(wrong)?.over(file);
        // A function of the package stands at the bottom, as everything that the package says itself.
        let is_placed = above.url.is_some() || above.launch.is_some();
        let mut setup = above.over(self.settings).parse().map_err(wrong)?;
        let (url, broker): (String, Box<dyn Any>) = match (self.start, setup.place().map_err(wrong)?) {
            (Some(start), _) if !is_placed => start().map_err(|problem| (3, problem))?,
            (_, Some((url, launched))) => (url, Box::new(launched)),
            (_, None) => {
                let launched = Launched::petasus().map_err(|error| (3, error.to_string()))?;
                let command = crate::launch::petasus().map_err(|error| (3, error.to_string()))?;
                setup.launcher = Some(Arc::new(command));
                (launched.url.clone(), Box::new(launched))
            }
        };
        let target = setup.target(&url).map_err(|error| (2, error.to_string()))?;
        let pace = run(Pace::measure(&*setup.driver, &target, setup.patterns()));
        let pace = pace.map_err(|error| (3, error.to_string()))?;
        let list = Requirements::built_in();
        let mut report = Report::begin(&setup.session(&target, &list, Some(&pace)), &url, Some(&pace));
        report.implementation = setup.implementation().cloned();
        Ok((broker, Stage { setup, target, url, pace, list, report: Mutex::new(report) }))
    }
}

fn split(names: &str) -> Vec<String> {
    names.split_whitespace().map(str::to_owned).collect()
}

/// Runs the checks as tests, against the broker that the environment names, or else against our own, which is launched.
pub fn main(arguments: &Arguments) -> ExitCode {
    Suite::new(env!("CARGO_MANIFEST_DIR")).run(arguments)
}

fn conclude(arguments: &Arguments, stage: Stage) -> ExitCode {
    println!("target: {}, seed {}", stage.url, stage.setup.seed);
    let stage = Arc::new(stage);
    let trials = (0..check::all().len()).map(|index| trial(index, &stage)).collect();
    let conclusion = libtest_mimic::run(arguments, trials);
    let mut report = stage.report.lock().unwrap_or_else(PoisonError::into_inner);
    report.finish(&stage.setup.expectations, conclusion.num_filtered_out == 0);
    report.stale.iter().for_each(|stale| println!("out of date: {stale}"));
    keep(&report);
    // Nothing was asked for, as by a filter that fits none of these.
    if report.checks.is_empty() && conclusion.num_filtered_out > 0 {
        return ExitCode::SUCCESS;
    }
    ExitCode::from(report.exit_status(stage.setup.level()))
}

/// One check. It finds its own by number: checks do not move between threads.
fn trial(index: usize, stage: &Arc<Stage>) -> Trial {
    let check = check::all().swap_remove(index);
    let name = check.card().name;
    let stage = Arc::clone(stage);
    Trial::ignorable_test(name, move || {
        let session = stage.setup.session(&stage.target, &stage.list, Some(&stage.pace));
        let result = run(session.graded(&*check, &stage.setup.expectations));
        let mut report = stage.report.lock().unwrap_or_else(PoisonError::into_inner);
        report.add(&session, &result);
        let told = report.checks.last().map(told).unwrap_or_default();
        match result.verdict {
            Verdict::Unsupported => Ok(Completion::ignored_with(result.reason.unwrap_or_default())),
            Verdict::Fail | Verdict::Stale | Verdict::Inconclusive => Err(Failed::from(told)),
            _ => Ok(Completion::Completed),
        }
    })
}

/// What a person needs to know of a check that is not clean.
pub fn told(check: &report::CheckReport) -> String {
    let mut lines = vec![format!("{}: {}", check.id, check.verdict.as_str())];
    lines.extend(check.reason.clone());
    for finding in &check.findings {
        let (done, of) = finding.reproduced;
        lines.push(format!(
            "{} ({}, {}): {}",
            finding.requirement,
            finding.level,
            finding.verdict.as_str(),
            finding.text
        ));
        lines.push(format!("  script: {}", finding.script));
        lines.push(format!("  case {}, reproduced {done} of {of}", finding.case));
        lines.push(format!("  replay: petasus-conformance replay {} --url ...", finding.token));
        if !matches!(finding.verdict, Verdict::Known | Verdict::Info) {
            lines.push("  if that is expected, give a reason in the file of expectations:".to_owned());
            let entry = Expectations::entry(&finding.requirement, &check.id, "");
            lines.extend(entry.lines().map(|line| format!("    {line}")));
        }
    }
    lines.join("\n")
}

/// Keeps the report beside the tests, if that is possible.
fn keep(report: &Report) {
    let Some(folder) =
        std::env::current_exe().ok().and_then(|this| Some(this.parent()?.parent()?.join("conformance")))
    else {
        return;
    };
    let written = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(folder.join("report.json"), report.json()))
        .and_then(|()| std::fs::write(folder.join("junit.xml"), report::junit(report)));
    match written {
        Ok(()) => println!("report: {}", folder.join("report.json").display()),
        Err(error) => eprintln!("conformance: no report in {}: {error}", folder.display()),
    }
}

/// Runs something to its end on this thread.
///
/// # Panics
/// The system gives out no run time, for want of files or memory.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the system gives out a run time")
        .block_on(work)
}
