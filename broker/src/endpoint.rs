//! Endpoints that an embedding program adds: paths of its own that open one of the patterns.

use http::StatusCode;
use petasus_protocol::{Topic, TopicLimits, decode_path};

use crate::dialect::{Answer, Role};

type Open = dyn Fn(&str) -> Option<Role> + Send + Sync;

/// Looked at in the order in which they were added, before the dialects.
#[derive(Default)]
pub(crate) struct Endpoints(Vec<(String, Box<Open>)>);

impl Endpoints {
    pub(crate) fn add(
        &mut self,
        prefix: String,
        open: impl Fn(&str) -> Option<Role> + Send + Sync + 'static,
    ) {
        self.0.push((prefix, Box::new(open)));
    }

    /// What a path opens; `None` if it is below no prefix. What the program makes of a client's path is held to
    /// the limits (REQ-TOP-002).
    pub(crate) fn find(&self, path: &str, limits: &TopicLimits) -> Result<Option<Role>, Answer> {
        if self.0.is_empty() {
            return Ok(None);
        }
        // What cannot be decoded is below no prefix; its dialect says what is wrong with it.
        let Ok(path) = decode_path(path) else { return Ok(None) };
        let Some((rest, open)) =
            self.0.iter().find_map(|(prefix, open)| Some((path.strip_prefix(prefix.as_str())?, open)))
        else {
            return Ok(None);
        };
        let role = open(rest).ok_or_else(|| Answer::text(StatusCode::NOT_FOUND, "nothing is here"))?;
        match Topic::parse(&role.topic(), limits) {
            Ok(_) => Ok(Some(role)),
            Err(error) => Err(Answer::text(StatusCode::BAD_REQUEST, error)),
        }
    }
}
