//! A server under callgrind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::launch::{Contender, Launched, Programs};
use crate::error::LoadError;

/// Keeps glibc from filling and copying memory by `rep stosb` and `rep movsb`, which callgrind counts once for each
/// byte: the peer, which zero-fills its read buffers, would look ten times worse than it is.
const NO_STRING_INSTRUCTIONS: &str =
    "glibc.cpu.x86_rep_stosb_threshold=0x40000000:glibc.cpu.x86_rep_movsb_threshold=0x40000000";

/// A server whose instructions are counted.
pub(crate) struct Counted {
    pub(crate) server: Launched,
    out: PathBuf,
    /// How many counts were written while the server runs.
    dumps: usize,
    /// Holds `out`; removed when dropped.
    _folder: TempDir,
}

impl Counted {
    /// Starts a server with one worker; whether it is counted `from_start`, or only where [`Self::during`] says so,
    /// which is ten times faster until then.
    pub(crate) fn start(
        programs: &Programs,
        contender: Contender,
        from_start: bool,
    ) -> Result<Self, LoadError> {
        let folder = TempDir::new()?;
        let out = folder.path().join("callgrind.out");
        let mut command = Command::new("valgrind");
        command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", out.display()));
        command.arg(format!("--instr-atstart={}", if from_start { "yes" } else { "no" }));
        command.arg(programs.program(contender)).env("GLIBC_TUNABLES", NO_STRING_INSTRUCTIONS);
        let server = programs.launch(contender, 1, false, command)?;
        Ok(Self { server, out, dumps: 0, _folder: folder })
    }

    /// Does some work; how many instructions the server has executed meanwhile.
    pub(crate) fn during(
        &mut self,
        work: impl FnOnce(&Launched) -> Result<(), LoadError>,
    ) -> Result<u64, LoadError> {
        self.command(&["instrumentation", "on"])?;
        self.command(&["zero"])?;
        work(&self.server)?;
        self.command(&["dump"])?;
        self.dumps += 1;
        let mut name = self.out.clone().into_os_string();
        name.push(format!(".{}", self.dumps));
        totals(Path::new(&name))
    }

    /// Ends the server; how many instructions it has executed.
    pub(crate) fn finish(mut self) -> Result<u64, LoadError> {
        self.server.terminate()?;
        totals(&self.out)
    }

    /// Tells callgrind something.
    fn command(&self, words: &[&str]) -> Result<(), LoadError> {
        let fail = |why| LoadError::Launch { program: "vgdb".to_owned(), why };
        let status = Command::new("vgdb")
            .arg(format!("--pid={}", self.server.pid()))
            .args(words)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(|error| fail(format!("{error}; it comes with valgrind")))?;
        if status.success() { Ok(()) } else { Err(fail(format!("{words:?} was refused"))) }
    }
}

/// The instructions in a file of callgrind's.
fn totals(file: &Path) -> Result<u64, LoadError> {
    let unreadable = |source| LoadError::Process { path: file.display().to_string(), source };
    let profile = fs::read_to_string(file).map_err(unreadable)?;
    let total = profile.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total.ok_or_else(|| unreadable(io::ErrorKind::InvalidData.into()))
}
