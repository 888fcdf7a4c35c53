//! The access file in use, which may be read again while sessions ask it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

use super::{Access, AccessError};
use crate::auth::Denied;
use crate::auth::challenge::{Greeting, Opening, Refused};
use crate::auth::question::Question;
use crate::auth::rules::Disclose;
use crate::dialect::Role;

/// The access file of a broker.
#[derive(Debug)]
pub(crate) struct SharedAccess {
    /// Empty: there is no file.
    path: String,
    current: RwLock<Arc<Access>>,
    /// Whether the current one allows everything: then nothing else is looked at.
    allows_all: AtomicBool,
}

impl SharedAccess {
    /// Reads the file; an empty path is none.
    pub(crate) fn open(path: &str) -> Result<Self, AccessError> {
        let access = if path.is_empty() { Access::default() } else { read(path)? };
        let allows_all = AtomicBool::new(access.allows_all());
        Ok(Self { path: path.to_owned(), current: RwLock::new(Arc::new(access)), allows_all })
    }

    /// Reads the file again. A wrong one changes nothing. Sessions keep the roles they have; the new rules apply to
    /// what they do from now on.
    pub(crate) fn reload(&self) -> Result<(), AccessError> {
        if self.path.is_empty() {
            return Ok(());
        }
        let access = read(&self.path)?;
        let mut current = self.current.write();
        self.allows_all.store(access.allows_all(), Ordering::Relaxed);
        *current = Arc::new(access);
        Ok(())
    }

    /// What is in use now.
    pub(crate) fn current(&self) -> Arc<Access> {
        self.current.read().clone()
    }

    /// See [`Access::begin`].
    pub(crate) fn begin(&self, greeting: &Greeting<'_>) -> Result<Opening, Refused> {
        self.current().begin(greeting)
    }

    /// Whether there are rules: without any, everything is allowed.
    pub(crate) fn has_rules(&self) -> bool {
        !self.allows_all.load(Ordering::Relaxed)
    }

    /// See [`Access::may`].
    pub(crate) fn may(&self, question: &Question<'_>, realm: &str) -> Result<(), Denied> {
        if self.allows_all.load(Ordering::Relaxed) { Ok(()) } else { self.current().may(question, realm) }
    }

    /// Whether others learn who does what is allowed, if the client wants that or not.
    pub(crate) fn discloses(&self, question: &Question<'_>, realm: &str, wanted: bool) -> bool {
        if self.allows_all.load(Ordering::Relaxed) {
            return wanted;
        }
        match self.current().disclose(question, realm) {
            Disclose::Client => wanted,
            Disclose::Always => true,
            Disclose::Never => false,
        }
    }

    /// See [`Access::may_role`].
    pub(crate) fn may_role(&self, role: &Role) -> Result<(), Denied> {
        self.current().may_role(role)
    }

    /// See [`Access::may_post`].
    pub(crate) fn may_post(&self, role: &Role) -> Result<(), Denied> {
        self.current().may_post(role)
    }

    /// See [`Access::authorizer`].
    pub(crate) fn authorizer(&self) -> Option<String> {
        let open = self.allows_all.load(Ordering::Relaxed);
        if open { None } else { self.current().authorizer().map(str::to_owned) }
    }
}

/// Checks an access file without using it.
pub fn check_access(path: impl AsRef<Path>) -> Result<(), AccessError> {
    read(&path.as_ref().display().to_string()).map(drop)
}

fn read(path: &str) -> Result<Access, AccessError> {
    let unreadable =
        |error: std::io::Error| AccessError::Unreadable { name: path.to_owned(), reason: error.to_string() };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    Access::parse(path, &text)
}
