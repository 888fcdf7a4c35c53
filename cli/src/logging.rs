//! Log lines on standard error and, if wanted, in a file that can be reopened after a rotation.

use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Write},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use petasus_broker::config::{Log, LogFormat};
use tracing_subscriber::{
    Layer, Registry, filter::Targets, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::Failure;

/// The log file.
#[derive(Clone)]
pub(crate) struct LogFile {
    path: PathBuf,
    /// Guarded because every thread logs; held for one line.
    file: Arc<Mutex<File>>,
}

/// Starts logging as configured. The file, if there is one, is for [`LogFile::reopen`].
pub(crate) fn start(log: &Log) -> Result<Option<LogFile>, Failure> {
    let levels: Targets = log.level.parse().map_err(|error| Failure::local(format!("log.level: {error}")))?;
    let file = log.path().map(|path| LogFile::open(path.to_owned())).transpose()?;
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut layers = vec![layer(log.format, io::stderr, colours)];
    if let Some(file) = &file {
        layers.push(layer(log.format, file.clone(), false));
    }
    tracing_subscriber::registry().with(layers).with(levels).init();
    Ok(file)
}

fn layer<W>(format: LogFormat, writer: W, colours: bool) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(colours);
    match format {
        LogFormat::Human => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    }
}

impl LogFile {
    fn open(path: PathBuf) -> Result<Self, Failure> {
        let file = append(&path).map_err(|error| {
            Failure::local(format!(
                "{}: the log file can not be opened: {error}; correct --log",
                path.display()
            ))
        })?;
        Ok(Self { path, file: Arc::new(Mutex::new(file)) })
    }

    /// Opens the file by its name again, which makes a new one if the old one was moved away. On an error the old
    /// one stays in use.
    pub(crate) fn reopen(&self) -> io::Result<()> {
        let file = append(&self.path)?;
        *self.lock() = file;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, File> {
        // A file is as good after a panic as before.
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn append(path: &PathBuf) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// The log file while one line is written to it.
pub(crate) struct Line<'a>(MutexGuard<'a, File>);

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self.lock())
    }
}
