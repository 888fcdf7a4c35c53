//! The example page of development mode.

use http::header;

use crate::dialect::Answer;

const CSP: &str =
    "default-src 'self'; connect-src *; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

macro_rules! assets {
    ($($name:literal)*) => {
        /// The page's own files, by their names below `/example/`.
        const ASSETS: &[(&str, &str)] =
            &[$((concat!("/example/", $name), include_str!(concat!("../../assets/example/", $name)))),*];
    };
}

assets! {
    "style.css" "example.js" "address.js" "announcer.js" "closing.js" "log.js" "peer.js" "post.js"
    "rates.js" "sender.js" "theme.js" "wire.js"
}

/// The answer to a GET of a path, if the page has something there.
pub(super) fn answer(path: &str) -> Option<Answer> {
    let (content_type, body) = match path {
        "/" => ("text/html; charset=utf-8", include_str!("../../assets/example/index.html")),
        "/favicon.svg" => ("image/svg+xml", include_str!("../../assets/example/icon.svg")),
        _ => {
            let (name, body) = ASSETS.iter().find(|(name, _)| *name == path)?;
            (
                if name.contains(".js") {
                    "text/javascript; charset=utf-8"
                } else {
                    "text/css; charset=utf-8"
                },
                *body,
            )
        }
    };
    Some(Answer::asset(content_type, body.as_bytes()).with(header::CONTENT_SECURITY_POLICY, CSP))
}
