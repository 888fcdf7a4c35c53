//! Answers to requests that open nothing: a status, one line of text, and the headers that say what to do.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue, StatusCode, header};

/// An HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The body. A text for people is one line that ends in a newline.
    pub(crate) body: Cow<'static, [u8]>,
    /// Headers, without the length and the date.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Answer {
    /// One line of text; the newline is added.
    pub(crate) fn text(status: StatusCode, line: impl std::fmt::Display) -> Self {
        Self { status, body: Cow::Owned(format!("{line}\n").into_bytes()), headers: Vec::new() }
            .with(header::CONTENT_TYPE, "text/plain; charset=utf-8")
            .with(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
    }

    /// A status and nothing else.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, body: Cow::Borrowed(&[]), headers: Vec::new() }
    }

    /// A page or another asset.
    pub(crate) fn asset(content_type: &'static str, body: impl Into<Cow<'static, [u8]>>) -> Self {
        Self { status: StatusCode::OK, body: body.into(), headers: Vec::new() }
            .with(header::CONTENT_TYPE, content_type)
            .with(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .with(header::CACHE_CONTROL, "no-cache")
    }

    /// 405 with the methods that would do (RFC 9110 15.5.6).
    pub(crate) fn wrong_method(line: &str, allow: &'static str) -> Self {
        Self::text(StatusCode::METHOD_NOT_ALLOWED, line).with(header::ALLOW, allow)
    }

    /// Pages may POST, also with a type that no form could send (Fetch standard, CORS-preflight fetch; REQ-HTTP-017).
    pub(crate) fn preflight() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
            .with(header::ACCESS_CONTROL_ALLOW_METHODS, "POST")
            .with(header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type")
            .with(header::ACCESS_CONTROL_MAX_AGE, "600")
    }

    /// Adds a header.
    #[must_use]
    pub(crate) fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }
}
