//! The measured server, seen from outside: its processor time and memory as `/proc` tells them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::error::LoadError;

/// A process on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    root: PathBuf,
}

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Memory {
    /// All resident pages, with those of the program file.
    pub(crate) resident: u64,
    /// Heap and stacks only.
    pub(crate) anonymous: u64,
}

impl Server {
    /// The process `pid`.
    pub(crate) fn of_pid(pid: u32) -> Result<Self, LoadError> {
        let server = Self { root: PathBuf::from(format!("/proc/{pid}")) };
        server.processor_time()?;
        Ok(server)
    }

    /// The process of this user that listens on TCP port `port`.
    pub(crate) fn listening_on(port: u16) -> Result<Self, LoadError> {
        let inodes: Vec<u64> = ["/proc/net/tcp", "/proc/net/tcp6"]
            .iter()
            .filter_map(|table| fs::read_to_string(table).ok())
            .flat_map(|table| listening_inodes(&table, port))
            .collect();
        for process in entries(Path::new("/proc")) {
            let pid = process.file_name().and_then(|name| name.to_str()?.parse().ok());
            if let Some(pid) = pid
                && entries(&process.join("fd")).any(|file| is_socket_of(&file, &inodes))
            {
                return Self::of_pid(pid);
            }
        }
        Err(LoadError::NoListener(port))
    }

    /// Time on a processor so far, of all threads that live, to the nanosecond (`schedstat`). What the kernel does
    /// in a thread's name counts: a loopback send includes the receiver's half of the network stack.
    pub(crate) fn processor_time(&self) -> Result<Duration, LoadError> {
        let tasks = self.root.join("task");
        let mut nanoseconds = 0;
        for task in fs::read_dir(&tasks).map_err(|source| unreadable(&tasks, source))? {
            let path = task?.path().join("schedstat");
            // A thread may end between the listing and the reading.
            let Ok(text) = fs::read_to_string(&path) else { continue };
            nanoseconds += text.split(' ').next().and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Memory now.
    pub(crate) fn memory(&self) -> Result<Memory, LoadError> {
        let path = self.root.join("smaps_rollup");
        let text = fs::read_to_string(&path).map_err(|source| unreadable(&path, source))?;
        let field = |name| kilobytes(&text, name).map(|kilobytes| kilobytes * 1024);
        match (field("Rss:"), field("Anonymous:")) {
            (Some(resident), Some(anonymous)) => Ok(Memory { resident, anonymous }),
            _ => Err(unreadable(&path, io::ErrorKind::InvalidData.into())),
        }
    }
}

/// Time this process has spent on a processor: high beside the server's, it says that the generator was the limit.
pub(crate) fn own_processor_time() -> Result<Duration, LoadError> {
    Server { root: PathBuf::from("/proc/self") }.processor_time()
}

fn unreadable(path: &Path, source: io::Error) -> LoadError {
    LoadError::Process { path: path.display().to_string(), source }
}

/// The paths in a folder; none when it cannot be read.
fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn is_socket_of(file: &Path, inodes: &[u64]) -> bool {
    let Ok(link) = fs::read_link(file) else { return false };
    let inode = link.to_str().and_then(|link| link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
    inode.is_some_and(|inode: u64| inodes.contains(&inode))
}

/// Inodes of the sockets in `table` (the form of `/proc/net/tcp`) that listen on `port`.
fn listening_inodes(table: &str, port: u16) -> Vec<u64> {
    const LISTEN: &str = "0A";
    let listening = |line: &str| {
        let mut fields = line.split_whitespace();
        let local = fields.nth(1)?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?.parse().ok()?;
        let (_, local_port) = local.rsplit_once(':')?;
        (state == LISTEN && u16::from_str_radix(local_port, 16) == Ok(port)).then_some(inode)
    };
    table.lines().filter_map(listening).collect()
}

fn kilobytes(rollup: &str, name: &str) -> Option<u64> {
    rollup.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix("kB")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_process_that_listens_on_a_port_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // A connection to the port does not make its owner the listener.
        let _client = TcpStream::connect(address).unwrap();
        let server = Server::listening_on(address.port()).unwrap();
        assert_eq!(server.root, PathBuf::from(format!("/proc/{}", std::process::id())));
        drop(listener);
        assert!(matches!(Server::listening_on(address.port()), Err(LoadError::NoListener(_))));
    }

    #[test]
    fn work_costs_processor_time() {
        let server = Server::of_pid(std::process::id()).unwrap();
        let before = server.processor_time().unwrap();
        // Each round is far more than a microsecond of work; ten thousand of them cannot be less than 5 ms.
        let counted = (0_u64..10_000).any(|round| {
            std::hint::black_box((0..10_000).fold(round, u64::wrapping_add));
            server.processor_time().unwrap() >= before + Duration::from_millis(5)
        });
        assert!(counted);
    }

    #[test]
    fn memory_that_is_touched_becomes_resident() {
        let server = Server::of_pid(std::process::id()).unwrap();
        let before = server.memory().unwrap();
        let block = std::hint::black_box(vec![1_u8; 64 << 20]);
        let after = server.memory().unwrap();
        assert!(after.anonymous >= before.anonymous + (32 << 20), "{before:?} {after:?}");
        assert!(after.resident >= after.anonymous);
        drop(block);
    }
}
