//! What operators look at: health, readiness, metrics, and Pinghub's munin lines.

mod metrics;
mod munin;

pub(crate) use metrics::{Live, Metrics};
pub(crate) use munin::{BEAT, Rates};

use http::{Method, StatusCode};

use crate::core::Core;
use crate::dialect::Answer;

/// Answers a request to the admin listener.
pub(crate) fn answer(core: &Core, method: &Method, path: &str) -> Answer {
    if !matches!(path, "/healthz" | "/readyz" | "/metrics") {
        return Answer::text(StatusCode::NOT_FOUND, "nothing is here: use /healthz, /readyz or /metrics");
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Answer::wrong_method("read this with GET", "GET, HEAD");
    }
    match path {
        "/healthz" => Answer::text(StatusCode::OK, "ok"),
        "/readyz" if core.is_draining() => {
            Answer::text(StatusCode::SERVICE_UNAVAILABLE, "shutting down: no new connections are taken")
        }
        "/readyz" => Answer::text(StatusCode::OK, "ready"),
        _ => Answer::asset(
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            core.metrics.text(&core.live()).into_bytes(),
        ),
    }
}
