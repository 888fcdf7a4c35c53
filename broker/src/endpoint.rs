//! Endpoints that an embedding program adds: paths of its own that open one of the patterns.

use http::StatusCode;
use petasus_protocol::decode_path;

use crate::dialect::{Answer, Role};

type Open = dyn Fn(&str) -> Option<Role> + Send + Sync;

/// Looked at in the order in which they were added, before the dialects.
#[derive(Default)]
pub(crate) struct Endpoints(Vec<(String, Box<Open>)>);

impl Endpoints {
    pub(crate) fn add(&mut self, prefix: String, open: impl Fn(&str) -> Option<Role> + Send + Sync + 'static) {
        self.0.push((prefix, Box::new(open)));
    }

    /// What a path opens; `None` if it is below no prefix.
    pub(crate) fn find(&self, path: &str) -> Result<Option<Role>, Answer> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let path = decode_path(path).map_err(|error| Answer::text(StatusCode::BAD_REQUEST, error))?;
        let Some((rest, open)) =
            self.0.iter().find_map(|(prefix, open)| Some((path.strip_prefix(prefix.as_str())?, open)))
        else {
            return Ok(None);
        };
        open(rest).map(Some).ok_or_else(|| Answer::text(StatusCode::NOT_FOUND, "nothing is here"))
    }
}
