//! The example page of development mode.

use http::{StatusCode, header};

use crate::dialect::Answer;

const CSP: &str =
    "default-src 'self'; connect-src *; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

/// The page that tries the package may compile WebAssembly, too.
const PACKAGE_CSP: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src *; \
    img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Where the package `petasus` is once it has been built, seen from the root of the source tree: from there
/// `cargo run` runs. It is no part of the broker, so that this needs neither Node nor a compiler for WebAssembly.
const PACKAGE: &str = "client-wasm/dist/index.js";

macro_rules! assets {
    ($($name:literal)*) => {
        /// The page's own files, by their names below `/example/`.
        const ASSETS: &[(&str, &str)] =
            &[$((concat!("/example/", $name), include_str!(concat!("../../assets/example/", $name)))),*];
    };
}

assets! {
    "style.css" "example.js" "address.js" "announcer.js" "closing.js" "log.js" "peer.js" "post.js"
    "rates.js" "sender.js" "theme.js" "wire.js" "package.js"
}

/// The answer to a GET of a path, if the page has something there.
pub(super) fn answer(path: &str) -> Option<Answer> {
    match path {
        "/example/package" => {
            let page = include_bytes!("../../assets/example/package.html");
            return Some(Answer::asset(HTML, &page[..]).with(header::CONTENT_SECURITY_POLICY, PACKAGE_CSP));
        }
        "/example/petasus.js" => return Some(package()),
        _ => {}
    }
    let (content_type, body) = match path {
        "/" => (HTML, include_str!("../../assets/example/index.html")),
        "/favicon.svg" => ("image/svg+xml", include_str!("../../assets/example/icon.svg")),
        _ => {
            let (name, body) = ASSETS.iter().find(|(name, _)| *name == path)?;
            (if name.contains(".js") { SCRIPT } else { "text/css; charset=utf-8" }, *body)
        }
    };
    Some(Answer::asset(content_type, body.as_bytes()).with(header::CONTENT_SECURITY_POLICY, CSP))
}

/// The package, read at each request: who builds it again need not start the broker again.
fn package() -> Answer {
    match std::fs::read(PACKAGE) {
        Ok(script) => Answer::asset(SCRIPT, script),
        Err(_) => Answer::text(StatusCode::NOT_FOUND, "the package is not built here: see /example/package"),
    }
}
